"""Modulation transfer as an object: what each spatial frequency is multiplied with."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import frequencies as grid_frequencies
from gradatim.linop.multiplier import FourierMultiplier

MARGIN = 16
"""Voxels by which an image is mirrored beyond its edge; a point spread function must not reach farther."""


class Transfer(Protocol):
    """Anything that has a modulation transfer function, real and 1 at frequency 0."""

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """MTF at frequencies in cycles/mm, one tensor an axis, which broadcast."""


@dataclass(frozen=True)
class GaussianPsf:
    """A Gaussian point spread function, MTF(f) = exp(−2π²·Σₐ σₐ²·fₐ²).

    Symmetric, so that its OTF is real and equals its MTF. Differentiable in the frequencies.

    Args:
        sigma_mm: standard deviation along each axis, mm, ≥ 0.

    Raises:
        UsageError: GD-140 for a width that is negative or not finite; GD-103, when used, for other axes.

    Example:
        >>> psf = GaussianPsf((0.5, 0.5))
        >>> round(psf.fwhm_mm[0], 4), round(psf.frequency_at(0.5)[0], 4)
        (1.1774, 0.3748)
    """

    sigma_mm: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.sigma_mm or any(not (math.isfinite(s) and s >= 0) for s in self.sigma_mm):
            raise UsageError(
                "GD-140", given=f"Gaussian widths {self.sigma_mm}", allowed="0 mm or more along each axis", do="give σ"
            )

    @property
    def fwhm_mm(self) -> tuple[float, ...]:
        """Full width at half maximum along each axis, mm: σ·√(8·ln 2)."""
        return tuple(s * math.sqrt(8 * math.log(2)) for s in self.sigma_mm)

    def frequency_at(self, level: float) -> tuple[float, ...]:
        """Where the MTF falls to a level along each axis, cycles/mm: √(−ln(level)/2)/(π·σ)."""
        top = math.sqrt(-math.log(level) / 2) / math.pi
        return tuple(top / s if s > 0 else math.inf for s in self.sigma_mm)

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """The Gaussian at frequencies in cycles/mm."""
        if len(frequencies) != len(self.sigma_mm):
            raise UsageError(
                "GD-103",
                given=f"{len(self.sigma_mm)} widths for {len(frequencies)} axes",
                allowed="one an axis",
                do="give a width along each axis of the image",
            )
        exponent = torch.zeros((), dtype=frequencies[0].dtype, device=frequencies[0].device)
        for f, sigma in zip(frequencies, self.sigma_mm, strict=True):
            exponent = exponent - (2 * math.pi**2 * sigma**2) * f.square()
        return exponent.exp()


@dataclass(frozen=True, eq=False)
class SeparableTransfer:
    """MTF(f) = in_plane(√(f_x² + f_y²))·axial(|f_z|), as CT has it: the kernel in the plane, the slice across.

    Args:
        in_plane: of the first two axes.
        axial: of the third.

    Example:
        >>> cuboid = SeparableTransfer(GaussianPsf((0.5, 0.5)), GaussianPsf((1.0,)))
        >>> f = tuple(torch.tensor([0.1]) for _ in range(3))
        >>> torch.allclose(cuboid.at(f), GaussianPsf((0.5, 0.5, 1.0)).at(f))
        True
    """

    in_plane: Transfer
    axial: Transfer

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """The product of the two at frequencies in cycles/mm."""
        x, y, z = frequencies
        return self.in_plane.at((x, y)) * self.axial.at((z,))


@dataclass(frozen=True)
class CommonTransfer:
    """The lowest of several MTFs at each frequency: the detail that all of them kept.

    Args:
        parts: one or more.

    Example:
        >>> both = CommonTransfer((GaussianPsf((0.5, 1.0)), GaussianPsf((1.0, 0.5))))
        >>> f = (torch.tensor([0.2, 0.0]), torch.tensor([0.0, 0.2]))
        >>> torch.allclose(both.at(f), GaussianPsf((1.0, 1.0)).at(f))
        True
    """

    parts: tuple[Transfer, ...]

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """The lowest at frequencies in cycles/mm."""
        lowest = self.parts[0].at(frequencies)
        for part in self.parts[1:]:
            lowest = torch.minimum(lowest, part.at(frequencies))
        return lowest


def blurring(transfer: Transfer, shape: tuple[int, ...], spacing: tuple[float, ...]) -> FourierMultiplier:
    """The blur of a transfer as a linear operator on images of one shape, periodic beyond the edge.

    Args:
        transfer: its MTF is the symbol; a symmetric point spread function.
        shape: of the image.
        spacing: voxel edges, mm.

    Example:
        >>> spike = torch.zeros(8, 8)
        >>> spike[4, 4] = 1.0
        >>> seen = blurring(GaussianPsf((1.0, 1.0)), (8, 8), (1.0, 1.0)).apply(spike)
        >>> round(float(seen.sum()), 4), round(float(seen[4, 4]), 3)
        (1.0, 0.158)
    """
    symbol = transfer.at(grid_frequencies(shape, spacing))
    return FourierMultiplier(symbol.expand((*shape[:-1], shape[-1] // 2 + 1)), shape)


def blurred(image: Tensor, transfer: Transfer, spacing: tuple[float, ...]) -> Tensor:
    """An image seen through a transfer; beyond its edge it is mirrored, so that nothing wraps around. Differentiable.

    Args:
        image: (x, y, z) or (x, y), real.
        transfer: its MTF.
        spacing: voxel edges, mm.

    Returns:
        Of the image's shape and precision.

    Example:
        >>> flat = blurred(torch.full((6, 5, 4), 7.0), GaussianPsf((1.0, 1.0, 2.0)), (1.0, 1.0, 2.0))
        >>> torch.allclose(flat, torch.full((6, 5, 4), 7.0))
        True
    """
    margins = [min(MARGIN, n - 1) for n in image.shape]
    wide = torch.nn.functional.pad(image[None, None], [m for m in reversed(margins) for _ in range(2)], mode="reflect")
    wide = wide[0, 0]
    through = blurring(transfer, tuple(wide.shape), spacing).apply(wide)
    return through[tuple(slice(m, m + n) for m, n in zip(margins, image.shape, strict=True))]
