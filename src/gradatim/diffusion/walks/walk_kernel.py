"""Steps of walkers between reflecting walls, one walker after the other: compiled for the CPU."""

import numpy as np
from numba import njit

LEGS = 64
"""Reflections in one step after which a walker waits at the wall for the next."""


@njit(cache=True, nogil=True)
def add_phase(phases, old, new, near, far, step):  # pragma: no cover - compiled
    """What one step from old to new adds to one walker's phases."""
    for w in range(phases.size):
        for axis in range(3):
            phases[w] += near[w, step, axis] * old[axis] + far[w, step, axis] * new[axis]


@njit(cache=True, nogil=True)
def walk_free(path, increments, near, far, phases):  # pragma: no cover - compiled
    """Steps without walls: path (n, 3) and phases (n, waveforms) in place."""
    old, new = np.empty(3), np.empty(3)
    for i in range(path.shape[0]):
        for axis in range(3):
            new[axis] = path[i, axis]
        for step in range(increments.shape[1]):
            for axis in range(3):
                old[axis] = new[axis]
                new[axis] += increments[i, step, axis]
            add_phase(phases[i], old, new, near, far, step)
        for axis in range(3):
            path[i, axis] = new[axis]


@njit(cache=True, nogil=True)
def walk_closed(path, radii, axes, increments, near, far, phases):  # pragma: no cover - compiled
    """Steps inside |x| ≤ radius over the first axes, reflected there as light is."""
    old, new, rest = np.empty(3), np.empty(3), np.empty(3)
    for i in range(path.shape[0]):
        square = radii[i] * radii[i]
        for axis in range(3):
            new[axis] = path[i, axis]
        for step in range(increments.shape[1]):
            for axis in range(3):
                old[axis] = new[axis]
                rest[axis] = increments[i, step, axis]
            for axis in range(axes, 3):
                new[axis] += rest[axis]
            for _ in range(LEGS):
                a, b, c, end = 0.0, 0.0, -square, 0.0
                for axis in range(axes):
                    a += rest[axis] * rest[axis]
                    b += new[axis] * rest[axis]
                    c += new[axis] * new[axis]
                    end += (new[axis] + rest[axis]) ** 2
                if end <= square:
                    for axis in range(axes):
                        new[axis] += rest[axis]
                    break
                share = min(max((-b + np.sqrt(max(b * b - a * c, 0.0))) / a, 0.0), 1.0)
                inward, size = 0.0, 0.0
                for axis in range(axes):
                    new[axis] += share * rest[axis]
                    rest[axis] *= 1.0 - share
                    inward += rest[axis] * new[axis]
                    size += new[axis] * new[axis]
                shrink = min(1.0, radii[i] / np.sqrt(size))
                for axis in range(axes):
                    rest[axis] -= 2.0 * inward / size * new[axis]
                    new[axis] *= shrink
            add_phase(phases[i], old, new, near, far, step)
        for axis in range(3):
            path[i, axis] = new[axis]


@njit(cache=True, nogil=True)
def first_grain(place, rest, grains, low, high):  # pragma: no cover - compiled
    """The grain that a leg meets first, and at which share of it; −1 if it meets none. low and high are scratch."""
    axes, _, balls, starts, members, shape, corner, cell = grains
    a = 0.0
    for axis in range(axes):
        a += rest[axis] * rest[axis]
        one = int((place[axis] - corner) / cell[axis])
        two = int((place[axis] + rest[axis] - corner) / cell[axis])
        low[axis] = min(max(min(one, two), 0), shape[axis] - 1)
        high[axis] = min(max(max(one, two), 0), shape[axis] - 1)
    best, share = -1, 1.0
    for ix in range(low[0], high[0] + 1):
        for iy in range(low[1], high[1] + 1):
            for iz in range(low[2], high[2] + 1):
                index = (ix * shape[1] + iy) * shape[2] + iz
                for member in range(starts[index], starts[index + 1]):
                    ball = members[member]
                    b, c = 0.0, -balls[ball, 3] * balls[ball, 3]
                    for axis in range(axes):
                        away = place[axis] - balls[ball, axis]
                        b += away * rest[axis]
                        c += away * away
                    inside = b * b - a * c
                    if b < 0.0 and inside > 0.0:
                        meets = max((-b - np.sqrt(inside)) / a, 0.0)
                        if meets < share:
                            best, share = ball, meets
    return best, share


