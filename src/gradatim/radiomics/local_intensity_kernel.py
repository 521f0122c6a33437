"""Sums over a sphere around every voxel of a box, in one pass: a compiled kernel for the CPU.

A sphere is a stack of discs along x, a disc a row along z of bars along y. Bars of every length, then discs of every
size are added up once for a row of voxels, and given to all the spheres that have them. So a voxel costs about a
hundred additions where its sphere has a thousand voxels, and nothing is ever taken away. The torch twin, for other
devices and for gradients, is :func:`gradatim.radiomics.local_intensity.sphere_sums`.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _fill_bars(plane, y, bars):  # pragma: no cover - compiled
    """The sums along y, bars (s + 1, z), over the 2·length + 1 voxels around row ``y`` of a plane."""
    bars[0] = plane[y]
    for length in range(1, bars.shape[0]):
        before, behind = plane[y - length], plane[y + length]
        shorter, bar = bars[length - 1], bars[length]
        for z in range(bar.size):
            bar[z] = shorter[z] + (before[z] + behind[z])


@njit(cache=True, nogil=True)
def _fill_disc(bars, half, disc):  # pragma: no cover - compiled
    """The sums over a disc whose bars have the lengths ``half`` (t + 1), from its centre along z."""
    reach, size = half.size - 1, disc.size
    disc[:] = bars[half[0], reach : reach + size]
    for step in range(1, reach + 1):
        if half[step] < 0:
            break
        low = bars[half[step], reach - step : reach - step + size]
        high = bars[half[step], reach + step : reach + step + size]
        for z in range(size):
            disc[z] += low[z] + high[z]


@njit(cache=True, nogil=True)
def add_sphere_sums(volume, half, sums):  # pragma: no cover - compiled
    """Add to sums (x, y, z) what lies in the sphere around each voxel.

    ``volume`` (x + 2·r, y + 2·s, z + 2·t) has a margin of the sphere's reach on every side. ``half`` (r + 1, t + 1)
    is how far a bar reaches along y, s at most, at a distance along x and z from the centre; −1 where there is none.
    """
    reach = half.shape[0] - 1
    size_x, size_y, size_z = sums.shape
    reach_y = (volume.shape[1] - size_y) // 2
    bars = np.empty((reach_y + 1, volume.shape[2]))
    disc = np.empty(size_z)
    for x in range(volume.shape[0]):
        for y in range(size_y):
            _fill_bars(volume[x], y + reach_y, bars)
            for far in range(reach + 1):
                _fill_disc(bars, half[far], disc)
                for centre in (x - reach - far, x - reach + far):
                    if 0 <= centre < size_x:
                        row = sums[centre, y]
                        for z in range(size_z):
                            row[z] += disc[z]
                    if far == 0:
                        break
