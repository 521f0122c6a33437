"""Pairs of neighbouring grey levels in many windows: a compiled kernel for the CPU. Its twin is in ``pairs.py``."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_window_pairs(levels, corners, stencil, ways, apart, logs, histograms, sums):  # pragma: no cover - compiled
    """What the features need of each window's matrices, which are filled, read and emptied one after the other.

    levels (x, y, z), int16, with a margin; corners (m, 3), where a window begins; stencil (a, b, c), int16, 1 or 0;
    ways (direction, 3); apart: slices, directions a matrix of their own, 1 or 0; logs: log₂ of 0, 1, 2, …, the first
    not used; histograms (m, matrix, 4·n), int32: counts of a level, of a difference from 0, and of a sum from 2;
    sums (m, matrix, 9): entries, largest, Σ c², Σ i·j·c, the window's highest level, and Σ c·log₂(entries/c) of the
    entries, levels, differences and sums. Only pairs with i ≤ j are kept; off the diagonal each stands for two entries.
    """
    n = histograms.shape[2] // 4
    side = n + 1
    along_x, along_y, along_z = stencil.shape
    box = np.zeros((along_x + 2, along_y + 2, along_z + 2), np.int16)
    table = np.zeros(side * side, np.int32)
    met = np.empty(min(side * side, stencil.size * len(ways)), np.int32)
    slices = along_z if apart[0] else 1
    turns = len(ways) if apart[1] else 1
    for w in range(len(corners)):
        highest = 0
        for x in range(along_x):
            for y in range(along_y):
                row = levels[corners[w, 0] + x, corners[w, 1] + y]
                for z in range(along_z):
                    level = row[corners[w, 2] + z] * stencil[x, y, z]
                    box[x + 1, y + 1, z + 1] = level
                    highest = max(highest, level)
        matrix = 0
        for s in range(slices):
            low, high = (s, s + 1) if apart[0] else (0, along_z)
            for t in range(turns):
                first, last = (t, t + 1) if apart[1] else (0, len(ways))
                cells, pairs = 0, 0
                for k in range(first, last):
                    dx, dy, dz = ways[k]
                    for x in range(1, along_x + 1):
                        for y in range(1, along_y + 1):
                            here, there = box[x, y], box[x + dx, y + dy]
                            for z in range(low + 1, high + 1):
                                i, j = here[z], there[z + dz]
                                if i == 0 or j == 0:
                                    continue
                                cell = min(i, j) * side + max(i, j)
                                if table[cell] == 0:
                                    met[cells] = cell
                                    cells += 1
                                table[cell] += 1
                                pairs += 1
                histogram, total = histograms[w, matrix], sums[w, matrix]
                total[0], total[4] = 2 * pairs, highest
                for c in range(cells):
                    cell = met[c]
                    i, j, count = cell // side, cell % side, table[cell]
                    table[cell] = 0
                    twice = 2 if i < j else 1
                    entry = count * (3 - twice)
                    histogram[i - 1] += count
                    histogram[j - 1] += count
                    histogram[n + j - i] += 2 * count
                    histogram[2 * n + i + j - 2] += 2 * count
                    total[1] = max(total[1], entry)
                    total[2] += twice * float(entry) ** 2
                    total[3] += 2.0 * count * i * j
                    total[5] += twice * entry * (logs[2 * pairs] - logs[entry])
                for place in range(4 * n):
                    count = histogram[place]
                    if count > 0:
                        total[6 + min(place // n, 2)] += count * (logs[2 * pairs] - logs[count])
                matrix += 1
