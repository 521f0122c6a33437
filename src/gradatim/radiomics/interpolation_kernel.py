"""The cubic spline along one axis: a compiled kernel for the CPU.

The torch twin, for other devices and for gradients, is in :mod:`gradatim.radiomics.interpolation`. It is a product of
matrices, whose last digit depends on the number of threads; here every line is filtered by itself, in float64.
"""

import math

import numpy as np
from numba import njit

POLE = math.sqrt(3) - 2
"""Of the filter from samples to the splines' coefficients."""

HORIZON = 40
"""So many voxels away, a power of the pole is less than the rounding of float64."""

LINES = 64
"""Neighbouring lines that are filtered together, so that they stay in the cache."""


@njit(cache=True, nogil=True)
def add_spline(values, index, weights, found):  # pragma: no cover - compiled
    """Write the spline through values (b, n, a), n ≥ 2, at m places into found (b, m, a).

    Place i takes the coefficients index (m, 4) with weights (m, 4). Samples are mirrored at the first and last voxel.
    """
    n = values.shape[1]
    period = 2 * n - 2
    lines = np.empty((n, LINES))
    row = np.empty(LINES)
    for b in range(values.shape[0]):
        for start in range(0, values.shape[2], LINES):
            width = min(LINES, values.shape[2] - start)
            row[:] = 0.0
            power = 1.0
            for step in range(min(HORIZON, period)):
                k = min(step, period - step)
                for a in range(width):
                    row[a] += power * values[b, k, start + a]
                power *= POLE
            for a in range(width):
                lines[0, a] = row[a] / (1 - POLE**period)
            for k in range(1, n):
                for a in range(width):
                    lines[k, a] = values[b, k, start + a] + POLE * lines[k - 1, a]
            for a in range(width):
                lines[n - 1, a] = (lines[n - 1, a] + POLE * lines[n - 2, a]) * (POLE / (POLE * POLE - 1))
            for k in range(n - 2, -1, -1):
                for a in range(width):
                    lines[k, a] = (lines[k + 1, a] - lines[k, a]) * POLE
            for place in range(index.shape[0]):
                row[:] = 0.0
                for tap in range(4):
                    weight, k = 6 * weights[place, tap], index[place, tap]
                    for a in range(width):
                        row[a] += weight * lines[k, a]
                for a in range(width):
                    found[b, place, start + a] = row[a]
