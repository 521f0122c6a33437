"""Looking at each voxel and its neighbours, in one pass over the memory: compiled kernels for the CPU.

Levels are uint16 in a volume with one voxel of zeros around it, so that no voxel needs to know where the border
is. Rows run along the third axis, z; a row's neighbours are added up for the whole row at a time, between its
first and last voxel in the region. All counts are integers, so their order does not matter. The torch twins, for
other devices, are in :mod:`gradatim.radiomics.neighbourhoods`.

Slices go to tables 0, 1, ... if ``apart`` is 1, and all to table 0 if it is 0. Neighbours reach ``reach`` slices up
and down, 0 or 1.
"""

import numpy as np
from numba import njit

COUNT = 1 << 16
"""A voxel in the region weighs this beside its level, so that one sum holds both; 27 levels stay below it."""


@njit(cache=True, nogil=True)
def span(row):  # pragma: no cover - compiled
    """From the first voxel of a row in the region to behind the last."""
    low, high = 1, row.size - 1
    while low < high and row[low] == 0:
        low += 1
    while high > low and row[high - 1] == 0:
        high -= 1
    return low, high


@njit(cache=True, nogil=True)
def add_tone_differences(levels, reach, apart, counts, sums):  # pragma: no cover - compiled
    """Counts (g, n) of the voxels with w > 0 neighbours, and sums (g, n, 27) of |i·w − Σ levels around|, by w."""
    columns = np.empty(levels.shape[2], np.int32)
    for x in range(1, levels.shape[0] - 1):
        for y in range(1, levels.shape[1] - 1):
            low, high = span(levels[x, y])
            column = columns[: high - low + 2]
            column[:] = 0
            for dx in range(-1, 2):
                for dy in range(-1, 2):
                    row = levels[x + dx, y + dy, low - 1 : high + 1]
                    for z in range(row.size):
                        column[z] += np.int32(row[z]) + np.int32(COUNT) * np.int32(row[z] > 0)
            for z in range(low, high):
                level = np.int64(levels[x, y, z])
                box = column[z - low + 1]
                if reach > 0:
                    box += column[z - low] + column[z - low + 2]
                neighbours = np.int64(box // COUNT) - 1
                if level > 0 and neighbours > 0:
                    total = np.int64(box % COUNT) - level
                    group = (z - 1) * apart
                    counts[group, level - 1] += 1
                    sums[group, level - 1, neighbours] += abs(level * neighbours - total)


@njit(cache=True, nogil=True)
def add_dependences(levels, reach, apart, counts):  # pragma: no cover - compiled
    """Counts (g, n, 27) of the voxels whose level j of the box around them share, themselves among them, at j − 1."""
    scratch = np.empty(levels.shape[2], np.uint16)
    for x in range(1, levels.shape[0] - 1):
        for y in range(1, levels.shape[1] - 1):
            low, high = span(levels[x, y])
            here = levels[x, y, low:high]
            alike = scratch[: high - low]
            alike[:] = 0
            for dx in range(-1, 2):
                for dy in range(-1, 2):
                    for dz in range(-reach, reach + 1):
                        there = levels[x + dx, y + dy, low + dz : high + dz]
                        for z in range(here.size):
                            alike[z] += np.uint16(here[z] == there[z])
            for z in range(here.size):
                if here[z] > 0:
                    counts[(low + z - 1) * apart, here[z] - 1, alike[z] - 1] += 1
