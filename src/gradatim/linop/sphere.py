"""The mean over a sphere, to which a harmonic field is blind."""

import itertools
import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import rfftn
from gradatim.linop.multiplier import FourierMultiplier

SUBSAMPLES = 8
"""Points along each edge of a voxel that decide how much of it lies in the sphere."""


def spherical_mean(
    shape: tuple[int, ...], spacing: tuple[float, float, float], *, radius_mm: float
) -> FourierMultiplier:
    """Convolution with a normalised sphere: the spherical mean value.

    A function that is harmonic within ``radius_mm`` of a point keeps its value there (Gauss). Voxels on
    the edge count with the fraction of their volume inside the sphere, so that the mean varies smoothly
    with the radius and stays round on anisotropic grids.

    Args:
        shape: (x, y, z); the convolution is periodic on it.
        spacing: voxel edges, mm.
        radius_mm: radius of the sphere, mm, > 0.

    Returns:
        A multiplier with a real float64 symbol, 1 at k = 0.

    Raises:
        UsageError: GD-101 if the radius is not positive or the sphere is wider than the volume.

    Source:
        Schweser et al., NeuroImage 54:2789-2807, 2011 (SHARP).

    Example:
        >>> mean = spherical_mean((8, 8, 8), (1.0, 1.0, 1.0), radius_mm=2.0)
        >>> round(mean.apply(torch.ones(8, 8, 8))[0, 0, 0].item(), 6)
        1.0
    """
    reach = [math.ceil(radius_mm / s - 0.5) if radius_mm > 0 else -1 for s in spacing]
    if not math.isfinite(radius_mm) or radius_mm <= 0 or any(2 * r + 1 > n for r, n in zip(reach, shape, strict=True)):
        raise UsageError(
            "GD-101",
            given=f"radius {radius_mm} mm on a grid {shape} of {spacing} mm",
            allowed="a positive radius whose sphere fits into the volume",
            do="choose a smaller radius or pad the volume",
        )
    kernel = torch.zeros(shape, dtype=torch.float64)
    axes = [torch.arange(-r, r + 1) for r in reach]
    where = torch.meshgrid(*(a % n for a, n in zip(axes, shape, strict=True)), indexing="ij")
    kernel[where] = _fraction_inside(axes, spacing, radius_mm)
    # the kernel is even, so its spectrum is real; what is left of the imaginary part is rounding
    return FourierMultiplier(rfftn(kernel / kernel.sum()).real.contiguous(), shape)


def _fraction_inside(axes: list[Tensor], spacing: tuple[float, float, float], radius_mm: float) -> Tensor:
    """Fraction of each voxel's volume within the radius, by points on a regular sub-grid."""
    offsets = (torch.arange(SUBSAMPLES, dtype=torch.float64) + 0.5) / SUBSAMPLES - 0.5
    squares = [((a[:, None] + offsets) * s).square() for a, s in zip(axes, spacing, strict=True)]
    inside = torch.zeros([len(a) for a in axes], dtype=torch.float64)
    for i, j, k in itertools.product(range(SUBSAMPLES), repeat=3):
        distance2 = squares[0][:, None, None, i] + squares[1][None, :, None, j] + squares[2][None, None, :, k]
        inside += distance2 <= radius_mm**2
    if inside.sum() == 0:  # a sphere between the sample points of the central voxel
        inside[tuple(len(a) // 2 for a in axes)] = 1.0
    return inside / SUBSAMPLES**3
