"""A sum of few decays: what the peaks of a spectrum are measured by."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.diffusion.decay_fit import likelihood_of
from gradatim.diffusion.intervals import QuadraticIntervals
from gradatim.diffusion.likelihood import DecayModel, climb
from gradatim.diffusion.noise_models import GaussianNoise


@dataclass(frozen=True, eq=False)
class MultiExponential(DecayModel):
    """S = Σ e^uᵢ·exp(−b/b_max·e^vᵢ), coordinates u₁ … u_k, v₁ … v_k.

    Args:
        b: (n,), s/m².
        count: k.
    """

    b: Tensor
    count: int

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        each = range(1, self.count + 1)
        return (*((f"amplitude {i}", "") for i in each), *((f"diffusivity {i}", "m²/s") for i in each))

    def signal(self, state: Tensor) -> Tensor:
        return self._parts(state).sum(-1)

    def slopes(self, state: Tensor) -> Tensor:
        parts = self._parts(state)
        rates = state[..., None, self.count :].exp() * (self.b / self.b.max())[:, None]
        return torch.cat([parts, -parts * rates], -1)

    def natural(self, state: Tensor) -> Tensor:
        return torch.cat([state[..., : self.count].exp(), state[..., self.count :].exp() / self.b.max()], -1)

    def _parts(self, state: Tensor) -> Tensor:
        """Each decay, (..., n, k)."""
        share = (self.b / self.b.max())[:, None]
        size, rate = state[..., None, : self.count], state[..., None, self.count :].clamp(-60.0, 60.0)
        return torch.exp(size - share * rate.exp())


@dataclass(frozen=True)
class Peak:
    """One component of a decay: a diffusivity and its part of the signal, each with an interval.

    Args:
        diffusivity: D, m²/s.
        low: lower end of its interval; NaN where the components cannot be told apart as single decays.
        high: upper end.
        amplitude: signal at b = 0.
        amplitude_low: lower end of its interval.
        amplitude_high: upper end.
        share: of the whole signal at b = 0.
    """

    diffusivity: float
    low: float
    high: float
    amplitude: float
    amplitude_low: float
    amplitude_high: float
    share: float


def refined(
    data: Tensor, b: Tensor, *, amplitudes: Tensor, diffusivities: Tensor, sigma: float, level: float
) -> tuple[tuple[Peak, ...], float]:
    """Components as single decays, fitted to the data from a start: without the bias of a smooth spectrum.

    Args:
        data: (n,), the decay.
        b: (n,), s/m².
        amplitudes: (k,), of the start, > 0.
        diffusivities: (k,), of the start, m²/s.
        sigma: of the noise.
        level: coverage of the intervals.

    Returns:
        Components, slowest first, those of the start with NaN for intervals if the fit does not settle; and the root
        mean square of what they leave, over σ and degrees of freedom: well above 1 where they are not single decays.
    """
    count = len(amplitudes)
    model = MultiExponential(b, count)
    start = torch.cat([amplitudes.log(), (diffusivities * b.max()).log()])[None]
    likelihood = likelihood_of(model, GaussianNoise(sigma), data[None])
    found = climb(likelihood, start, iterations=200)
    value, low, high = start, torch.full_like(start, math.nan), torch.full_like(start, math.nan)
    if bool(found.settled):
        value = found.state
        low, high = QuadraticIntervals(level).ends(likelihood, found, unit=torch.ones(1).double(), freedom=math.inf)
    value, low, high = (model.natural(part)[0] for part in (value, low, high))
    order = value[count:].argsort().tolist()
    total = float(value[:count].sum())
    ends = torch.stack([value, low, high], 1).tolist()
    left = float(likelihood.deviance(found.state)[0]) / max(len(data) - 2 * count, 1)
    peaks = []
    for i in order:
        (size, least, most), (rate, slow, fast) = ends[i], ends[count + i]
        peaks.append(Peak(rate, slow, fast, size, least, most, size / total))
    return tuple(peaks), math.sqrt(left)
