"""A mask seen along its last axis: exact moments of its voxels and where its columns end."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.shape.columns_kernel import ends_and_sums

PRODUCTS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""The axes of the second moments, in their order."""


@dataclass(frozen=True, eq=False)
class Columns:
    """What one pass along the columns of a mask gives.

    Args:
        ends: first and last voxel of each column (2, x, y), int64, −1 where the column is empty.
        sums: Σ of 1, x, y, z, xx, xy, xz, yy, yz, zz over the voxels, whole numbers.
    """

    ends: np.ndarray
    sums: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of voxels."""
        return self.sums[0]

    @property
    def centre(self) -> Tensor:
        """Mean index of the voxels (3,)."""
        return torch.tensor(self.sums[1:4], dtype=torch.float64) / self.count

    @property
    def scatter(self) -> tuple[tuple[int, int, int], ...]:
        """n·Σ (p − p̄)(p − p̄)ᵀ over the voxels' indices p, 3 × 3 exact whole numbers; zero determinant = flat."""
        n, first, second = self.sums[0], self.sums[1:4], dict(zip(PRODUCTS, self.sums[4:], strict=True))
        rows = [[n * second[min(i, j), max(i, j)] - first[i] * first[j] for j in range(3)] for i in range(3)]
        return tuple((a, b, c) for a, b, c in rows)

    @property
    def rank(self) -> int:
        """Dimensions that the voxels' centres span: 0 one voxel, 1 a line, 2 a plane, 3 space; exact."""
        (a, b, c), (_, d, e), (_, _, f) = self.scatter
        if a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c):
            return 3
        if a * d - b * b or a * f - c * c or d * f - e * e:
            return 2
        return 1 if a or d or f else 0


def columns(mask: Tensor) -> Columns:
    """One pass over a mask.

    Args:
        mask: (x, y, z), bool.

    Example:
        >>> line = columns(torch.ones(3, 1, 1, dtype=torch.bool))
        >>> line.count, line.centre.tolist(), line.scatter[0], line.rank
        (3, [1.0, 0.0, 0.0], (6, 0, 0), 1)
    """
    ends, sums = ends_and_sums(mask.cpu().contiguous().numpy())
    return Columns(ends, tuple(int(total) for total in sums))
