"""The whole turns that separate parts of a mask cannot know of each other."""

import math

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor


def level_islands(phase: Tensor, regions: Tensor, *, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Tensor:
    """Give every connected region the whole turns that fit the largest one best.

    The largest region is shifted until its median lies in [−π, π]. Every other region gets the turn that
    brings it closest to the nearest voxels of the largest: the mean over the region of φ − φ_nearest,
    weighted by distance⁻⁴, rounded to a turn. That is a convention: no measurement links regions
    that do not touch, so a far island may be off by whole turns. The phase's own value is never changed
    but by 2π·n; gradients pass unchanged. Distances are found on the CPU.

    Args:
        phase: (x, y, z), rad, unwrapped within each region.
        regions: (x, y, z), integers, 0 outside, 1 … n.
        spacing: voxel edges, mm.

    Returns:
        (x, y, z), rad, 0 outside the regions.

    Example:
        >>> line = torch.tensor([0.1, 0.2, 0.0, 6.6]).reshape(4, 1, 1)
        >>> parts = torch.tensor([1, 1, 0, 2]).reshape(4, 1, 1)
        >>> [round(float(v), 2) for v in level_islands(line, parts).flatten()]
        [0.1, 0.2, 0.0, 0.32]
    """
    labels = regions.cpu().numpy()
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    main = regions == largest
    values = phase.detach().cpu().double().numpy()
    turns = np.zeros(sizes.size)
    turns[:] = -np.round(np.median(values[labels == largest]) / (2.0 * math.pi))
    if np.count_nonzero(sizes) > 1:
        turns += _steps_to_main(values, labels, main.cpu().numpy(), spacing)
    turns[0] = 0.0
    shift = torch.from_numpy(2.0 * math.pi * turns[labels]).to(device=phase.device, dtype=phase.dtype)
    return torch.where(regions > 0, phase + shift, 0.0)


def _steps_to_main(
    values: np.ndarray, labels: np.ndarray, main: np.ndarray, spacing: tuple[float, float, float]
) -> np.ndarray:
    """Turns to add to each region so that it meets the largest; 0 for the largest itself."""
    distance, nearest = distance_transform_edt(~main, sampling=spacing, return_indices=True)
    islands = (labels > 0) & ~main
    gap = values[islands] - values[tuple(axis[islands] for axis in nearest)]
    weight = distance[islands] ** -4.0
    count = labels.max() + 1
    total = np.bincount(labels[islands], weight * gap, minlength=count)
    mass = np.bincount(labels[islands], weight, minlength=count)
    mean = np.divide(total, mass, out=np.zeros(count), where=mass > 0)
    return -np.round(mean / (2.0 * math.pi))
