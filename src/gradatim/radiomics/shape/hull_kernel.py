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
    x, y, z = corners
    for n in range(len(axes)):
        a, b, c = axes[n]
        low, high = 1e150, -1e150
        for v in range(len(x)):
            along = x[v] * a + y[v] * b + z[v] * c
            low = min(low, along)
            high = max(high, along)
        extents[n] = high - low
    return extents


@njit(cache=True, nogil=True, fastmath=NO_NAN)
def smallest_box(solid, axes, heights, flattest, best):  # pragma: no cover - compiled
    """Rows (side, direction) of the smallest box with a face across one of the axes (a, 3), if smaller than ``best``.

    ``solid``: corners (3, v), faces, neighbours (f, 3) and normals (3, f) of the hull. No outline has a smaller area
    than ``flattest``; axes come with growing heights of the hull, so that the search can end. Across an axis the
    smallest rectangle lies on an edge of the outline.
    """
    corners, faces, neighbours, normals = solid
    box = np.zeros((3, 4))
    up = np.empty(len(faces), np.bool_)
    points, edges = np.empty((2, len(faces))), np.empty((2, len(faces)))
    for n in range(len(axes)):
        if heights[n] * flattest >= best:
            break
        axis = axes[n]
        p = np.zeros(3)
        p[np.argmin(np.abs(axis))] = 1.0
        p = np.cross(p, axis)
        p /= np.sqrt((p * p).sum())
        q = np.cross(axis, p)
        for f in range(len(faces)):
            up[f] = normals[0, f] * axis[0] + normals[1, f] * axis[1] + normals[2, f] * axis[2] > 1e-12
        k = 0
        shadow = 0.0
        for f in range(len(faces)):
            if up[f]:
                for side in range(3):
                    if not up[neighbours[f, side]]:
                        a, b = corners[:, faces[f, (side + 1) % 3]], corners[:, faces[f, (side + 2) % 3]]
                        u, v = a[0] * p[0] + a[1] * p[1] + a[2] * p[2], a[0] * q[0] + a[1] * q[1] + a[2] * q[2]
                        du = b[0] * p[0] + b[1] * p[1] + b[2] * p[2] - u
                        dv = b[0] * q[0] + b[1] * q[1] + b[2] * q[2] - v
                        points[0, k], points[1, k], edges[0, k], edges[1, k] = u, v, du, dv
                        shadow += (u * dv - v * du) / 2
                        k += 1
        if heights[n] * shadow >= best:
            continue
        first, second, c, s = _smallest_rectangle(points[:, :k], edges[:, :k])
        if first * second * heights[n] < best:
            best = first * second * heights[n]
            box[0, 0], box[1, 0], box[2, 0] = heights[n], first, second
            box[0, 1:] = axis
            box[1, 1:] = c * p + s * q
            box[2, 1:] = c * q - s * p
    return box


@njit(cache=True, nogil=True, fastmath=NO_NAN)
def _smallest_rectangle(points, edges):  # pragma: no cover - compiled
    """Sides and direction of the smallest rectangle around points (2, k) that lies on one of the edges (2, k)."""
    first, second, cosine, sine = 1e75, 1e75, 1.0, 0.0
    u, v = points
    for e in range(edges.shape[1]):
        length = np.sqrt(edges[0, e] ** 2 + edges[1, e] ** 2)
        if length == 0.0:
            continue
        c, s = edges[0, e] / length, edges[1, e] / length
        low, high, left, right = 1e75, -1e75, 1e75, -1e75
        for p in range(len(u)):
            along = c * u[p] + s * v[p]
            across = c * v[p] - s * u[p]
            left = min(left, along)
            right = max(right, along)
            low = min(low, across)
            high = max(high, across)
        if (right - left) * (high - low) < first * second:
            first, second, cosine, sine = right - left, high - low, c, s
    return first, second, cosine, sine
