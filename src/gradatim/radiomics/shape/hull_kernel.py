"""Searches over the corners of a convex hull: compiled kernels for the CPU, float64.

Their oracles are searches over all pairs and over random directions, and bodies whose answer is known.
"""

import numpy as np
from numba import njit

NO_NAN = {"nnan", "nsz", "reassoc", "contract"}
"""What the compiler may assume where all is finite, so that it can take several numbers at a time."""


@njit(cache=True, nogil=True)
def farthest(corners):  # pragma: no cover - compiled
    """Largest distance between two of the corners (v, 3)."""
    largest = 0.0
    for i in range(len(corners)):
        x, y, z = corners[i]
        for j in range(i):
            a, b, c = x - corners[j, 0], y - corners[j, 1], z - corners[j, 2]
            largest = max(largest, a * a + b * b + c * c)
    return np.sqrt(largest)


@njit(cache=True, nogil=True, fastmath=NO_NAN)
def widths(corners, axes):  # pragma: no cover - compiled
    """Extent of the corners (3, v) along each of the axes (a, 3)."""
    extents = np.empty(len(axes))
    for n in range(len(axes)):
        a, b, c = axes[n, 0], axes[n, 1], axes[n, 2]
        low, high = 1e150, -1e150
        for v in range(corners.shape[1]):
            along = corners[0, v] * a + corners[1, v] * b + corners[2, v] * c
            low = min(low, along)
            high = max(high, along)
        extents[n] = high - low
    return extents


@njit(cache=True, nogil=True, fastmath=NO_NAN)
def smallest_box(corners, links, normals, frames, heights, flattest, best):  # pragma: no cover - compiled
    """Which frame and which edge of its outline give the smallest box below ``best``: (frame, cosine, sine, sides).

    ``corners`` (3, v), ``normals`` (3, f) and ``links`` (6, f) of the hull: corners of each face, and faces opposite
    to them. A frame (a, 3, 3) is the axis that a face of the box lies across, and two more. No outline is smaller than
    ``flattest``, and frames come with growing heights of the hull, so that the search can end; −1 if none is better.
    """
    found = np.array([-1.0, 1.0, 0.0, 0.0, 0.0])
    up = np.empty(normals.shape[1], np.bool_)
    points = np.empty((4, normals.shape[1]))  # where an edge of the outline begins, and where it leads
    for n in range(len(frames)):
        if heights[n] * flattest >= best:
            break
        for f in range(normals.shape[1]):
            slope = normals[0, f] * frames[n, 0, 0] + normals[1, f] * frames[n, 0, 1] + normals[2, f] * frames[n, 0, 2]
            up[f] = slope > 1e-12
        k = 0
        shadow = 0.0
        for f in range(normals.shape[1]):
            if up[f]:
                for side in range(3):
                    if not up[links[3 + side, f]]:
                        a, b = links[(side + 1) % 3, f], links[(side + 2) % 3, f]
                        for i in range(2):
                            points[i, k], points[2 + i, k] = 0.0, 0.0
                            for axis in range(3):
                                points[i, k] += corners[axis, a] * frames[n, 1 + i, axis]
                                points[2 + i, k] += (corners[axis, b] - corners[axis, a]) * frames[n, 1 + i, axis]
                        shadow += (points[0, k] * points[3, k] - points[1, k] * points[2, k]) / 2
                        k += 1
        if heights[n] * shadow >= best:
            continue
        for e in range(k):
            length = np.sqrt(points[2, e] ** 2 + points[3, e] ** 2)
            if length == 0.0:
                continue
            c, s = points[2, e] / length, points[3, e] / length
            low, high, left, right = 1e75, -1e75, 1e75, -1e75
            for p in range(k):
                along = c * points[0, p] + s * points[1, p]
                across = c * points[1, p] - s * points[0, p]
                left = min(left, along)
                right = max(right, along)
                low = min(low, across)
                high = max(high, across)
            if (right - left) * (high - low) * heights[n] < best:
                best = (right - left) * (high - low) * heights[n]
                found[0], found[1], found[2], found[3], found[4] = n, c, s, right - left, high - low
    return found
