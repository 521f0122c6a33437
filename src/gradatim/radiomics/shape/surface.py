"""The mesh around a mask, half-way between inside and outside: its volume and area without making it."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.shape.cells import CORNERS, cell_counts

Spacing = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Surface:
    """Size of the marching-cubes mesh around a mask.

    Args:
        volume: inside the mesh (), mm³.
        area: of the mesh (), mm².
    """

    volume: Tensor
    area: Tensor


def surface(mask: Tensor, *, spacing: Spacing) -> Surface:
    """Volume and area of the mesh of a mask: marching cubes on 0 and 1, padded with 0, cut at 0.5.

    On a binary mask the triangles of a cell are a function of its eight corners, so that the 256 cells are
    triangulated once and a mask is only a histogram of them: A = Σ n(c)·A(c), and V = ∮ x dA_x, which is summed in
    integers. Equal to the mesh of :func:`mesh` but for rounding. Not differentiable: a voxel is in or out.
    Source: Lewiner 2003, doi:10.1080/10867651.2003.10487582.

    Args:
        mask: (x, y, z), bool.
        spacing: voxel edges, mm.

    Example:
        >>> one = surface(torch.ones(1, 1, 1, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> round(float(one.volume), 6), round(float(one.area), 6)
        (0.166667, 1.732051)
    """
    counts = cell_counts(mask).cpu()
    owner, areas, steps, moments = _table()
    layers = torch.arange(len(counts))
    eighths, forty_eighths = counts @ steps, counts @ moments
    volume = 6 * (layers * eighths).sum() + forty_eighths.sum()
    sizes = torch.zeros(256, dtype=torch.float64)
    edge = torch.tensor(spacing, dtype=torch.float64)
    sizes.index_add_(0, owner, (areas * edge.roll(1) * edge.roll(2)).norm(dim=1))
    return Surface(volume.to(torch.float64) / 48 * edge.prod(), (counts.sum(0) * sizes).sum())


def mesh(mask: Tensor, *, spacing: Spacing) -> tuple[Tensor, Tensor]:
    """The mesh itself: marching cubes on 0 and 1, padded with 0, cut at 0.5, of scikit-image.

    Args:
        mask: (x, y, z), bool.
        spacing: voxel edges, mm.

    Returns:
        Corners (v, 3), float64, mm from the centre of the first voxel, and triangles (t, 3), int64, that turn
        counter-clockwise seen from outside.

    Example:
        >>> corners, triangles = mesh(torch.ones(1, 1, 1, dtype=torch.bool), spacing=(2.0, 1.0, 1.0))
        >>> corners.amax(0).tolist(), len(triangles)
        ([1.0, 0.5, 0.5], 8)
    """
    from skimage.measure import marching_cubes

    padded = np.pad(mask.cpu().numpy(), 1).astype(np.float32)
    # Cut on the unit grid, where corners lie at exact halves, and scaled here in float64.
    corners, triangles, _, _ = marching_cubes(padded, level=0.5)
    places = torch.from_numpy(corners.astype(np.float64)) - 1
    return places * torch.tensor(spacing, dtype=torch.float64), torch.from_numpy(triangles[:, ::-1].astype(np.int64))


@functools.cache
def _table() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    # Of every triangle its cell's code and its area vector for unit voxels; of every code the x-part of its area in
    # eighths, and ∮ x dA_x in forty-eighths, which are whole numbers.
    from skimage.measure import marching_cubes

    owner, areas = [], []
    steps, moments = torch.zeros(256, dtype=torch.int64), torch.zeros(256, dtype=torch.int64)
    for code in range(1, 255):
        cell = np.zeros((2, 2, 2), np.float32)
        for bit, corner in enumerate(CORNERS):
            cell[corner] = code >> bit & 1
        corners, triangles, _, _ = marching_cubes(cell, level=0.5)
        a, c, b = torch.from_numpy(corners.astype(np.float64)[triangles]).unbind(1)  # scikit-image turns inwards
        area = torch.linalg.cross(b - a, c - a) / 2
        owner += [code] * len(area)
        areas.append(area)
        steps[code] = (8 * area[:, 0]).sum().round().to(torch.int64)
        moments[code] = (16 * area[:, 0] * (a + b + c)[:, 0]).sum().round().to(torch.int64)
    return torch.tensor(owner), torch.cat(areas), steps, moments
