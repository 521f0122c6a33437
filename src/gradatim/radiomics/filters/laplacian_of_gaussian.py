"""The Laplacian of Gaussian."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.radiomics.filters.arguments import check_dimensions, check_positive, floating
from gradatim.radiomics.filters.boundary import Boundary, Mirror
from gradatim.radiomics.filters.stencil import Stencil


@dataclass(frozen=True)
class LaplacianOfGaussian:
    """Laplacian of Gaussian: bright blobs of width σ respond negatively, dark ones positively.

    g(k) = (1/(√(2π)·σ))^D·(‖k‖²/σ⁴ − D/σ²)·exp(−‖k‖²/2σ²), sampled at the voxels and cut where an axis
    is further than t·σ: 1 + 2⌊t·σ + 0.5⌋ voxels an edge. With σ in voxels, as IBSI has it, g is the
    Laplacian in mm times the squared voxel edge; where edges differ, times their geometric mean squared. The cut
    leaves a sum near 0, not 0. Linear, differentiable.
    Source: IBSI 2 reference manual, arXiv:2006.05470, "Laplacian-of-Gaussian filter" (L6PA).

    Args:
        sigma_mm: σ, mm, > 0.
        truncate: t, where the filter ends, in σ, > 0.
        dimensions: D: 3, or 2 for each slice along the third axis on its own.
        boundary: what the filter sees beyond the edge.

    Raises:
        UsageError: GD-101 if a width is not positive, for other dimensions than 2 and 3; GD-137 for other images than
            volumes.

    Example:
        >>> spike = torch.zeros(9, 9, 9); spike[4, 4, 4] = 1.0
        >>> response = LaplacianOfGaussian(sigma_mm=1.0)(spike, spacing=(1.0, 1.0, 1.0))
        >>> round(response[4, 4, 4].item(), 6), round(-3 / (2 * math.pi) ** 1.5, 6)
        (-0.190481, -0.190481)
    """

    sigma_mm: float
    truncate: float = 4.0
    dimensions: int = 3
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        check_positive("sigma_mm", self.sigma_mm, unit="mm")
        check_positive("truncate", self.truncate, unit="multiples of sigma")

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        smooth = floating(values)
        edges = spacing[: self.dimensions]
        unit = math.prod(edges) ** (2.0 / self.dimensions)
        curved = smooth
        for axis, edge in enumerate(edges):
            gaussian, bend = self._stencils(edge)
            # Of a sum of products, axis by axis: bent along one axis so far, or along none yet.
            bent = bend.times(unit / edge**2).along(smooth, axis=axis, boundary=self.boundary)
            curved = bent if axis == 0 else bent + gaussian.along(curved, axis=axis, boundary=self.boundary)
            if axis < self.dimensions - 1:
                smooth = gaussian.along(smooth, axis=axis, boundary=self.boundary)
        return curved

    def _stencils(self, edge: float) -> tuple[Stencil, Stencil]:
        """The Gaussian and its second derivative along an axis of voxels of this edge, both per voxel."""
        sigma = self.sigma_mm / edge
        reach = math.floor(self.truncate * sigma + 0.5)
        k = torch.arange(-reach, reach + 1, dtype=torch.float64)
        gaussian = torch.exp(-0.5 * (k / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
        bend = gaussian * ((k / sigma) ** 2 - 1) / sigma**2
        return Stencil(tuple(gaussian.tolist()), -reach), Stencil(tuple(bend.tolist()), -reach)
