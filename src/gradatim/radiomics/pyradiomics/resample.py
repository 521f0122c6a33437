"""Resampling as PyRadiomics does it: the image's corner stays, masks take their nearest voxel."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.radiomics.boxes import Box
from gradatim.radiomics.interpolation import CubicSpline, Interpolation, Nearest
from gradatim.radiomics.resample import Rounding


@dataclass(frozen=True)
class TruncateToUnit:
    """Intensities cut to whole units towards zero, as when a number with a fraction is stored as a whole one.

    Piecewise constant, so its gradient is zero everywhere.

    Example:
        >>> TruncateToUnit()(torch.tensor([-0.6, 1.8])).tolist()
        [-0.0, 1.0]
    """

    def __call__(self, values: Tensor) -> Tensor:
        """Values of any shape, cut to whole numbers."""
        return values.trunc()


@dataclass(frozen=True)
class CornerAlignedResampling:
    """Map and masks on voxels of another size, the outer corner of the first voxel in place.

    New voxel j lies at (j + ½)·new/old − ½ of the old ones, ⌈n·old/new⌉ along each axis; a centre outside the old
    voxels says nothing. The map is interpolated; past the outermost centres a spline goes on as mirrored there,
    straight lines as the outermost value. A mask has the value of its nearest voxel, so that a region's volume changes
    by whole slices; of two equally near ones the later, where PyRadiomics goes by rounding errors of the image's
    origin. Unlike IBSI's grid the new one is not centred on the old. PyRadiomics keeps the spacing along an axis where
    the region is one voxel thick, which is not done here. Source: PyRadiomics documentation,
    ``resampledPixelSpacing``.

    Args:
        spacing: new voxel edges in mm, > 0, along x, y and z.
        interpolation: of the map.
        rounding: of the interpolated map; PyRadiomics truncates where the file stores whole numbers. None for none.

    Raises:
        UsageError: GD-101 if a length is not positive and finite.

    Example:
        >>> old = Grid((4, 4, 3), (1.0, 1.0, 3.0))
        >>> CornerAlignedResampling((2.0, 2.0, 2.0)).grid(old).shape
        (2, 2, 5)
    """

    spacing: tuple[float, float, float]
    interpolation: Interpolation = CubicSpline()
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        if not all(math.isfinite(length) and length > 0 for length in self.spacing):
            raise UsageError(
                "GD-101",
                given=f"new voxel spacing {self.spacing}",
                allowed="three positive lengths",
                do="give the new voxel edges in mm",
            )

    def grid(self, old: Grid) -> Grid:
        """The grid that an old one becomes.

        Raises:
            UsageError: GD-133 if it would have more than 2³¹ voxels.
        """
        sizes = list(zip(old.shape, old.spacing, self.spacing, strict=True))
        x, y, z = (max(1, math.ceil(n * (before / after) - _SLACK)) for n, before, after in sizes)
        if x * y * z > _LARGEST:
            raise UsageError(
                "GD-133",
                given=f"{x * y * z:.2g} voxels, from edges of {old.spacing} mm to {self.spacing}",
                allowed=f"at most {_LARGEST:.2g}",
                do="give the new voxel edges in mm, or longer ones",
            )
        ratio = np.asarray(self.spacing) / np.asarray(old.spacing)
        affine = old.matrix
        affine[:3, 3] += affine[:3, :3] @ ((ratio - 1) / 2)
        affine[:3, :3] *= ratio
        return Grid((x, y, z), self.spacing, tuple(map(tuple, affine.tolist())))

    def image(self, image: QuantitativeMap) -> QuantitativeMap:
        """The map on its new grid; its standard error is left behind, and it says nothing outside the old voxels.

        Args:
            image: the map; whole numbers become float32.
        """
        new = self.grid(image.grid)
        values = image.value if image.value.is_floating_point() else image.value.to(torch.float32)
        known = image.mask & torch.isfinite(values)
        kind, values = values.dtype, torch.where(known, values, 0.0).to(torch.float64)
        weight = known.to(torch.float64)
        for axis in range(3):
            places, n = self._places(image.grid, new, axis), values.shape[axis]
            mirrored = isinstance(self.interpolation, CubicSpline)
            values = self.interpolation.along(values, axis, _mirrored(places, n) if mirrored else places)
            weight = Nearest().along(weight, axis, places)
            inside = ((places >= -0.5) & (places < n - 0.5)).to(weight.device)
            weight = weight * inside.view(-1, *[1] * (2 - axis))
        if self.rounding is not None:
            values = self.rounding(values)
        mask = weight > 0
        return replace(image, value=torch.where(mask, values, 0.0).to(kind), mask=mask, grid=new, error=None)

    def region(self, mask: Tensor, box: Box, grid: Grid) -> tuple[Tensor, Box]:
        """A region on the new grid, from its box on the old one.

        Args:
            mask: (x, y, z), bool, the region inside its box.
            box: where that lies on the old grid.
            grid: the old grid.

        Returns:
            The new mask, bool, in a box that holds all of it and may be larger, and that box.
        """
        new, found = self.grid(grid), list(box)
        for axis in range(3):
            nearest = torch.floor(self._places(grid, new, axis) + 0.5)
            part = box[axis]
            near = ((nearest >= part.start) & (nearest < part.stop)).nonzero().flatten()
            mask = mask.index_select(axis, (nearest[near] - part.start).to(mask.device, torch.int64))
            first = int(near[0]) if len(near) else 0
            found[axis] = slice(first, first + len(near))
        return mask, (found[0], found[1], found[2])

    def _places(self, old: Grid, new: Grid, axis: int) -> Tensor:
        index = torch.arange(new.shape[axis], dtype=torch.float64)
        return (index + 0.5) * (self.spacing[axis] / old.spacing[axis]) - 0.5


_SLACK = 1e-9
"""Of a voxel: what rounding may add to a length."""

_LARGEST = 2**31
"""More voxels than this are taken for a wrong unit."""


def _mirrored(places: Tensor, n: int) -> Tensor:
    """Places between the outermost centres, those beyond them mirrored there."""
    inside = places.abs()
    return torch.where(inside > n - 1, 2 * (n - 1) - inside, inside).clamp(0, max(n - 1, 0))
