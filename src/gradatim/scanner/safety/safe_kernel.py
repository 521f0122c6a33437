"""The SAFE filters as a recursion, one sample after the other: compiled for the CPU, nine numbers of memory."""

import numpy as np
from numba import njit

SILENT = 1e-200
"""What is smaller has died away; below it processors grow slow."""


@njit(cache=True, nogil=True)
def advance(slew, state, rates, weights):  # pragma: no cover - compiled
    """One step of the three filters of one axis, in place; its stimulation."""
    state[0] += rates[0] * (slew - state[0])
    state[1] += rates[1] * (abs(slew) - state[1])
    state[2] += rates[2] * (slew - state[2])
    for i in range(3):
        if abs(state[i]) < SILENT:
            state[i] = 0.0
    return weights[0] * abs(state[0]) + weights[1] * state[1] + weights[2] * abs(state[2])


@njit(cache=True, nogil=True)
def stimulate(gradients, step, rates, weights):  # pragma: no cover - compiled
    """Stimulation of samples (n, 3), each axis, (n, 3)."""
    count = gradients.shape[0]
    found = np.empty((count, 3))
    for axis in range(3):
        state, before = np.zeros(3), 0.0
        for i in range(count):
            slew = (gradients[i, axis] - before) / step
            before = gradients[i, axis]
            found[i, axis] = advance(slew, state, rates[axis], weights[axis])
    return found


@njit(cache=True, nogil=True)
def peak_of_pieces(edges, left, right, step, rates, weights):  # pragma: no cover - compiled
    """The strongest total of a piecewise linear waveform, each axis's strongest, and the total's sample.

    Samples lie at (i + ½)·step from the first edge; one more, after the end, is 0. Nothing is kept but the filters.
    """
    count = int(np.ceil((edges[-1] - edges[0]) / step - 1e-6)) + 1
    state, before, now = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
    best, where, strongest = 0.0, 0, np.zeros(3)
    piece, last = 0, edges.size - 2
    for i in range(count):
        time = edges[0] + (i + 0.5) * step
        while piece < last and time >= edges[piece + 1]:
            piece += 1
        share = (time - edges[piece]) / (edges[piece + 1] - edges[piece])
        total = 0.0
        for axis in range(3):
            if time >= edges[last + 1]:
                now[axis] = 0.0
            else:
                now[axis] = left[piece, axis] * (1 - share) + right[piece, axis] * share
            value = advance((now[axis] - before[axis]) / step, state[axis], rates[axis], weights[axis])
            before[axis] = now[axis]
            strongest[axis] = max(strongest[axis], value)
            total += value * value
        if total > best:
            best, where = total, i
    return np.sqrt(best), strongest, where
