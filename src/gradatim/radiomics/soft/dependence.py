"""Soft dependence: the expected number of voxels that share their grey level with so many neighbours."""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradatim.radiomics.soft.assignment import SoftLevels
from gradatim.radiomics.soft.runs import belonging

TOGETHER = 1 << 15
"""Voxels whose neighbourhoods are worked out at a time; about 0.4 GB while they are differentiated."""


def soft_dependence(levels: SoftLevels, around: Tensor, group: Tensor) -> Tensor:
    """Dependence matrices for coarseness 0, differentiable in the shares.

    A voxel that belongs to level i by wᵢ has k neighbours of that level with the probability that k of the
    independent events of probability wᵢ(neighbour) happen (Poisson's binomial distribution). The matrix adds up
    wᵢ times that: exactly the expectation of IBSI's.

    Args:
        levels: of the n intensities.
        around: (n, neighbours), int64, which intensities lie around each; −1 where there is none.
        group: (n,), int64, 0 …; groups are counted apart.

    Returns:
        Counts (groups, n_levels, neighbours + 1), float64; column k − 1 … for k neighbours and the voxel itself.

    Example:
        >>> levels = SoftLevels(torch.tensor([1, 1]), torch.tensor([0.0, 0.25], dtype=torch.float64))
        >>> soft_dependence(levels, torch.tensor([[1], [0]]), torch.tensor([0, 0])).tolist()
        [[[0.25, 1.5], [0.25, 0.0]]]
    """
    side, sizes = levels.n_levels + 1, around.shape[1] + 1
    groups = int(group.max()) + 1
    table = levels.share.new_zeros(groups * side, sizes)
    for some in torch.arange(len(group), device=group.device).split(TOGETHER):
        counted = checkpoint(_distribution, levels, around[some], some, use_reentrant=False)
        row = group[some] * side + levels.lower[some] - 1
        table = table.index_add(0, row, counted[0]).index_add(0, row + 1, counted[1])
    return table.view(groups, side, sizes)[:, :-1]


def _distribution(levels: SoftLevels, around: Tensor, voxel: Tensor) -> Tensor:
    """Probability (2, voxels, neighbours + 1) that a voxel has its lower, or its upper, level and k alike around it."""
    level = torch.stack([levels.lower[voxel], levels.lower[voxel] + 1])
    chance = torch.stack([1 - levels.share[voxel], levels.share[voxel]])
    found = chance.unsqueeze(-1)
    for neighbour in around.unbind(1):
        alike = belonging(levels, neighbour.expand_as(level), level).unsqueeze(-1)
        found = torch.nn.functional.pad(found * (1 - alike), (0, 1)) + torch.nn.functional.pad(found * alike, (1, 0))
    return found
