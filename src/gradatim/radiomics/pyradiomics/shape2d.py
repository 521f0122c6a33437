"""Shape in two dimensions: PyRadiomics' 9 features of a region of one slice."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.pyradiomics.renamed import in_order
from gradatim.radiomics.pyradiomics.shape import PlanarShape
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.shape.measured import Shape

_SOURCE = "PyRadiomics documentation, shape2D; van Griethuysen 2017, doi:10.1158/0008-5472.CAN-17-0339"
_MM, _MM2, _PURE = Unit(length=1), Unit(length=2), Unit()
_ONE_VOXEL = "one voxel has no axes"
_AREA = (0, 1 / 8, 1 / 2, 7 / 8, 1)
"""Share of a square between four pixel centres that is inside the mesh, by how many are, unless two are opposite."""


@dataclass(frozen=True, eq=False)
class Contour:
    """The mesh of lines around the region's pixels, half-way between inside and outside; marching squares.

    Two opposite corners of a square are kept apart.

    Args:
        solid: the region's shape in space.
    """

    solid: PlanarShape

    @cached_property
    def _squares(self) -> tuple[Tensor, Tensor, Tensor]:
        # How many squares have 0 … 4 corners inside (5,); of those with two, how many have neighbours along x, along y,
        # and opposite ones (3,); the edges, mm.
        roi = self.solid.shape.roi
        inside = torch.nn.functional.pad(roi.shape[:, :, 0].cpu().to(torch.int64), (1, 1, 1, 1))
        a, b, c, d = inside[:-1, :-1], inside[1:, :-1], inside[:-1, 1:], inside[1:, 1:]
        number = a + b + c + d
        two = number == 2
        pairs = [int((two & (a == other)).sum()) for other in (b, c, d)]
        counts = torch.bincount(number.flatten(), minlength=5).to(torch.float64)
        edges = torch.tensor(roi.spacing[:2], dtype=torch.float64)
        return counts, torch.tensor(pairs, dtype=torch.float64), edges

    @cached_property
    def area(self) -> Tensor:
        """Area inside the mesh (), mm²."""
        counts, pairs, edges = self._squares
        # Two opposite corners cut off a quarter, not a half.
        return (counts @ torch.tensor(_AREA, dtype=torch.float64) - pairs[2] / 4) * edges.prod()

    @cached_property
    def perimeter(self) -> Tensor:
        """Length of the mesh (), mm."""
        counts, pairs, edges = self._squares
        cuts = counts[1] + counts[3] + 2 * pairs[2]
        return cuts * edges.norm() / 2 + pairs[:2] @ edges

    @cached_property
    def pixels(self) -> Tensor:
        """Number of pixels times a pixel's area ()."""
        x, y, _ = self.solid.shape.roi.spacing
        return self.solid.shape.roi.shape.sum().cpu() * torch.tensor(x * y, dtype=torch.float64)


def _record(
    name: str,
    title: str,
    unit: Unit,
    formula: str,
    compute: Callable[[Contour], Tensor],
    undefined: str = NOT_FINITE,
) -> FeatureRecord:
    # IBSI has no features of shape in two dimensions, so none has a code.
    return FeatureRecord(name, title, "", unit, formula, compute, _SOURCE, undefined)


@dataclass(frozen=True)
class PyradiomicsShape2D(Family):
    """Shape features of PyRadiomics in two dimensions, for regions of one slice across the third array axis.

    As in PyRadiomics they are measured only where they are asked for by name. IBSI has none of them.
    """

    id = "pyradiomics_shape2D"
    name = "PyRadiomics shape in two dimensions"
    code = ""
    sees_border = True
    nothing = "the region has more than one slice"
    features = in_order(
        _record("MeshSurface", "Area (mesh)", _MM2, "S = area inside the lines around the pixels", lambda c: c.area),
        _record(
            "PixelSurface", "Area (pixel counting)", _MM2, "number of pixels × area of a pixel", lambda c: c.pixels
        ),
        _record("Perimeter", "Perimeter", _MM, "P = length of these lines", lambda c: c.perimeter),
        _record(
            "PerimeterSurfaceRatio",
            "Perimeter to area ratio",
            Unit(length=-1),
            "P / S",
            lambda c: c.perimeter / c.area,
        ),
        _record(
            "Sphericity",
            "Circularity",
            _PURE,
            "2√(π·S) / P",
            lambda c: 2 * (math.pi * c.area).sqrt() / c.perimeter,
        ),
        _record(
            "MaximumDiameter",
            "Maximum diameter",
            _MM,
            "largest distance between two ends of these lines",
            lambda c: torch.tensor(c.solid.planes[2], dtype=torch.float64),
        ),
        _record(
            "MajorAxisLength",
            "Major axis length by n",
            _MM,
            "4√λ₁, covariance of the pixel centres with n",
            lambda c: c.solid.population_axes[0],
            _ONE_VOXEL,
        ),
        _record(
            "MinorAxisLength",
            "Minor axis length by n",
            _MM,
            "4√λ₂, covariance of the pixel centres with n",
            lambda c: c.solid.population_axes[1],
            _ONE_VOXEL,
        ),
        _record(
            "Elongation",
            "Elongation",
            _PURE,
            "√(λ₂/λ₁)",
            lambda c: c.solid.population_axes[1] / c.solid.population_axes[0],
            _ONE_VOXEL,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Contour]:
        """The region's pixels as one :class:`Contour`, or none if it has several slices."""
        return () if roi.shape.shape[2] > 1 else (Contour(PlanarShape(roi.once(Shape))),)
