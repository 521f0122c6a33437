"""The noise power spectrum of a scanner as a curve over frequency in the plane."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError

_CELLS = 256
"""Cells along each axis of the Nyquist square over which a spectrum is integrated."""


@dataclass(frozen=True, eq=False)
class InPlaneNoise:
    """NPS(f) = c·p(√(f_x² + f_y²)), linear between the points of p and its last value beyond; slices independent.

    As CT has it: noise of one texture in all directions of the plane. A curve of any scale is brought to a standard
    deviation of voxels by :meth:`of_deviation`.

    Args:
        frequencies: (n,), cycles/mm, from 0 or above, increasing.
        power: (n,), p ≥ 0, not all 0.
        scale: c, such that c·p is in unit²·mm³.

    Raises:
        UsageError: GD-156 for a curve that is no NPS.

    Example:
        >>> f = torch.tensor([0.0, 1.0], dtype=torch.float64)
        >>> white = InPlaneNoise.of_deviation(3.0, f, torch.ones(2).double(), spacing=(0.5, 0.5, 2.0))
        >>> round(float(white.at(tuple(torch.zeros(3, 1, dtype=torch.float64)))), 6)  # 3²·0.5·0.5·2
        4.5
    """

    frequencies: Tensor
    power: Tensor
    scale: float = 1.0

    def __post_init__(self) -> None:
        f, p = self.frequencies, self.power
        sound = f.ndim == 1 and f.shape == p.shape and len(f) > 1 and bool((f.isfinite() & p.isfinite()).all())
        if not (
            sound
            and float(f[0]) >= 0
            and bool((f[1:] > f[:-1]).all())
            and bool((p >= 0).all())
            and float(p.max()) > 0
            and math.isfinite(self.scale)
            and self.scale >= 0
        ):
            raise _no_power(f"a noise power of {tuple(p.shape)} values over {tuple(f.shape)} frequencies")

    @classmethod
    def of_deviation(
        cls, sigma: float, frequencies: Tensor, power: Tensor, *, spacing: tuple[float, float, float]
    ) -> "InPlaneNoise":
        """The spectrum of this shape whose integral over the frequencies of a grid is σ².

        Args:
            sigma: standard deviation of a voxel, in the image's unit, ≥ 0.
            frequencies: (n,), cycles/mm.
            power: (n,), of any scale.
            spacing: voxel edges of the grid, mm.

        Raises:
            UsageError: GD-145 for a negative σ; GD-156 for a curve that is no NPS.
        """
        if not (math.isfinite(sigma) and sigma >= 0):
            raise UsageError(
                "GD-145",
                given=f"noise of standard deviation {sigma}",
                allowed="a finite number of at least 0",
                do="give it in the image's unit",
            )
        shape = cls(frequencies, power)
        middles = (torch.arange(_CELLS, dtype=torch.float64) + 0.5) / _CELLS / 2
        x, y, z = middles[:, None, None] / spacing[0], middles[None, :, None] / spacing[1], torch.zeros(1, 1, 1)
        mean = float(shape.at((x, y, z.double())).mean())
        if not mean > 0:
            raise _no_power("a noise power that is 0 at every frequency of the image")
        return cls(frequencies, power, sigma**2 * math.prod(spacing) / mean)

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """NPS at frequencies in cycles/mm along three axes, which broadcast; that of the third does not matter."""
        x, y, z = frequencies
        modulus = (x.double().square() + y.double().square()).sqrt() + torch.zeros_like(z, dtype=torch.float64)
        known = self.frequencies.to(device=modulus.device, dtype=torch.float64)
        power = self.scale * self.power.to(device=modulus.device, dtype=torch.float64)
        above = torch.searchsorted(known, modulus.contiguous()).clamp(1, len(known) - 1)
        weight = ((modulus - known[above - 1]) / (known[above] - known[above - 1])).clamp(0, 1)
        return torch.lerp(power[above - 1], power[above], weight).to(x.dtype)


def _no_power(given: str) -> UsageError:
    return UsageError(
        "GD-156",
        given=given,
        allowed="frequencies in cycles/mm, 0 or more and increasing, and as many finite powers of 0 or more, not all 0",
        do="give the radial average of the spectrum",
    )
