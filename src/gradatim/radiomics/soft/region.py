"""A region with soft grey levels, and who is whose neighbour in it."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation, Offset
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.soft.assignment import SoftAssignment, SoftLevels
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True, eq=False)
class SoftRegion:
    """What the soft families measure: the intensities of a region as a list, their soft levels and neighbours.

    The intensity mask is as given: which voxels count has no gradient.

    Args:
        roi: the region.
        assignment: shares intensities between grey levels.
    """

    roi: Roi
    assignment: SoftAssignment

    @cached_property
    def levels(self) -> SoftLevels | Undefined:
        """Soft levels of the region's intensities, or why there are none."""
        if self.roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        return self.assignment(self.roi.intensities, self.roi.discretisation)

    @cached_property
    def places(self) -> Tensor:
        """Voxel indices of the intensities (n, 3), int64."""
        return self.roi.intensity.nonzero()

    @cached_property
    def slices(self) -> Tensor:
        """The slice of each intensity (n,), int64, counted along the third axis from the first one that has any."""
        return torch.unique(self.places[:, 2], return_inverse=True)[1]

    @cached_property
    def _index(self) -> tuple[Tensor, Tensor, tuple[int, int]]:
        # Number of each intensity in the list, −1 elsewhere, with one voxel more at every side, as one row; where
        # each intensity stands in it; and how far the next x and y are.
        _, size_y, size_z = (size + 2 for size in self.roi.intensity.shape)
        inside = torch.nn.functional.pad(self.roi.intensity, (1,) * 6).flatten()
        where = inside.nonzero().squeeze(1)
        row = torch.full(inside.shape, -1, dtype=torch.int64, device=inside.device)
        row[where] = torch.arange(len(where), device=inside.device)
        return row, where, (size_y * size_z, size_z)

    def partner(self, offset: Offset) -> Tensor:
        """Which intensity lies at an offset of at most one voxel from each (n,), int64; −1 where there is none."""
        row, where, (along_x, along_y) = self._index
        return row[where + (offset[0] * along_x + offset[1] * along_y + offset[2])]

    def groups(self, aggregation: Aggregation) -> Tensor:
        """Which matrix each intensity belongs to (n,), int64: its slice's, or the only one."""
        return self.slices if aggregation.per_slice else torch.zeros_like(self.slices)

    def around(self, directions: tuple[Offset, ...]) -> Tensor:
        """The partners in all directions and their opposites (n, 2·len(directions)), int64; −1 where there is none."""
        opposite = tuple((-x, -y, -z) for x, y, z in directions)
        return torch.stack([self.partner(offset) for offset in (*directions, *opposite)], dim=1)
