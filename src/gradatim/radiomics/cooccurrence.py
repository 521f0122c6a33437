"""Counting how often two grey levels are neighbours."""

from collections.abc import Iterator

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation, Offset

MAX_ENTRIES = 1 << 23
"""Matrix entries counted at a time (64 MB of int64), where every slice has its own matrices."""


def pair_counts(levels: Tensor, offset: Offset, *, n_levels: int, per_slice: bool = False) -> Tensor:
    """How often level i lies at an offset from level j, in either order: M = N + Nᵀ.

    Args:
        levels: (x, y, z), int64, 1 … n_levels, 0 where there is none.
        offset: voxels along each axis; with ``per_slice`` 0 along z.
        n_levels: size of the matrix.
        per_slice: one matrix for each z instead of one for all.

    Returns:
        Counts (z or 1, n_levels, n_levels), int64, symmetric.

    Example:
        >>> pair_counts(torch.tensor([[[1, 1, 2]]]), (0, 0, 1), n_levels=2).tolist()
        [[[2, 1], [1, 0]]]
    """
    side = n_levels + 1  # row and column 0 collect the pairs that leave the region, and are dropped below
    codes = levels[_view(offset, levels.shape, 1)] * side + levels[_view(offset, levels.shape, -1)]
    n_slices = levels.shape[2] if per_slice else 1
    if per_slice:
        codes = codes + torch.arange(n_slices, device=levels.device) * side**2
    counts = torch.bincount(codes.flatten(), minlength=n_slices * side**2)
    inner = counts.view(n_slices, side, side)[:, 1:, 1:]
    return inner + inner.mT


def _view(offset: Offset, shape: torch.Size, sign: int) -> tuple[slice, ...]:
    # sign 1: the voxels that have a partner at +offset; sign -1: the partners.
    steps = [sign * step for step in offset]
    return tuple(
        slice(max(-step, 0), size - max(step, 0)) if abs(step) < size else slice(0, 0)
        for step, size in zip(steps, shape, strict=True)
    )


def matrices(levels: Tensor, aggregation: Aggregation, *, n_levels: int) -> Iterator[Tensor]:
    """The co-occurrence matrices that an aggregation asks for, in batches of bounded memory.

    Args:
        levels: (x, y, z), int64, 1 … n_levels, 0 outside the region.
        aggregation: directions, and which matrices are kept apart.
        n_levels: size of the matrices.

    Yields:
        Counts (batch, n_levels, n_levels), int64; matrices without a single pair are left out. With
        both slices and directions apart, the slices of one direction follow one another.
    """
    per_slice = aggregation.per_slice
    thickness = max(1, MAX_ENTRIES // (len(aggregation.directions) * n_levels**2)) if per_slice else levels.shape[2]
    for slab in levels.split(thickness, dim=2):
        counts = torch.stack(
            [pair_counts(slab, m, n_levels=n_levels, per_slice=per_slice) for m in aggregation.directions]
        )
        batch = counts.flatten(0, 1) if aggregation.per_direction else counts.sum(0)
        batch = batch[batch.sum((-2, -1)) > 0]
        if len(batch):
            yield batch
