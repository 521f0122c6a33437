"""Soft run lengths: the expected number of runs when grey levels are drawn from their shares."""

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.level_by_size import LevelBySize, level_by_size
from gradatim.radiomics.soft.assignment import SoftLevels
from gradatim.radiomics.soft.region import SoftRegion

LEAST = 1e-9
"""A run that is less probable than this is followed no further; so much is missing of each voxel's runs, at most."""


def soft_runs(region: SoftRegion, levels: SoftLevels, aggregation: Aggregation) -> LevelBySize:
    """The run length matrices that an aggregation asks for, differentiable in the shares.

    A run of level i and length r that starts at v has the probability
    (1 − wᵢ(v − 1))·wᵢ(v)·…·wᵢ(v + r − 1)·(1 − wᵢ(v + r)), the levels of the voxels being independent; w is 0 outside
    the region. The matrix is the sum over v: exactly the expectation of IBSI's. Number and cost of the terms
    grow with the length of the rows that may be one run.

    Args:
        region: who follows whom.
        levels: the region's soft levels.
        aggregation: directions, and which matrices are kept apart.
    """
    group = region.groups(aggregation)
    found = []
    for number, offset in enumerate(aggregation.directions):
        x, y, z = offset
        table = _along(levels, region.partner((-x, -y, -z)), region.partner(offset), group)
        index = table.detach().nonzero()
        matrix, level, length = index.unbind(1)
        if aggregation.per_direction:
            matrix = matrix * len(aggregation.directions) + number
        found.append((matrix, level + 1, length + 1, table[tuple(index.unbind(1))]))
    matrix, level, length, count = (torch.cat(parts) for parts in zip(*found, strict=True))
    return level_by_size(matrix=matrix, level=level, size=length, count=count, voxels=count * length)


def _along(levels: SoftLevels, before: Tensor, after: Tensor, group: Tensor) -> Tensor:
    """Expected number of runs (groups, n_levels, longest) along one direction."""
    side, groups = levels.n_levels + 1, int(group.max()) + 1
    start = torch.arange(len(group), device=group.device).repeat(2)
    level = torch.cat([levels.lower, levels.lower + 1])
    alive = torch.cat([1 - levels.share, levels.share]) * (1 - belonging(levels, before[start], level))
    tip, row = start, group[start] * side + level - 1
    by_length: list[Tensor] = []
    while True:
        lives = (alive.detach() > LEAST).nonzero().squeeze(1)
        if len(lives) == 0:
            return torch.stack(by_length, dim=1).view(groups, side, -1)[:, :-1]
        level, row, alive, tip = level[lives], row[lives], alive[lives], after[tip[lives]]
        goes_on = belonging(levels, tip, level)
        by_length.append(alive.new_zeros(groups * side).index_add(0, row, alive * (1 - goes_on)))
        alive = alive * goes_on


def belonging(levels: SoftLevels, voxel: Tensor, level: Tensor) -> Tensor:
    """How much of a voxel belongs to a level, both of any one shape; 0 for the voxel −1."""
    lower, share = levels.lower[voxel], levels.share[voxel]
    weight = torch.where(lower == level, 1 - share, torch.where(lower + 1 == level, share, torch.zeros_like(share)))
    return torch.where(voxel >= 0, weight, torch.zeros_like(weight))
