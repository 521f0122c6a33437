"""Counting runs of one grey level: a compiled kernel for the CPU. Its torch twin is in ``runs.py``."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def run_counts(levels, columns, steps, n_levels, longest):  # pragma: no cover - compiled
    """How many runs have a level and a length: column, direction, level − 1 and length − 1 in one row, int32.

    levels (place,), int16, with a margin, 0 where there is none; steps (direction,) in places. Every voxel is the
    1st, 2nd, … of its run, one more than its predecessor where that has the same level. As many voxels are the r-th
    as runs have at least r, so differences give the runs of exactly r, and no branch depends on the image.
    Places are unsigned, since an index that may be negative costs a comparison.
    """
    inside = 0
    for place in range(levels.size):
        inside += levels[place] > 0
    places = np.empty(inside, np.uint32)
    cells = np.empty(inside, np.uint32)
    one_column, n, column = steps.size * n_levels * longest, 0, 0
    for place in range(levels.size):
        if levels[place] > 0:
            places[n] = place
            cells[n] = column * one_column + (levels[place] - 1) * longest
            n += 1
        column = column + 1 if column + 1 < columns else 0
    counts = np.zeros(columns * one_column, np.int32)
    position = np.zeros(levels.size, np.uint16)
    for k in range(steps.size):
        step = np.uint64(steps[k])
        table = counts[k * n_levels * longest :]
        for n in range(inside):
            here = np.uint64(places[n])
            before = here - step
            reached = np.uint64(position[before]) * np.uint64(levels[before] == levels[here])
            position[here] = reached + np.uint64(1)
            table[np.uint64(cells[n]) + reached] += 1
    for start in range(0, counts.size, longest):
        for cell in range(start, start + longest - 1):
            counts[cell] -= counts[cell + 1]
    return counts
