"""From a map's own grid to voxels of chosen size, for the map and for the regions on it."""

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.radiomics.boxes import Box
from gradatim.radiomics.interpolation import Interpolation, Linear

_SLACK = 1e-3
"""Of a voxel: spacings in headers are rounded, and must not add a voxel to the grid."""

_ALIKE = 1e-5
"""Relative difference of two spacings that are the same number, written with different digits."""

_SHORTFALL = 1e-4
"""A mask's weight may miss the threshold by this, so that rounded spacings do not decide what is exactly half."""

_LARGEST = 2**31
"""More voxels than this are taken for a wrong unit."""


class Rounding(Protocol):
    """Anything that rounds intensities."""

    def __call__(self, values: Tensor) -> Tensor:
        """Values of any shape, rounded."""


@dataclass(frozen=True)
class RoundToUnit:
    """Intensities to whole units of the map, halves to even: CT numbers that were whole stay whole.

    Piecewise constant, so its gradient is zero everywhere.

    Example:
        >>> RoundToUnit()(torch.tensor([-0.6, 1.2])).tolist()
        [-1.0, 1.0]
    """

    def __call__(self, values: Tensor) -> Tensor:
        """Values of any shape, rounded to whole numbers."""
        return values.round()


@dataclass(frozen=True)
class ResampleTo:
    """Map and masks on voxels of another size; the one grid convention of our features.

    The centres of the two grids coincide and so do their axes; the new one has ⌈n·old/new⌉ voxels along each
    axis. So new voxel j of m lies at (j − (m − 1)/2)·new/old + (n − 1)/2 of the old ones, and every new
    centre lies inside an old voxel: nothing is extrapolated, and between the outermost centre and the image's
    face the outermost value is kept. Where the map's mask ends, the value is the interpolated one of the
    known voxels, I[value·known] / I[known], known where I[known] reaches the threshold. A region's mask is
    interpolated by itself, then thresholded. Larger voxels sample what the smaller ones show and do not average
    it, as IBSI has it. Differentiable in the map unless it is rounded.
    Source: IBSI reference manual, arXiv:1612.07003, "Interpolation" (VTM2), align grid centers (3WE3).

    Args:
        spacing: new voxel edges in mm, > 0, one to three; the axes left out keep theirs: (2, 2) is in-plane.
        interpolation: of the map.
        mask_interpolation: of masks.
        threshold: the share of a voxel, in (0, 1], from which it belongs to a region.
        rounding: of the interpolated map; None for none.

    Raises:
        UsageError: GD-101 if a length is not positive and finite, or the threshold outside its range.

    Example:
        >>> old = Grid((4, 4, 3), (1.0, 1.0, 3.0))
        >>> ResampleTo((2.0, 2.0)).grid(old).shape
        (2, 2, 3)
    """

    spacing: tuple[float, ...]
    interpolation: Interpolation = Linear()
    mask_interpolation: Interpolation = Linear()
    threshold: float = 0.5
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        if not (1 <= len(self.spacing) <= 3 and all(math.isfinite(s) and s > 0 for s in self.spacing)):
            raise UsageError(
                "GD-101",
                given=f"new voxel spacing {self.spacing}",
                allowed="one to three positive lengths",
                do="give the new voxel edges in mm",
            )
        if not 0 < self.threshold <= 1:
            raise UsageError(
                "GD-101",
                given=f"mask threshold {self.threshold}",
                allowed="above 0 and at most 1",
                do="give the share of a voxel that must lie in the region, 0.5 by IBSI",
            )

    def grid(self, old: Grid) -> Grid:
        """The grid that an old one becomes.

        Raises:
            UsageError: GD-133 if it would have more than 2³¹ voxels.
        """
        spacing, shape = list(old.spacing), list(old.shape)
        for axis in self._changed(old):
            spacing[axis] = self.spacing[axis]
            shape[axis] = max(1, math.ceil(old.shape[axis] * old.spacing[axis] / spacing[axis] - _SLACK))
        if math.prod(shape) > _LARGEST:
            raise UsageError(
                "GD-133",
                given=f"{math.prod(shape):.2g} voxels, from edges of {old.spacing} mm to {self.spacing}",
                allowed=f"at most {_LARGEST:.2g}",
                do="give the new voxel edges in mm, or longer ones",
            )
        affine = old.matrix
        first = [_place(0, *sizes) for sizes in zip(old.shape, shape, old.spacing, spacing, strict=True)]
        affine[:3, 3] += affine[:3, :3] @ np.asarray(first)
        affine[:3, :3] *= np.asarray(spacing) / np.asarray(old.spacing)
        return Grid(
            (shape[0], shape[1], shape[2]), (spacing[0], spacing[1], spacing[2]), tuple(map(tuple, affine.tolist()))
        )

    def image(self, image: QuantitativeMap) -> QuantitativeMap:
        """The map on its new grid; its standard error, which no interpolation keeps, is left behind.

        Args:
            image: the map; whole numbers become float32.
        """
        value, mask = image.value, image.mask
        if self._changed(image.grid):
            value, mask = self._interpolated(value, mask, image.grid)
        if self.rounding is not None:
            value = self.rounding(value)
        error = image.error if value is image.value else None
        return replace(image, value=value, mask=mask, grid=self.grid(image.grid), error=error)

    def region(self, mask: Tensor, box: Box, grid: Grid) -> tuple[Tensor, Box]:
        """A region on the new grid, from its box on the old one.

        Args:
            mask: (x, y, z), bool, the region inside its box.
            box: where that lies on the old grid.
            grid: the old grid.

        Returns:
            The new mask, bool, in a box that holds all of it and may be larger, and that box; no voxel of it
            is set where the region fills none of the new voxels to the threshold.
        """
        new, reach = self.grid(grid), self.mask_interpolation.reach
        weight, found = mask.to(torch.float64), list(box)
        for axis in self._changed(grid):
            part, n, places = box[axis], grid.shape[axis], _places(grid, new, axis)
            start, stop = max(0, part.start - reach), min(n, part.stop + reach)
            near = ((places > part.start - reach) & (places < part.stop - 1 + reach)).nonzero().flatten()
            weight = _padded(weight, axis, part.start - start, stop - part.stop)
            weight = self.mask_interpolation.along(weight, axis, places[near] - start)
            first = int(near[0]) if len(near) else 0
            found[axis] = slice(first, first + len(near))
        return weight >= self.threshold - _SHORTFALL, (found[0], found[1], found[2])

    def _changed(self, grid: Grid) -> tuple[int, ...]:
        """The axes that get other voxels, those that lose most voxels first, so that what lies between stays small."""
        ratios = [new / old for old, new in zip(grid.spacing, self.spacing, strict=False)]
        return tuple(sorted((i for i, r in enumerate(ratios) if abs(r - 1) > _ALIKE), key=lambda i: -ratios[i]))

    def _interpolated(self, values: Tensor, mask: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        values = values if values.is_floating_point() else values.to(torch.float32)
        known = mask & torch.isfinite(values)
        if bool(known.all()):
            value = self._along_axes(values, grid)
            return value, torch.ones_like(value, dtype=torch.bool)
        weight = self._along_axes(known.to(values.dtype), grid)
        reached = weight >= self.threshold - _SHORTFALL
        value = self._along_axes(torch.where(known, values, 0.0), grid) / torch.where(reached, weight, 1.0)
        return torch.where(reached, value, 0.0), reached

    def _along_axes(self, values: Tensor, grid: Grid) -> Tensor:
        new = self.grid(grid)
        for axis in self._changed(grid):
            values = self.interpolation.along(values, axis, _places(grid, new, axis))
        return values


def _place(j: int | Tensor, n: int, m: int, old: float, new: float) -> Any:
    """Where voxel j of m lies among n voxels, when the centres of the axes coincide."""
    return (j - (m - 1) / 2) * (new / old) + (n - 1) / 2


def _places(old: Grid, new: Grid, axis: int) -> Tensor:
    index = torch.arange(new.shape[axis], dtype=torch.float64)
    places: Tensor = _place(index, old.shape[axis], new.shape[axis], old.spacing[axis], new.spacing[axis])
    return places


def _padded(values: Tensor, axis: int, before: int, after: int) -> Tensor:
    widths = [0] * (2 * (values.ndim - axis - 1)) + [before, after]
    return torch.nn.functional.pad(values, widths)
