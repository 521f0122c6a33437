"""The columns of a mask along its last axis: their ends and moments, and which mesh corners the convex hull can have.

Compiled for the CPU only, in whole numbers. Its oracles are the moments by definition and the hull of the whole mesh.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def ends_and_sums(mask):  # pragma: no cover - compiled
    """First and last voxel of every column (2, x, y), −1 where empty, and Σ of 1, x, y, z, xx, xy, xz, yy, yz, zz."""
    nx, ny, nz = mask.shape
    ends = np.full((2, nx, ny), -1, np.int64)
    sums = np.zeros(10, np.int64)
    for x in range(nx):
        for y in range(ny):
            column = mask[x, y]
            n, s, t = 0, 0, 0
            for z in range(nz):
                inside = int(column[z])
                n += inside
                s += inside * z
                t += inside * z * z
            if n == 0:
                continue
            first, last = 0, nz - 1
            while not column[first]:
                first += 1
            while not column[last]:
                last -= 1
            ends[0, x, y] = first
            ends[1, x, y] = last
            sums[0] += n
            sums[1] += n * x
            sums[2] += n * y
            sums[3] += s
            sums[4] += n * x * x
            sums[5] += n * x * y
            sums[6] += s * x
            sums[7] += n * y * y
            sums[8] += s * y
            sums[9] += t
    return ends, sums


@njit(cache=True, nogil=True)
def mesh_ends(ends):  # pragma: no cover - compiled
    """Ends of the mesh's columns (2, 2x + 1, 2y + 1) in half voxels, 2z + 1 being a voxel's centre; −1 where empty."""
    _, nx, ny = ends.shape
    mesh = np.full((2, 2 * nx + 1, 2 * ny + 1), -1, np.int64)
    for x in range(nx):
        for y in range(ny):
            low, high = 2 * ends[0, x, y] + 1, 2 * ends[1, x, y] + 1
            if low < 0:
                continue
            mesh[0, 2 * x + 1, 2 * y + 1] = low - 1
            mesh[1, 2 * x + 1, 2 * y + 1] = high + 1
            for dx, dy in ((0, 1), (2, 1), (1, 0), (1, 2)):
                a, b = 2 * x + dx, 2 * y + dy
                if mesh[0, a, b] < 0 or mesh[0, a, b] > low:
                    mesh[0, a, b] = low
                mesh[1, a, b] = max(mesh[1, a, b], high)
    return mesh


@njit(cache=True, nogil=True)
def extreme(ends):  # pragma: no cover - compiled
    """Whether an end (2, x, y) is a corner of the convex hull of its slice along the first axis, bool."""
    _, nx, ny = ends.shape
    keep = np.zeros(ends.shape, np.bool_)
    chain = np.empty(ny, np.int64)
    for side in range(2):
        turn = 1 - 2 * side  # the lower chain turns left, the upper one right
        for x in range(nx):
            line = ends[side, x]
            n = 0
            for y in range(ny):
                if line[y] < 0:
                    continue
                while n > 1:
                    p, q = chain[n - 2], chain[n - 1]
                    if turn * ((q - p) * (line[y] - line[p]) - (y - p) * (line[q] - line[p])) > 0:
                        break
                    n -= 1
                chain[n] = y
                n += 1
            for corner in chain[:n]:
                keep[side, x, corner] = True
    return keep
