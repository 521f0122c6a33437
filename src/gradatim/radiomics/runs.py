"""Runs: voxels of one grey level in a row, along a direction."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import PLANE, SPACE, Aggregation, Offset
from gradatim.radiomics.level_by_size import LevelBySize, level_by_size
from gradatim.radiomics.margin import Margined, crosses_slices, margined
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

MAX_CELLS = 1 << 23
"""Cells counted at a time (32 MB of int32), where every slice has its own matrices."""


@dataclass(frozen=True, eq=False)
class Runs:
    """How many runs there are of each slice, direction, level and length; those that occur.

    Args:
        slice: (entry,), int64, along the third array axis; 0 where runs cross slices.
        direction: (entry,), int64, which of the directions.
        level: (entry,), int64, grey level ≥ 1.
        length: (entry,), int64, in voxels, whatever their distance along the direction.
        count: (entry,), int64, how many runs.
    """

    slice: Tensor
    direction: Tensor
    level: Tensor
    length: Tensor
    count: Tensor

    def matrices(self, aggregation: Aggregation) -> LevelBySize:
        """The run length matrices that an aggregation asks for."""
        matrix = torch.zeros_like(self.slice)
        if aggregation.per_slice:
            matrix = matrix + self.slice
        if aggregation.per_direction:
            matrix = matrix * len(aggregation.directions) + self.direction
        return level_by_size(
            matrix=matrix,
            level=self.level,
            size=self.length,
            count=self.count.to(torch.float64),
            voxels=(self.count * self.length).to(torch.float64),
        )


def find_runs(levels: Tensor, directions: tuple[Offset, ...]) -> Runs:
    """All runs along some directions, counted in integers: by a compiled kernel on the CPU, by torch elsewhere.

    Args:
        levels: (x, y, z), int64, 1 … 1024, 0 outside the region, which breaks a run; not all 0.
        directions: voxel offsets, pointing forwards; those without z keep the slices apart.

    Example:
        >>> runs = find_runs(torch.tensor([1, 1, 2]).view(1, 1, 3), ((0, 0, 1),))
        >>> runs.level.tolist(), runs.length.tolist()
        ([1, 2], [2, 1])
    """
    n_levels, longest = int(levels.max()), max(levels.shape)
    at_a_time = max(1, MAX_CELLS // (len(directions) * n_levels * longest))
    if crosses_slices(directions):
        at_a_time = levels.shape[2]
    counted = by_kernel if levels.device.type == "cpu" else by_doubling
    found = []
    for first, part in enumerate(levels.to(torch.int16).split(at_a_time, dim=2)):
        counts = counted(margined(part, directions), directions, n_levels=n_levels, longest=longest)
        index = counts.nonzero()
        found.append(torch.cat([index, counts[tuple(index.T)].unsqueeze(1)], dim=1))
        found[-1][:, 0] += first * at_a_time
    slices, direction, level, length, count = torch.cat(found).T
    return Runs(slices, direction, level + 1, length + 1, count)


def by_kernel(laid: Margined, directions: tuple[Offset, ...], *, n_levels: int, longest: int) -> Tensor:
    """The counts by the compiled kernel; arguments and result as of :func:`by_doubling`."""
    from gradatim.radiomics.runs_kernel import run_counts

    steps = np.array(laid.steps(directions))
    counts = run_counts(laid.values.numpy(), laid.columns, steps, n_levels, longest)
    return torch.from_numpy(counts).view(laid.columns, len(directions), n_levels, longest)


def by_doubling(laid: Margined, directions: tuple[Offset, ...], *, n_levels: int, longest: int) -> Tensor:
    """The counts by torch on any device: every voxel points to its follower in the run, and pointers are doubled.

    Args:
        laid: the levels.
        directions: voxel offsets, pointing forwards.
        n_levels: highest level.
        longest: no run is longer.

    Returns:
        Counts (column, direction, level − 1, length − 1), integers.
    """
    levels = laid.values.to(torch.int64)
    here = torch.arange(len(levels), device=levels.device)
    size = (laid.columns, n_levels, longest)
    counts = []
    for step in laid.steps(directions):
        last = torch.where((levels > 0) & (levels == levels.roll(-step)), here + step, here)
        for _ in range(longest.bit_length()):
            last = last[last]
        begins = ((levels > 0) & (levels != levels.roll(step))).nonzero()[:, 0]
        length = (last[begins] - begins) // step
        code = (begins % laid.columns * n_levels + levels[begins] - 1) * longest + length
        counts.append(torch.bincount(code, minlength=math.prod(size)).view(size))
    return torch.stack(counts, dim=1)


def runs_in_plane(roi: Roi) -> Runs | Undefined:
    """The runs of a region along the four directions of its slices."""
    return roi.levels if isinstance(roi.levels, Undefined) else find_runs(roi.levels, PLANE)


def runs_in_space(roi: Roi) -> Runs | Undefined:
    """The runs of a region along the thirteen directions of space."""
    return roi.levels if isinstance(roi.levels, Undefined) else find_runs(roi.levels, SPACE)