@njit(cache=True, nogil=True)
def walk_grains(local, path, grains, increments, near, far, phases):  # pragma: no cover - compiled
    """Steps outside of the grains of a periodic box; local (n, 3) lies in the box, path goes on."""
    axes, box, balls = grains[:3]
    low, high = np.zeros(3, np.int64), np.zeros(3, np.int64)
    old, new, rest = np.empty(3), np.empty(3), np.empty(3)
    for i in range(path.shape[0]):
        for axis in range(3):
            new[axis] = path[i, axis]
        for step in range(increments.shape[1]):
            for axis in range(3):
                old[axis] = new[axis]
                rest[axis] = increments[i, step, axis]
            for _ in range(LEGS):
                ball, share = first_grain(local[i], rest, grains, low, high)
                for axis in range(3):
                    new[axis] += share * rest[axis]
                    local[i, axis] += share * rest[axis]
                if ball < 0:
                    break
                inward, size = 0.0, 0.0
                for axis in range(3):
                    rest[axis] *= 1.0 - share
                for axis in range(axes):
                    away = local[i, axis] - balls[ball, axis]
                    inward += rest[axis] * away
                    size += away * away
                for axis in range(axes):
                    rest[axis] -= 2.0 * inward / size * (local[i, axis] - balls[ball, axis])
            for axis in range(3):
                local[i, axis] -= box[axis] * np.floor(local[i, axis] / box[axis])
            add_phase(phases[i], old, new, near, far, step)
        for axis in range(3):
            path[i, axis] = new[axis]


@njit(cache=True, nogil=True)
def walk_voxels(place, path, open_, spacing, increments, near, far, phases):  # pragma: no cover - compiled
    """Steps through the open voxels of a periodic image, reflected at faces; inside (n, 3) is the place in a voxel."""
    voxel, inside = place
    old, new, rest = np.empty(3), np.empty(3), np.empty(3)
    at = np.empty(3, np.int64)
    for i in range(path.shape[0]):
        for axis in range(3):
            new[axis] = path[i, axis]
        for step in range(increments.shape[1]):
            for axis in range(3):
                old[axis] = new[axis]
                rest[axis] = increments[i, step, axis] / spacing[axis]
            for _ in range(LEGS):
                face, share = -1, 1.0
                for axis in range(3):
                    if rest[axis] > 0.0 and (1.0 - inside[i, axis]) < share * rest[axis]:
                        face, share = axis, (1.0 - inside[i, axis]) / rest[axis]
                    elif rest[axis] < 0.0 and inside[i, axis] < -share * rest[axis]:
                        face, share = axis, -inside[i, axis] / rest[axis]
                for axis in range(3):
                    inside[i, axis] += share * rest[axis]
                    new[axis] += share * rest[axis] * spacing[axis]
                    rest[axis] *= 1.0 - share
                    at[axis] = voxel[i, axis]
                if face < 0:
                    break
                up = rest[face] > 0.0
                inside[i, face] = 1.0 if up else 0.0
                at[face] = (at[face] + (1 if up else -1)) % open_.shape[face]
                if open_[at[0], at[1], at[2]]:
                    voxel[i, face] = at[face]
                    inside[i, face] = 0.0 if up else 1.0
                else:
                    rest[face] = -rest[face]
            add_phase(phases[i], old, new, near, far, step)
        for axis in range(3):
            path[i, axis] = new[axis]
