"""One region cut out of a map, ready to be measured."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from gradatim.radiomics.discretise import Curve, Discretisation
from gradatim.radiomics.kept import Kept
from gradatim.radiomics.undefined import Undefined

T = TypeVar("T")

NO_VOXELS = "the region has no voxels"
NO_INTENSITIES = "no voxel of the region has an intensity: outside the map's mask, not finite, or out of range"


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The whole map that a region was cut out of, for what looks past the region's border.

    Args:
        values: (X, Y, Z), the map, its own dtype.
        known: (X, Y, Z), bool, where the map says something.
        origin: index of the region's box in the map.
    """

    values: Tensor
    known: Tensor
    origin: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Roi:
    """A region's bounding box: intensities, the two masks of IBSI, and the rules for grey levels.

    Args:
        values: (x, y, z), float64, the map inside the box.
        shape: (x, y, z), bool, the morphological mask: every voxel of the region; not empty.
        intensity: (x, y, z), bool, the intensity mask: those of them that have an intensity; may be empty.
        spacing: voxel edges, mm.
        discretisation: gives the intensities their grey levels.
        curve: the bins of the intensity-volume histogram; None for a bin a whole number.
        surroundings: the map around the box; None where it is not known, which leaves what needs it undefined.
    """

    values: Tensor
    shape: Tensor
    intensity: Tensor
    spacing: tuple[float, float, float]
    discretisation: Discretisation
    curve: Curve | None = None
    surroundings: Surroundings | None = None
    _kept: Kept = field(default_factory=Kept, repr=False)

    def once(self, measure: "Callable[[Roi], T]") -> T:
        """What a function makes of this region: computed when first asked for, kept, shared between families.

        Args:
            measure: a module's function of the region alone; two threads that ask at a time wait for one answer.
        """
        return self._kept.get(measure, lambda: measure(self))

    def release(self) -> None:
        """Forget what :meth:`once` kept: it points back here, and memory in a circle waits for the collector."""
        self._kept.clear()

    @cached_property
    def intensities(self) -> Tensor:
        """The intensities (n,), float64."""
        return self.values.masked_select(self.intensity)

    @property
    def levels(self) -> Tensor | Undefined:
        """The grey levels (x, y, z), int64, 0 outside the intensity mask."""
        return self.once(_levels)

    @property
    def touches_border(self) -> bool:
        """Whether the region reaches the first or last voxel of the map along an axis that has more than one."""
        if self.surroundings is None:
            return False
        ends = zip(self.surroundings.origin, self.shape.shape, self.surroundings.values.shape, strict=True)
        return any(whole > 1 and (start == 0 or start + size == whole) for start, size, whole in ends)


def _levels(roi: Roi) -> Tensor | Undefined:
    if roi.intensities.numel() == 0:
        return Undefined(NO_INTENSITIES)
    levels = roi.discretisation(roi.intensities)
    if isinstance(levels, Undefined):
        return levels
    image = torch.zeros(roi.values.shape, dtype=torch.int64, device=roi.values.device)
    return image.masked_scatter(roi.intensity, levels)
