"""A region laid out so that the windows around many of its voxels can be cut out at once."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True, eq=False)
class WindowedRegion:
    """A region with a margin as wide as its windows reach.

    Args:
        roi: the region.
        stencil: (a, b, c), bool, odd sizes: which voxels around a voxel belong to its window.
        levels: (x + a − 1, y + b − 1, z + c − 1), int16, the grey levels of the whole region, 0 where there is none;
            or why there are none.
        n_levels: highest grey level of the region; 0 where there are none.
        centres: (n, 3), int64, voxels of the region's box whose windows are wanted.
    """

    roi: Roi
    stencil: Tensor
    levels: Tensor | Undefined
    n_levels: int
    centres: Tensor

    @classmethod
    def of(cls, roi: Roi, stencil: Tensor, *, stride: int) -> "WindowedRegion":
        """A region, with a window around each voxel that has an intensity and that a stride does not pass over.

        Args:
            roi: the region.
            stencil: the window.
            stride: take voxels whose three indices in the map are multiples of this.
        """
        stencil = stencil.to(roi.values.device)
        centres = roi.intensity.nonzero()
        origin = (0, 0, 0) if roi.surroundings is None else roi.surroundings.origin
        taken = ((centres + centres.new_tensor(origin)) % stride == 0).all(1)
        levels, highest = roi.levels, 0
        if not isinstance(levels, Undefined):
            highest = int(levels.max())
            levels = torch.nn.functional.pad(levels.to(torch.int16), _margin(stencil))
        return cls(roi, stencil, levels, highest, centres[taken])

    @property
    def size(self) -> int:
        """Voxels of a window, those of its box that it leaves out included."""
        return self.stencil.numel()

    @property
    def bytes(self) -> int:
        """Memory of the region with its margin, and of its centres."""
        sizes = zip(self.roi.values.shape, self.stencil.shape, strict=True)
        padded = 1
        for whole, window in sizes:
            padded *= whole + window - 1
        return 2 * padded + 18 * self.roi.values.numel() + 24 * len(self.centres)

    def level_windows(self, levels: Tensor, centres: Tensor) -> Tensor:
        """The grey levels (m, a, b, c), int16, of the windows around centres (m, 3), 0 where there is none."""
        return _cut(levels, self.stencil, centres) * self.stencil

    def windows(self, volume: Tensor, centres: Tensor) -> Tensor:
        """What a volume (x, y, z) holds in the windows around centres: (m, a, b, c), 0 or False outside of both."""
        return _cut(torch.nn.functional.pad(volume, _margin(self.stencil)), self.stencil, centres) * self.stencil


def _margin(stencil: Tensor) -> list[int]:
    return [size // 2 for size in reversed(stencil.shape) for _ in range(2)]


def _cut(padded: Tensor, stencil: Tensor, centres: Tensor) -> Tensor:
    around = padded
    for axis, size in enumerate(stencil.shape):
        around = around.unfold(axis, size, 1)
    x, y, z = centres.T
    return around[x, y, z]


@dataclass(frozen=True, eq=False)
class Counted:
    """What a family's records take, of many windows at once.

    Args:
        batch: the measurement of all matrices.
        rows: (batch,), int64, which matrix each is: window · matrices a window has + number in the window.
        matrices: how many a window has at most.
    """

    batch: Any
    rows: Tensor
    matrices: int
