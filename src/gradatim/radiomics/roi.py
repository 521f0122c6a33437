"""One region cut out of a map, ready to be measured."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.discretise import Discretisation
from gradatim.radiomics.undefined import Undefined

Box = tuple[slice, slice, slice]

_DENSE = 1 << 16

NO_VOXELS = "the region has no voxels"
NO_INTENSITIES = "no voxel of the region has an intensity: outside the map's mask, not finite, or out of range"


@dataclass(frozen=True)
class IntensityRange:
    """Re-segmentation: only voxels whose intensity lies in [low, high] count as intensities.

    The region's shape keeps all its voxels. Source: IBSI reference manual, arXiv:1612.07003,
    "Re-segmentation" (IFBL).

    Args:
        low: lower end in the image's unit.
        high: upper end in the image's unit, > low.

    Raises:
        UsageError: GD-101 if the ends are not finite and increasing.

    Example:
        >>> IntensityRange(low=-1.0, high=1.0).holds(torch.tensor([-2.0, 1.0])).tolist()
        [False, True]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError(
                "GD-101",
                given=f"intensity range [{self.low}, {self.high}]",
                allowed="two finite numbers, the lower one first",
                do="give both in the image's unit",
            )

    def holds(self, values: Tensor) -> Tensor:
        """Which values, of any shape, lie in the range; bool of the same shape."""
        return (values >= self.low) & (values <= self.high)


@dataclass(frozen=True, eq=False)
class Roi:
    """A region's bounding box: intensities, the two masks of IBSI, and the rule for grey levels.

    Args:
        values: (x, y, z), float64, the map inside the box.
        shape: (x, y, z), bool, the morphological mask: every voxel of the region; not empty.
        intensity: (x, y, z), bool, the intensity mask: those of them that have an intensity; may be empty.
        spacing: voxel edges, mm.
        discretisation: gives the intensities their grey levels.
    """

    values: Tensor
    shape: Tensor
    intensity: Tensor
    spacing: tuple[float, float, float]
    discretisation: Discretisation

    @cached_property
    def intensities(self) -> Tensor:
        """The intensities (n,), float64."""
        return self.values[self.intensity]

    @cached_property
    def levels(self) -> Tensor | Undefined:
        """The grey levels (x, y, z), int64, 0 outside the intensity mask."""
        if self.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        levels = self.discretisation(self.intensities)
        if isinstance(levels, Undefined):
            return levels
        image = torch.zeros(self.values.shape, dtype=torch.int64, device=self.values.device)
        image[self.intensity] = levels
        return image


def cut(
    image: QuantitativeMap,
    regions: Regions,
    *,
    discretisation: Discretisation,
    resegmentation: IntensityRange | None = None,
) -> Iterator[tuple[int, Roi | Undefined]]:
    """Every region of a label image, cut out of a map.

    A voxel has an intensity where the map's mask holds, its value is finite and, with a
    re-segmentation, in range. A label that has a name but no voxel gives :class:`Undefined`.

    Args:
        image: the map.
        regions: on the map's grid.
        discretisation: passed on to the regions.
        resegmentation: range of intensities that count, or None for all.

    Yields:
        label and :class:`Roi`, labels increasing.

    Raises:
        UsageError: GD-103 if the two grids differ.
    """
    if not image.grid.same_space(regions.grid):
        raise UsageError(
            "GD-103",
            given=f"a map of {image.grid.shape} voxels and regions of {regions.grid.shape}, or with different affines",
            allowed="one grid for both",
            do="resample the label image to the map's grid with nearest neighbours",
        )
    boxes = _boxes(regions.labels)
    for label in sorted({*boxes, *(name for name in regions.names if name > 0)}):
        if label not in boxes:
            yield label, Undefined(NO_VOXELS)
            continue
        box = boxes[label]
        values = image.value[box].to(torch.float64)
        shape = (regions.labels[box] == label).to(values.device)
        intensity = shape & image.mask[box] & torch.isfinite(values)
        if resegmentation is not None:
            intensity &= resegmentation.holds(values)
        yield label, Roi(values, shape, intensity, image.grid.spacing, discretisation)


def _boxes(labels: Tensor) -> dict[int, Box]:
    array = labels.detach().cpu().numpy()
    if array.max() <= _DENSE:
        found = enumerate(ndimage.find_objects(array), start=1)
        return {label: box for label, box in found if box is not None}
    # An atlas may number its regions in millions, and scipy makes a list as long as the largest label.
    present, ranks = np.unique(np.maximum(array, 0), return_inverse=True)
    boxes = ndimage.find_objects(ranks.reshape(array.shape) + (present[0] > 0))
    return dict(zip(present[present > 0].tolist(), boxes, strict=True))
