"""Each voxel against the voxels around it: tone differences and dependences, counted."""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.neighbourhoods_kernel import add_dependences, add_tone_differences

MAX_ENTRIES = 1 << 23
"""Table entries counted at a time (64 MB of int64), where every slice has its own table."""

BOX = 27
"""Voxels of a box of three along each axis."""


def padded(levels: Tensor) -> np.ndarray:
    """Levels (x, y, z) on the CPU as uint16, with one voxel of zeros on every side."""
    x, y, z = levels.shape
    volume = np.zeros((x + 2, y + 2, z + 2), np.uint16)
    volume[1:-1, 1:-1, 1:-1] = levels.numpy()
    return volume


def batches(levels: Tensor, aggregation: Aggregation, *, entries: int, at_most: int) -> Iterator[Tensor]:
    """The volume, or as many of its slices at a time as may have tables of their own within a bound.

    Args:
        levels: (x, y, z).
        aggregation: with tables for each slice, or for the whole.
        entries: of one slice's tables.
        at_most: entries at a time; one slice is always taken.

    Example:
        >>> from gradatim.radiomics.aggregation import ZONES_AVERAGED, ZONES_VOLUME
        >>> [part.shape[2] for part in batches(torch.zeros(1, 1, 5), ZONES_AVERAGED, entries=10, at_most=20)]
        [2, 2, 1]
        >>> [part.shape[2] for part in batches(torch.zeros(1, 1, 5), ZONES_VOLUME, entries=10, at_most=20)]
        [5]
    """
    if not aggregation.per_slice:
        return iter((levels,))
    return iter(levels.split(max(1, at_most // entries), dim=2))


def tone_differences(levels: Tensor, aggregation: Aggregation, *, n_levels: int) -> Iterator[tuple[Tensor, Tensor]]:
    """How far the voxels of each grey level lie from the mean level of their neighbours.

    Neighbours are the region's voxels at Chebyshev distance 1; a voxel without any does not count. Summed as
    integers first, so that CPU and GPU agree to the last digit. Source: IBSI reference manual, arXiv:1612.07003,
    "Neighbourhood grey tone difference based features".

    Args:
        levels: (x, y, z), int64, 1 … n_levels, 0 outside the region.
        aggregation: neighbours in the plane or in space, and whether each slice has its own matrix.
        n_levels: rows of a matrix.

    Yields:
        Counts n (batch, n_levels), int64, of voxels with a neighbour, and sums s (batch, n_levels), float64, of
        |level − mean level of the neighbours|; matrices without a voxel are left out.

    Example:
        >>> from gradatim.radiomics.aggregation import ZONES_VOLUME
        >>> [(n, s)] = tone_differences(torch.tensor([1, 1, 3]).view(1, 1, 3), ZONES_VOLUME, n_levels=3)
        >>> n.tolist(), s.tolist()
        ([[2, 0, 1]], [[1.0, 0.0, 2.0]])
    """
    count = _differences if levels.device.type == "cpu" else differences_twin
    # The features compare each level with each other one, so a slice's matrix is as good as n_levels² entries.
    for part in batches(levels, aggregation, entries=n_levels * max(n_levels, BOX), at_most=MAX_ENTRIES):
        counts, sums = count(part, aggregation, n_levels)
        met = counts.sum(1) > 0
        if bool(met.any()):
            # What is summed over voxels with w neighbours is w times the difference; place 0 is empty.
            weights = torch.arange(BOX, dtype=torch.float64, device=levels.device).clamp(min=1)
            yield counts[met], (sums[met] / weights).sum(-1)


def dependences(levels: Tensor, aggregation: Aggregation, *, n_levels: int) -> Iterator[Tensor]:
    """How many voxels of each grey level share it with j − 1 of their neighbours.

    Neighbours are the region's voxels at Chebyshev distance 1; the coarseness parameter α is 0. Source: IBSI
    reference manual, arXiv:1612.07003, "Neighbouring grey level dependence based features".

    Args:
        levels: (x, y, z), int64, 1 … n_levels, 0 outside the region.
        aggregation: neighbours in the plane or in space, and whether each slice has its own matrix.
        n_levels: rows of a matrix.

    Yields:
        Counts (batch, n_levels, 27), int64, of dependences j = 1 … 27; matrices without a voxel are left out.

    Example:
        >>> from gradatim.radiomics.aggregation import ZONES_VOLUME
        >>> [counts] = dependences(torch.tensor([1, 1, 3]).view(1, 1, 3), ZONES_VOLUME, n_levels=3)
        >>> counts[0, :, :2].tolist()
        [[0, 2], [0, 0], [1, 0]]
    """
    count = _dependences if levels.device.type == "cpu" else dependences_twin
    for part in batches(levels, aggregation, entries=n_levels * BOX, at_most=MAX_ENTRIES):
        counts = count(part, aggregation, n_levels)
        met = counts.sum((1, 2)) > 0
        if bool(met.any()):
            yield counts[met]


def _reach(aggregation: Aggregation) -> int:
    return max(z for _, _, z in aggregation.directions)


def _groups(levels: Tensor, aggregation: Aggregation) -> int:
    return levels.shape[2] if aggregation.per_slice else 1


def _differences(levels: Tensor, aggregation: Aggregation, n_levels: int) -> tuple[Tensor, Tensor]:
    counts = np.zeros((_groups(levels, aggregation), n_levels), np.int64)
    sums = np.zeros((*counts.shape, BOX), np.int64)
    add_tone_differences(padded(levels), _reach(aggregation), int(aggregation.per_slice), counts, sums)
    return torch.from_numpy(counts), torch.from_numpy(sums)


def _dependences(levels: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    counts = np.zeros((_groups(levels, aggregation), n_levels, BOX), np.int64)
    add_dependences(padded(levels), _reach(aggregation), int(aggregation.per_slice), counts)
    return torch.from_numpy(counts)


def differences_twin(levels: Tensor, aggregation: Aggregation, n_levels: int) -> tuple[Tensor, Tensor]:
    """Counts (g, n_levels) and sums (g, n_levels, 27) of |level·w − Σ|, by the w neighbours; int64, on any device."""
    neighbours = torch.zeros_like(levels)
    total = torch.zeros_like(levels)
    for other in _around(levels, aggregation):
        neighbours += other > 0
        total += other
    size = _groups(levels, aggregation) * n_levels
    place = _rows(levels, aggregation, n_levels) * BOX + neighbours
    use = (levels > 0) & (neighbours > 0)
    sums = levels.new_zeros(size * BOX).index_add(0, place[use], (levels * neighbours - total).abs()[use])
    counts = torch.bincount(place[use], minlength=size * BOX).view(-1, n_levels, BOX).sum(-1)
    return counts, sums.view(-1, n_levels, BOX)


def dependences_twin(levels: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    """Counts (g, n_levels, 27), int64, on any device."""
    alike = torch.zeros_like(levels)
    for other in _around(levels, aggregation):
        alike += other == levels
    place = (_rows(levels, aggregation, n_levels) * BOX + alike)[levels > 0]
    size = _groups(levels, aggregation) * n_levels * BOX
    return torch.bincount(place, minlength=size).view(-1, n_levels, BOX)


def _around(levels: Tensor, aggregation: Aggregation) -> Iterator[Tensor]:
    """The levels at each of the 8 or 26 neighbours, 0 outside the volume."""
    reach = _reach(aggregation)
    wide = torch.nn.functional.pad(levels, (1,) * 6)
    x, y, z = levels.shape
    for i, j, k in itertools.product((0, 1, 2), (0, 1, 2), range(1 - reach, 2 + reach)):
        if (i, j, k) != (1, 1, 1):
            yield wide[i : i + x, j : j + y, k : k + z]


def _rows(levels: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    """Each voxel's row in the tables of all groups, one below the other."""
    group = torch.arange(levels.shape[2], device=levels.device) * int(aggregation.per_slice)
    return levels - 1 + group * n_levels
