"""Soft dependence: the expected number of voxels that share their grey level with so many neighbours."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gradatim.radiomics.soft.assignment import SoftLevels
from gradatim.radiomics.soft.runs import belonging


def soft_dependence(levels: SoftLevels, around: Tensor, group: Tensor) -> Tensor:
    """Dependence matrices for coarseness 0, differentiable in the shares.

    A voxel that belongs to level i by wᵢ has k neighbours of that level with the probability that k of the
    independent events of probability wᵢ(neighbour) happen (Poisson's binomial distribution). The matrix adds up
    wᵢ times that: exactly the expectation of IBSI's. By a compiled kernel on the CPU, by torch elsewhere.

    Args:
        levels: of the n intensities.
        around: (n, neighbours), int64, which intensities lie around each; −1 where there is none.
        group: (n,), int64, 0 …; groups are counted apart.

    Returns:
        Counts (groups, n_levels, neighbours + 1), float64; column k for k neighbours besides the voxel itself.

    Example:
        >>> levels = SoftLevels(torch.tensor([1, 1]), torch.tensor([0.0, 0.25], dtype=torch.float64))
        >>> soft_dependence(levels, torch.tensor([[1], [0]]), torch.tensor([0, 0])).tolist()
        [[[0.25, 1.5], [0.25, 0.0]]]
    """
    side, groups = levels.n_levels + 1, int(group.max()) + 1
    row = group * side + levels.lower - 1
    if levels.share.device.type == "cpu":
        table = _Dependences.apply(levels.share, levels.lower, around, row, groups * side)
    else:
        table = by_recursion(levels, around, row, groups * side)
    return table.view(groups, side, -1)[:, :-1]


def by_recursion(levels: SoftLevels, around: Tensor, row: Tensor, rows: int) -> Tensor:
    """The table (rows, neighbours + 1) by torch on any device, one neighbour of all voxels after the other.

    Args:
        levels: of the n intensities.
        around: (n, neighbours), int64, −1 where there is none.
        row: (n,), int64, where the counts of a voxel's lower level go; those of the upper one go to the next row.
        rows: of the table.
    """
    level = torch.stack([levels.lower, levels.lower + 1])
    found = torch.stack([1 - levels.share, levels.share]).unsqueeze(-1)
    for neighbour in around.unbind(1):
        alike = belonging(levels, neighbour.expand_as(level), level).unsqueeze(-1)
        found = torch.nn.functional.pad(found * (1 - alike), (0, 1)) + torch.nn.functional.pad(found * alike, (1, 0))
    table = levels.share.new_zeros(rows, around.shape[1] + 1)
    return table.index_add(0, row, found[0]).index_add(0, row + 1, found[1])


class _Dependences(torch.autograd.Function):
    """The same by the kernel, which counts only neighbours that may be alike; differentiable once."""

    @staticmethod
    def forward(ctx: Any, share: Tensor, lower: Tensor, around: Tensor, row: Tensor, rows: int) -> Tensor:
        from gradatim.radiomics.soft.dependence_kernel import add_soft_dependences

        table = share.new_zeros(rows, around.shape[1] + 1)
        ctx.save_for_backward(share, lower, around, row)
        add_soft_dependences(_array(lower), _array(share), _array(around), _array(row), table.numpy())
        return table

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None, None, None]:
        from gradatim.radiomics.soft.dependence_kernel import add_share_slopes

        share, lower, around, row = ctx.saved_tensors
        found = torch.zeros_like(share)
        add_share_slopes(_array(lower), _array(share), _array(around), _array(row), _array(slope), found.numpy())
        return found, None, None, None, None


def _array(values: Tensor) -> np.ndarray:
    return values.detach().contiguous().numpy()
