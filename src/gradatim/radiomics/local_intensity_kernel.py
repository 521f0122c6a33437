"""Sums over a sphere around every voxel of a region, in one pass: a compiled kernel for the CPU.

The torch twin, for other devices and for gradients, is :func:`gradatim.radiomics.local_intensity.sphere_sums`.
"""

from numba import njit


@njit(cache=True, nogil=True)
def add_sphere_sums(running, centres, columns, sums):  # pragma: no cover - compiled
    """Add to sums (x, y, z) at the centres (x, y, z), bool, what lies in the sphere.

    ``running`` are running sums along z of the volume, which has a margin of the sphere's reach on every side; a
    sphere is columns (c, 4): first voxel along x and y, first and behind the last along z, from the margin's corner.
    """
    for x in range(centres.shape[0]):
        for y in range(centres.shape[1]):
            low, high = 0, centres.shape[2]
            while low < high and not centres[x, y, low]:
                low += 1
            while high > low and not centres[x, y, high - 1]:
                high -= 1
            here = sums[x, y, low:high]
            for c in range(columns.shape[0]):
                row = running[x + columns[c, 0], y + columns[c, 1]]
                before = row[low + columns[c, 2] : high + columns[c, 2]]
                behind = row[low + columns[c, 3] : high + columns[c, 3]]
                for z in range(here.size):
                    here[z] += behind[z] - before[z]
