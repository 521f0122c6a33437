"""Point spread functions that are round: from intensity over radius and depth to voxels of a grid."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid

MM = 1e-3
"""One millimetre, m: grids are in mm, optics in m."""

Number = float | Tensor
"""A float, or a float64 scalar tensor through which gradients flow."""

Place = tuple[float, float, float]


class RadialPsf(ABC):
    """A PSF that is round about the optical axis z. A model gives its intensity; calling it samples that."""

    @abstractmethod
    def intensity(self, radius: Tensor, depth: Tensor) -> Tensor:
        """Intensity around a point source, per area of the plane at each depth.

        Args:
            radius: (R,), m, ≥ 0.
            depth: (Z,), m, of the plane that is imaged, from the plane where the source is in focus.

        Returns:
            (R, Z), 1/m², such that 2π∫ h r dr is the share of the light that the plane holds.
        """

    def __call__(self, grid: Grid, *, centre: Place | None = None) -> Tensor:
        """The PSF on a grid: its intensity at the voxels' centres, scaled to the sum 1.

        Args:
            grid: shape, and voxel edges in mm. A single plane (z = 1) gives the PSF in focus.
            centre: where the source is, in voxel indices; n // 2 on each axis by default, as deconvolution
                expects it.

        Returns:
            (x, y, z), float64, differentiable with respect to the model's tensors.
        """
        values = intensity_at(self, grid, centre)
        return values / values.sum()


@dataclass(frozen=True)
class PixelIntegrated:
    """What pixels of full size collect: the model's intensity averaged over each pixel's area.

    Sampling at the centre overstates a sharp peak: by 3 % at a pixel of a tenth of the Airy disk's diameter.
    Gauss-Legendre points in each pixel; depth is not averaged, since a plane of focus has no thickness.

    Args:
        model: the intensity.
        points: along each edge of a pixel, ≥ 1.

    Raises:
        UsageError: GD-101 if ``points`` < 1.

    Example:
        >>> from gradatim.restore.microscopy.gaussian_psf import GaussianPsf
        >>> model, grid = GaussianPsf(1e-7, 3e-7), Grid((5, 5, 1), (2e-4, 2e-4, 1e-4))
        >>> bool(PixelIntegrated(model)(grid).max() < model(grid).max())
        True
    """

    model: RadialPsf
    points: int = 3

    def __post_init__(self) -> None:
        if self.points < 1:
            raise UsageError(
                "GD-101", given=f"{self.points} points a pixel", allowed="at least 1", do="3 are enough for most"
            )

    def __call__(self, grid: Grid, *, centre: Place | None = None) -> Tensor:
        """The PSF on a grid, scaled to the sum 1; arguments as those of :class:`RadialPsf`."""
        x, y, z = default_centre(grid) if centre is None else centre
        nodes, weights = np.polynomial.legendre.leggauss(self.points)
        total = torch.zeros(grid.shape, dtype=torch.float64)
        for i, a in zip(nodes.tolist(), weights.tolist(), strict=True):
            for j, b in zip(nodes.tolist(), weights.tolist(), strict=True):
                total = total + a * b * intensity_at(self.model, grid, (x - i / 2, y - j / 2, z))
        return total / total.sum()


def as_float(value: Number) -> float:
    """The number itself, without its gradient."""
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def default_centre(grid: Grid) -> Place:
    """The voxel n // 2 of each axis."""
    x, y, z = (float(n // 2) for n in grid.shape)
    return x, y, z


def intensity_at(model: RadialPsf, grid: Grid, centre: Place | None) -> Tensor:
    """Intensity at voxel centres, (x, y, z), float64; each radius that occurs is computed once."""
    place = default_centre(grid) if centre is None else centre
    x, y, depth = (
        (torch.arange(n, dtype=torch.float64) - c) * (s * MM)
        for n, c, s in zip(grid.shape, place, grid.spacing, strict=True)
    )
    radius = torch.hypot(x[:, None], y[None, :])
    unit = min(grid.spacing[:2]) * MM * 1e-9
    found, which = torch.unique(torch.round(radius / unit), return_inverse=True)
    return model.intensity(found * unit, depth)[which]
