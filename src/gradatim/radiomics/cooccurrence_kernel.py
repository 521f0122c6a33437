"""Counting neighbouring grey levels in one pass over the volume: a compiled kernel for the CPU.

The torch twin, for other devices, is :func:`gradatim.radiomics.cooccurrence.pair_counts`.
"""

from numba import njit

from gradatim.radiomics.neighbourhoods_kernel import span


@njit(cache=True, nogil=True)
def add_pairs(levels, offsets, slots, apart, tables):  # pragma: no cover - compiled
    """Add one for each voxel and direction to the place of the voxel's level and its neighbour's.

    Levels are uint16 in a volume with one voxel of zeros around it, offsets (m, 3); direction m adds to tables
    (g, slots[m]), each (n + 1, n + 1) with row and column 0 for what lies outside. Planes along the first axis go to
    g = 0, 1, ... if ``apart`` is 1, and all to 0 if it is 0.
    """
    for x in range(1, levels.shape[0] - 1):
        for y in range(1, levels.shape[1] - 1):
            low, high = span(levels[x, y])
            here = levels[x, y, low:high]
            for m in range(slots.size):
                step = offsets[m, 2]
                there = levels[x + offsets[m, 0], y + offsets[m, 1], low + step : high + step]
                table = tables[(x - 1) * apart, slots[m]]
                for z in range(here.size):
                    table[here[z], there[z]] += 1
