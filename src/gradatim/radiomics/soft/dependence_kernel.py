"""Expected dependences and their derivative, voxel by voxel: compiled for the CPU.

The torch twin, for other devices, is :func:`gradatim.radiomics.soft.dependence.by_recursion`.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_soft_dependences(lower, share, around, row, table):  # pragma: no cover - compiled
    """Add each voxel's weight times the distribution of its alike neighbours to rows ``row`` and ``row + 1``."""
    chance = np.empty(around.shape[1] + 1)
    for voxel in range(lower.size):
        for upper in range(2):
            weight = share[voxel] if upper else 1.0 - share[voxel]
            if weight == 0.0:
                continue
            level = lower[voxel] + upper
            chance[0] = weight
            met = 0
            for neighbour in around[voxel]:
                p = 0.0
                if neighbour >= 0:
                    if lower[neighbour] == level:
                        p = 1.0 - share[neighbour]
                    elif lower[neighbour] + 1 == level:
                        p = share[neighbour]
                if p > 0.0:
                    chance[met + 1] = chance[met] * p
                    for k in range(met, 0, -1):
                        chance[k] = chance[k] * (1.0 - p) + chance[k - 1] * p
                    chance[0] *= 1.0 - p
                    met += 1
            for k in range(met + 1):
                table[row[voxel] + upper, k] += chance[k]


@njit(cache=True, nogil=True)
def add_share_slopes(lower, share, around, row, slope, found):  # pragma: no cover - compiled
    """Add to ``found`` the derivative in each share of Σ slope·table.

    Before neighbour t, k of those seen are alike with the chance ``chance[t, k]``; what slope is then expected, if k
    are alike after it, is ``worth[t + 1, k]``. The derivative in the neighbour's probability is the chance times the
    worth of one more.
    """
    most = around.shape[1]
    chance, worth = np.zeros((most + 1, most + 2)), np.zeros((most + 1, most + 2))
    who, sign, odds = np.empty(most, np.int64), np.empty(most), np.empty(most)
    for voxel in range(lower.size):
        for upper in range(2):
            weight = share[voxel] if upper else 1.0 - share[voxel]
            level = lower[voxel] + upper
            met = 0
            for neighbour in around[voxel]:
                if neighbour < 0:
                    continue
                if lower[neighbour] == level:
                    who[met], sign[met], odds[met] = neighbour, -1.0, 1.0 - share[neighbour]
                    met += 1
                elif lower[neighbour] + 1 == level:
                    who[met], sign[met], odds[met] = neighbour, 1.0, share[neighbour]
                    met += 1
            for k in range(met + 1):
                worth[met, k] = slope[row[voxel] + upper, k]
            for t in range(met - 1, -1, -1):
                for k in range(t + 1):
                    worth[t, k] = (1.0 - odds[t]) * worth[t + 1, k] + odds[t] * worth[t + 1, k + 1]
            found[voxel] += worth[0, 0] if upper else -worth[0, 0]
            if weight == 0.0:
                continue
            chance[0, 0] = weight
            for t in range(met):
                gain = 0.0
                chance[t + 1, 0] = 0.0
                for k in range(t + 1):
                    gain += chance[t, k] * (worth[t + 1, k + 1] - worth[t + 1, k])
                    chance[t + 1, k] += chance[t, k] * (1.0 - odds[t])
                    chance[t + 1, k + 1] = chance[t, k] * odds[t]
                found[who[t]] += sign[t] * gain
