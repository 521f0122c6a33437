"""The largest distance between two mesh corners of one plane, along each axis."""

import numpy as np
from torch import Tensor

from gradatim.radiomics.shape.hull_kernel import farthest


def plane_diameters(mask: Tensor, *, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """For each axis, the largest distance between two corners of the mesh that have the same coordinate there.

    The corners of a marching-cubes mesh are the middles between a voxel of the mask and a neighbour outside it, so
    the planes lie at voxel centres and half-way between them. Of each row of a plane only the two outermost corners
    can be farthest.

    Args:
        mask: (x, y, z), bool, not empty.
        spacing: voxel edges, mm.

    Example:
        >>> import torch
        >>> x, y, z = plane_diameters(torch.ones(1, 1, 9, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> x, y, z
        (9.0, 9.0, 1.0)
    """
    corners = _corners(mask.cpu().numpy())
    x, y, z = (
        _largest(np.ascontiguousarray(np.moveaxis(corners, axis, 0)), np.delete(spacing, axis)) for axis in range(3)
    )
    return x, y, z


def _corners(mask: np.ndarray) -> np.ndarray:
    # On a grid of half voxels, voxel i at 2i + 1: set where the mesh has a corner.
    padded = np.pad(mask, 1)
    grid = np.zeros([2 * n + 1 for n in mask.shape], bool)
    for axis in range(3):
        inner = tuple(slice(None) if other == axis else slice(1, -1) for other in range(3))
        places = tuple(slice(0, None, 2) if other == axis else slice(1, None, 2) for other in range(3))
        grid[places] = np.diff(padded[inner], axis=axis)
    return grid


def _largest(planes: np.ndarray, spacing: np.ndarray) -> float:
    rows, columns = np.logical_or.reduce(planes, axis=2), np.logical_or.reduce(planes, axis=1)
    first, last = planes.argmax(2), planes.shape[2] - 1 - planes[:, :, ::-1].argmax(2)
    # No two corners are farther apart than the diagonal of their plane's box: the widest planes first, the rest never.
    diagonal = np.hypot(_extent(rows) * spacing[0] / 2, _extent(columns) * spacing[1] / 2)
    best = 0.0
    for plane in np.argsort(-diagonal):
        if diagonal[plane] <= best:
            break
        row = np.flatnonzero(rows[plane])
        ends = np.concatenate([first[plane, row], last[plane, row]])
        flat = np.stack([np.tile(row, 2) * spacing[0] / 2, ends * spacing[1] / 2, np.zeros(len(ends))], axis=1)
        best = max(best, float(farthest(flat)))
    return best


def _extent(set_there: np.ndarray) -> np.ndarray:
    # From the first to the last place that is set, of each row; 0 where none is.
    first, last = set_there.argmax(1), set_there.shape[1] - 1 - set_there[:, ::-1].argmax(1)
    return np.where(set_there.any(axis=1), last - first, 0)
