"""Counting the cells of a mask in one pass over the memory: a compiled kernel for the CPU.

A cell is the cube between eight neighbouring voxel centres; its code has bit 2i + j + 4k where the voxel at corner
(i, j, k) is in the mask. The torch twin is :func:`gradatim.radiomics.shape.cells.cell_codes`.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_cells(mask):  # pragma: no cover - compiled
    """How often each code occurs in each layer of cells, (x + 1, 256), for a mask (x, y, z) with nothing around it."""
    nx, ny, nz = mask.shape
    counts = np.zeros((nx + 1, 256), np.int64)
    nothing = np.zeros(nz, np.bool_)
    for x in range(nx + 1):
        layer = counts[x]
        for y in range(ny + 1):
            a = mask[x - 1, y - 1] if x > 0 and y > 0 else nothing
            b = mask[x - 1, y] if x > 0 and y < ny else nothing
            c = mask[x, y - 1] if x < nx and y > 0 else nothing
            d = mask[x, y] if x < nx and y < ny else nothing
            below = 0
            for z in range(nz):
                above = int(a[z]) | int(b[z]) << 1 | int(c[z]) << 2 | int(d[z]) << 3
                layer[below | above << 4] += 1
                below = above
            layer[below] += 1
    return counts
