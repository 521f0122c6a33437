"""Counting how often two grey levels are neighbours."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation, Offset
from gradatim.radiomics.cooccurrence_kernel import add_pairs
from gradatim.radiomics.neighbourhoods import batches, padded

MAX_ENTRIES = 1 << 23
"""Matrix entries counted at a time (64 MB of int64), where every slice has its own matrices."""


def pair_counts(levels: Tensor, offset: Offset, *, n_levels: int) -> Tensor:
    """How often level i lies at an offset from level j, in either order: M = N + Nᵀ.

    Args:
        levels: (group, x, y, z), int64, 1 … n_levels, 0 where there is none; groups are counted apart.
        offset: voxels along x, y and z.
        n_levels: size of the matrix.

    Returns:
        Counts (group, n_levels, n_levels), int64, symmetric.

    Example:
        >>> pair_counts(torch.tensor([1, 1, 2]).view(1, 1, 1, 3), (0, 0, 1), n_levels=2).tolist()
        [[[2, 1], [1, 0]]]
    """
    side = n_levels + 1  # row and column 0 collect the pairs that leave the region, and are dropped below
    first, second = levels[_having_partner(offset, levels.shape)], levels[_partners(offset, levels.shape)]
    codes = torch.add(second, first, alpha=side)
    codes += torch.arange(len(levels), device=levels.device).view(-1, 1, 1, 1) * side**2
    counts = torch.bincount(codes.flatten(), minlength=len(levels) * side**2).view(-1, side, side)[:, 1:, 1:]
    return counts + counts.mT


def _having_partner(offset: Offset, shape: torch.Size) -> tuple[slice, ...]:
    # An offset longer than the box leaves the slice empty: its start lies behind its end.
    ends = zip(offset, shape[1:], strict=True)
    return (slice(None), *(slice(max(-step, 0), max(size - max(step, 0), 0)) for step, size in ends))


def _partners(offset: Offset, shape: torch.Size) -> tuple[slice, ...]:
    x, y, z = offset
    return _having_partner((-x, -y, -z), shape)


def matrices_twin(levels: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    """Counts (directions, slices, n_levels, n_levels), int64, on any device; 1 where directions or slices merge."""
    groups = levels.permute(2, 0, 1).unsqueeze(-1) if aggregation.per_slice else levels.unsqueeze(0)
    counts = torch.stack([pair_counts(groups, offset, n_levels=n_levels) for offset in aggregation.directions])
    return counts if aggregation.per_direction else counts.sum(0, keepdim=True)


def _matrices(levels: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    # Slices first, so that a row of the memory lies in one slice and adds to one table.
    order = (2, 0, 1) if aggregation.per_slice else (0, 1, 2)
    offsets = np.array(aggregation.directions)[:, order]
    slots = np.arange(len(offsets)) * int(aggregation.per_direction)
    groups = levels.shape[2] if aggregation.per_slice else 1
    tables = np.zeros((groups, slots.max() + 1, n_levels + 1, n_levels + 1), np.int64)
    volume = padded(levels.permute(order))
    add_pairs(volume, np.ascontiguousarray(offsets), slots, int(aggregation.per_slice), tables)
    counts = torch.from_numpy(tables)[..., 1:, 1:].transpose(0, 1)
    return counts + counts.mT


def matrices(levels: Tensor, aggregation: Aggregation, *, n_levels: int) -> Iterator[Tensor]:
    """The co-occurrence matrices that an aggregation asks for, in batches of bounded memory.

    Args:
        levels: (x, y, z), int64, 1 … n_levels, 0 outside the region.
        aggregation: directions, and which matrices are kept apart.
        n_levels: size of the matrices.

    Yields:
        Counts (batch, n_levels, n_levels), int64; matrices without a single pair are left out. With
        slices and directions both apart, the slices of one direction follow one another.
    """
    count = _matrices if levels.device.type == "cpu" else matrices_twin
    entries = len(aggregation.directions) * n_levels**2
    for part in batches(levels, aggregation, entries=entries, at_most=MAX_ENTRIES):
        batch = count(part, aggregation, n_levels).flatten(0, 1)
        batch = batch[batch.sum((-2, -1)) > 0]
        if len(batch):
            yield batch
