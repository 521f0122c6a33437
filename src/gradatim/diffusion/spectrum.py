"""A spectrum of diffusivities, its peaks, and how well they are known."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.diffusion.multi_exponential import Peak

LEAST_SHARE = 0.02
"""A maximum that holds less than this of the whole is no peak but ripple."""


@dataclass(frozen=True, eq=False)
class DiffusionSpectrum:
    """Signal at b = 0 over diffusivity, S(b) = Σ aᵢ·exp(−b·Dᵢ).

    Args:
        diffusivity: D, (m,), m²/s, in equal steps of its logarithm.
        amplitude: a, (m,), in the signal's unit, ≥ 0.
        low: (m,), lower ends of the interval of each amplitude under the noise; not of what the prior smooths away.
        high: (m,), upper ends.
        peaks: components, each fitted as a single decay, slowest first.
        misfit: root mean square of what the components as single decays leave, in units of the noise; well above 1
            where one of them is a distribution, or several that are not resolved.
        sigma: noise that was reckoned with.
        weight: λ that was chosen.
        message: what is to be doubted about λ; empty if all is well.
    """

    diffusivity: Tensor
    amplitude: Tensor
    low: Tensor
    high: Tensor
    peaks: tuple[Peak, ...]
    misfit: float
    sigma: float
    weight: float
    message: str

    def signal(self, b: Tensor) -> Tensor:
        """The decay that the spectrum gives, (n,).

        Args:
            b: (n,), s/m².
        """
        return torch.exp(-b[:, None] * self.diffusivity) @ self.amplitude


def bands(amplitude: Tensor, *, least_share: float = LEAST_SHARE) -> list[tuple[int, int]]:
    """Where the components of a spectrum lie: from valley to valley, those with too small a share left out.

    Args:
        amplitude: (m,), ≥ 0.
        least_share: of the whole.

    Returns:
        First and last bin (exclusive) of each.

    Example:
        >>> bands(torch.tensor([0.0, 2.0, 0.5, 0.4, 3.0, 1.0]))
        [(0, 3), (3, 6)]
    """
    values = amplitude.tolist()
    total = sum(values)
    valleys = [
        i
        for i in range(1, len(values) - 1)
        if values[i - 1] > values[i] <= values[i + 1] and any(v > values[i] for v in values[i + 1 :])
    ]
    edges = [0, *valleys, len(values)]
    found = [(a, b) for a, b in itertools.pairwise(edges) if sum(values[a:b]) > least_share * total]
    return found if total > 0 else []


def centres(amplitude: Tensor, diffusivity: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the amplitudes of each component, and its mean diffusivity over ln D.

    Args:
        amplitude: (m,), the spectrum.
        diffusivity: (m,), m²/s.

    Returns:
        (k,) and (k,).
    """
    parts = [slice(*band) for band in bands(amplitude)]
    sums = torch.stack([amplitude[part].sum() for part in parts])
    logs = torch.stack([(amplitude[part] * diffusivity[part].log()).sum() for part in parts])
    return sums, (logs / sums).exp()
