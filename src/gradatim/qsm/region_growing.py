"""Region growing from the best edge outwards: the loop that gives each voxel its turn.

CPU only: the order in which voxels are visited depends on the data, so the loop is a numba kernel. Tensors
on another device are copied to the CPU and the answer is copied back.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

TWO_PI = 2.0 * np.pi
LEVELS = 255
"""Priority levels above "no edge"; with 0 that makes the 256 buckets of the ROMEO paper."""


@njit(cache=True)
def _agreed(voxel, phase, region, level, strides):  # pragma: no cover - compiled
    """Phase that the visited neighbours predict for a voxel, each extended by its own slope."""
    total = 0.0
    weight = 0.0
    for axis in range(3):
        for side in (-1, 1):
            step = side * strides[axis]
            edge = voxel if side == 1 else voxel + step
            if edge < 0 or level[axis, edge] == 0 or region[voxel + step] <= 0:
                continue
            near = voxel + step
            guess = phase[near]
            further = near if side == 1 else near + step
            if further >= 0 and level[axis, further] > 0 and region[near + step] > 0:
                guess += phase[near] - phase[near + step]
            total += level[axis, edge] * guess
            weight += level[axis, edge]
    return total / weight


@njit(cache=True)
def _push(voxel, region, level, strides, first, last, following):  # pragma: no cover - compiled
    """Queue the edges from a voxel to neighbours not visited yet; returns the best level queued."""
    best = 0
    size = region.size
    for axis in range(3):
        for side in (-1, 1):
            low = voxel if side == 1 else voxel - strides[axis]
            if low < 0 or level[axis, low] == 0 or region[voxel + side * strides[axis]] != 0:
                continue
            edge = axis * size + low
            if following[edge] != -1:
                continue
            bucket = level[axis, low]
            following[edge] = -2
            if first[bucket] == -1:
                first[bucket] = edge
            else:
                following[last[bucket]] = edge
            last[bucket] = edge
            best = max(best, bucket)
    return best


@njit(cache=True)
def _grow(phase, region, level, strides, seeds, following):  # pragma: no cover - compiled
    """Unwrap ``phase`` in place; ``region`` is 0 to visit, -1 outside, and becomes the region's number.

    ``following`` holds, for each of the 3·size edges, -1 before it is queued, -2 at a bucket's end, else the next.
    """
    size = region.size
    first = np.full(LEVELS + 1, -1, np.int64)
    last = np.full(LEVELS + 1, -1, np.int64)
    count = 0
    for seed in seeds:
        if region[seed] != 0:
            continue
        count += 1
        region[seed] = count
        top = _push(seed, region, level, strides, first, last, following)
        while top > 0:
            edge = first[top]
            if edge == -1:
                top -= 1
                continue
            first[top] = -1 if following[edge] == -2 else following[edge]
            axis = edge // size
            low = edge - axis * size
            voxel = low if region[low] == 0 else low + strides[axis]
            if region[voxel] != 0:
                continue
            guess = _agreed(voxel, phase, region, level, strides)
            phase[voxel] += 2.0 * np.pi * np.round((guess - phase[voxel]) / (2.0 * np.pi))
            region[voxel] = count
            top = max(top, _push(voxel, region, level, strides, first, last, following))
    return count


def grow(phase: Tensor, weights: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Unwrap one phase image in space, best edges first.

    A bucket queue of 256 levels holds the edges between visited and unvisited voxels; the best is taken,
    first in, first out within a level. The new voxel gets the turn nearest to the weighted mean of what all
    its visited neighbours predict, each prediction extended linearly where the voxel behind the neighbour
    is known too: a gradient above π a voxel is then followed as long as it changes slowly. Each connected
    part of the mask (across faces) starts at its own best voxel. CPU only, and piecewise constant in the
    phase's turns: gradients pass to the phase unchanged.

    Args:
        phase: (x, y, z), rad, wrapped or not.
        weights: (3, x, y, z), in [0, 1]; entry [d, v] is the edge from v to v + 1 along axis d.
        mask: (x, y, z), bool.

    Returns:
        (unwrapped phase, 0 outside the mask; region numbers from 1 in the order of their best voxel, int32,
        0 outside).

    Example:
        >>> wrapped = torch.tensor([3.0, -3.0, -2.5]).reshape(3, 1, 1)
        >>> everywhere = torch.ones(3, 1, 1, dtype=torch.bool)
        >>> unwrapped, regions = grow(wrapped, torch.ones(3, 3, 1, 1), everywhere)
        >>> [round(float(v), 2) for v in torch.diff(unwrapped.flatten())]
        [0.28, 0.5]
    """
    inside = mask.flatten()
    level = _levels(weights, mask)
    merit = np.zeros(inside.numel(), dtype=np.int16)  # at most 6·255; 16 bits sort fastest
    strides = np.array([phase.shape[1] * phase.shape[2], phase.shape[2], 1], dtype=np.int64)
    for axis, stride in enumerate(strides):
        merit += level[axis]
        merit[stride:] += level[axis, : merit.size - stride]
    region = np.where(inside.cpu().numpy(), 0, -1).astype(np.int32)
    candidates = np.flatnonzero(region == 0)
    seeds = candidates[np.argsort(-merit[candidates], kind="stable")]
    values = phase.detach().flatten().cpu().numpy().copy()
    following = np.full(level.size, -1, np.int32 if level.size < 2**31 else np.int64)
    _grow(values, region, level, strides, seeds, following)
    turns = torch.round((torch.from_numpy(values).to(phase.device) - phase.detach().flatten()) / TWO_PI)
    unwrapped = torch.where(mask, phase + TWO_PI * turns.reshape(phase.shape), 0.0)
    numbers = torch.from_numpy(np.maximum(region, 0)).to(phase.device).reshape(phase.shape)
    return unwrapped, numbers


def _levels(weights: Tensor, mask: Tensor) -> np.ndarray:
    """Weights as bucket numbers 1 … 255; 0 where an edge leaves the mask or the image."""
    level = (weights.detach().clamp(0, 1) * LEVELS).round().clamp(min=1).to(torch.uint8)
    for axis in range(3):
        other = torch.zeros_like(mask)
        length = mask.shape[axis]
        other.narrow(axis, 0, length - 1).copy_(mask.narrow(axis, 1, length - 1))
        level[axis] *= mask & other
    return level.reshape(3, -1).cpu().numpy()
