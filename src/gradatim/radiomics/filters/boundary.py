"""What a filter sees beyond the edge of an image."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Boundary(Protocol):
    """Anything that says which voxel stands for one beyond the edge."""

    def source(self, positions: Tensor, *, size: int) -> Tensor:
        """Index in 0 … size − 1 of the voxel that stands at each position; −1 where 0 stands."""

    def __hash__(self) -> int:
        """Of its parameters: what was computed for a boundary is kept for an equal one."""


@dataclass(frozen=True)
class Zero:
    """Zeros beyond the edge, 0 0 | a b c | 0 0. Source: IBSI 2, arXiv:2006.05470, "Boundary conditions".

    Example:
        >>> Zero().source(torch.arange(-2, 5), size=3).tolist()
        [-1, -1, 0, 1, 2, -1, -1]
    """

    def source(self, positions: Tensor, *, size: int) -> Tensor:
        """Index of the voxel at each position; −1 beyond the edge."""
        return torch.where((positions >= 0) & (positions < size), positions, -1)


@dataclass(frozen=True)
class Nearest:
    """The voxel at the edge goes on, a a | a b c | c c. Source: IBSI 2, arXiv:2006.05470, "Boundary conditions".

    Example:
        >>> Nearest().source(torch.arange(-2, 5), size=3).tolist()
        [0, 0, 0, 1, 2, 2, 2]
    """

    def source(self, positions: Tensor, *, size: int) -> Tensor:
        """Index of the voxel at each position, or of the one nearest to it."""
        return positions.clamp(0, size - 1)


@dataclass(frozen=True)
class Periodic:
    """The image comes again, b c | a b c | a b. Source: IBSI 2, arXiv:2006.05470, "Boundary conditions".

    Example:
        >>> Periodic().source(torch.arange(-2, 5), size=3).tolist()
        [1, 2, 0, 1, 2, 0, 1]
    """

    def source(self, positions: Tensor, *, size: int) -> Tensor:
        """Index of the voxel at each position, modulo the size."""
        return positions % size


@dataclass(frozen=True)
class Mirror:
    """The image comes back from the edge, the voxel there twice, b a | a b c | c b.

    Source: IBSI 2, arXiv:2006.05470, "Boundary conditions".

    Example:
        >>> Mirror().source(torch.arange(-2, 5), size=3).tolist()
        [1, 0, 0, 1, 2, 2, 1]
    """

    def source(self, positions: Tensor, *, size: int) -> Tensor:
        """Index of the voxel at each position, folded at both edges."""
        folded = positions % (2 * size)
        return torch.minimum(folded, 2 * size - 1 - folded)


def extended(values: Tensor, boundary: Boundary, widths: tuple[tuple[int, int], ...]) -> Tensor:
    """An image with what its boundary gives before and behind it.

    Args:
        values: (x, y, z) or any other number of axes.
        boundary: what stands beyond the edge.
        widths: voxels to add before and behind, for each axis.

    Returns:
        A tensor larger by the widths. Differentiable.

    Example:
        >>> extended(torch.tensor([1.0, 2.0]), Zero(), ((1, 2),)).tolist()
        [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    for axis, (before, behind) in enumerate(widths):
        if before or behind:
            size = values.shape[axis]
            source = boundary.source(torch.arange(-before, size + behind), size=size).to(values.device)
            values = values.index_select(axis, source.clamp(min=0))
            if (source < 0).any():
                shape = [-1 if other == axis else 1 for other in range(values.ndim)]
                values = values * (source >= 0).to(values.dtype).view(shape)
    return values
