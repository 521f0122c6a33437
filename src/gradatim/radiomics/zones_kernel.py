"""Zones of one grey level and the way to the region's border: compiled kernels for the CPU.

Their torch twins are in ``zones.py``. Arrays are (place,) with a margin of zeros, steps (direction,) in places and
positive. Places are unsigned, since an index that may be negative costs a comparison.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def border_distances(mask, steps):  # pragma: no cover - compiled
    """Steps to the nearest place outside a mask, int32: forwards from the places before, then from those behind."""
    distances = np.zeros(mask.size, np.int32)
    ways = steps.astype(np.uint32)
    end = np.uint32(mask.size)
    for place in range(end):
        if mask[place]:
            nearest = distances[place - ways[0]]
            for k in range(1, ways.size):
                nearest = min(nearest, distances[place - ways[k]])
            distances[place] = nearest + 1
    for passed in range(end):
        here = end - np.uint32(1) - passed
        if mask[here]:
            nearest = distances[here] - 1
            for k in range(ways.size):
                nearest = min(nearest, distances[here + ways[k]])
            distances[here] = nearest + 1
    return distances


@njit(cache=True, nogil=True)
def _root(parent, place):  # pragma: no cover - compiled
    """Where the pointers from a place end; the path is halved on the way."""
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


@njit(cache=True, nogil=True)
def measured_zones(levels, distances, steps, fresh):  # pragma: no cover - compiled
    """First place, size and least distance of every zone, (3, zone), int64, by the order of the first places.

    A place joins the zones of its predecessors; the root of a zone is its first place, so one more pass in the
    same order makes every pointer point to it. steps[0] leads to the place just before: where that has the same
    level, its neighbours are in the zone already, and only the ``fresh`` ones, not next to it, are looked at.
    The least distance of a zone is left in ``distances`` at its root.
    """
    inside = 0
    for place in range(levels.size):
        inside += levels[place] > 0
    places = np.empty(inside, np.uint32)
    n = 0
    for place in range(levels.size):
        if levels[place] > 0:
            places[n] = place
            n += 1
    parent = np.zeros(levels.size, np.uint32)
    all_ways, fresh_ways = steps.astype(np.uint32), fresh.astype(np.uint32)
    for n in range(inside):
        place = places[n]
        level = levels[place]
        root = place
        ways = all_ways
        other = place - all_ways[0]
        if levels[other] == level:
            ways = fresh_ways
            root = _root(parent, other)
        for k in range(ways.size):
            other = place - ways[k]
            if levels[other] != level or parent[other] == root:
                continue
            other = _root(parent, other)
            if other < root:
                parent[root] = other
                root = other
            else:
                parent[other] = root
        parent[place] = root
    size = np.zeros(levels.size, np.int32)
    zones = 0
    for n in range(inside):
        place = places[n]
        root = parent[parent[place]]
        parent[place] = root
        zones += root == place
        size[root] += 1
        distances[root] = min(distances[root], distances[place])
    found = np.empty((3, zones), np.int64)
    zone = 0
    for n in range(inside):
        place = places[n]
        if parent[place] == place:
            found[0, zone] = place
            found[1, zone] = size[place]
            found[2, zone] = distances[place]
            zone += 1
    return found
