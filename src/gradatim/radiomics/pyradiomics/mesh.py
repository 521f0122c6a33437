"""The mesh that PyRadiomics puts around a mask, which differs from IBSI's where a cell of it is ambiguous."""

import functools

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.shape.cells import CORNERS, cell_codes, histogram
from gradatim.radiomics.shape.surface import Spacing, Surface

_TURNED = (0, 1, 1)
"""A cell whose corner at these steps along x, y, z is inside is triangulated as its complement, turned inside out."""


def unclosed_surface(mask: Tensor, *, spacing: Spacing) -> Surface:
    """Area and volume of the marching cubes of Lorensen's 128 cells, each standing for its complement too.

    Where two opposite corners of a cell's face are inside and two outside, the cell and its neighbour may join
    them differently, so the mesh can have holes; its volume Σ a·(b × c)/6 then depends on the origin, which is
    the centre of the voxel of padding before the first of the region's box. IBSI's mesh is closed. Both agree where
    no face is ambiguous. Source: Lorensen 1987, doi:10.1145/37401.37422; behaviour of PyRadiomics 3.0.1.

    Args:
        mask: (x, y, z), bool, its box tight.
        spacing: voxel edges, mm.

    Example:
        >>> one = unclosed_surface(torch.ones(1, 1, 1, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> round(float(one.volume), 6), round(float(one.area), 6)
        (0.166667, 1.732051)
    """
    owner, areas, steps, moments = _table()
    edge = torch.tensor(spacing, dtype=torch.float64)
    sizes = torch.zeros(256, dtype=torch.float64)
    sizes.index_add_(0, owner, (areas * edge.roll(1) * edge.roll(2)).norm(dim=1))
    codes = cell_codes(mask.cpu())
    counts = [histogram(codes.movedim(axis, 0)).to(torch.float64) for axis in range(3)]
    total, moment = counts[0].sum(0), torch.zeros((), dtype=torch.float64)
    for axis, layers in enumerate(counts):
        moment += torch.arange(len(layers), dtype=torch.float64) @ (layers @ steps[:, axis])
    return Surface((moment + total @ moments) / 3 * edge.prod(), total @ sizes)


@functools.cache
def _table() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    # Of every triangle its cell's code and its area vector for unit voxels; of every code the sum of the area vectors
    # (256, 3) and of position · area vector (256,), from the cell's first corner.
    from skimage.measure import marching_cubes

    owner, areas = [], []
    steps, moments = torch.zeros(256, 3, dtype=torch.float64), torch.zeros(256, dtype=torch.float64)
    for code in range(1, 255):
        inside = np.zeros((2, 2, 2), np.float32)
        for bit, corner in enumerate(CORNERS):
            inside[corner] = code >> bit & 1
        turned = inside[_TURNED] > 0
        # Axes z, y, x: the table's cells are not alike in all directions.
        corners, triangles, _, _ = marching_cubes((1 - inside if turned else inside).T, level=0.5, method="lorensen")
        a, b, c = torch.from_numpy(corners[:, ::-1].astype(np.float64)[triangles]).unbind(1)
        area = torch.linalg.cross(b - a, c - a) / 2 * (-1 if turned else 1)
        owner += [code] * len(area)
        areas.append(area)
        steps[code] = area.sum(0)
        moments[code] = (area * a).sum()
    return torch.tensor(owner), torch.cat(areas), steps, moments
