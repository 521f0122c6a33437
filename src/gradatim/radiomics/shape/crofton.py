"""The surface area of a mask by counting how often lines cross its border, which steps of voxels do not bias."""

import functools
import itertools
import math

import numpy as np
import torch
from scipy.spatial import SphericalVoronoi
from torch import Tensor

Spacing = tuple[float, float, float]
Offset = tuple[int, int, int]

REACH = 6
"""Longest step along an axis, in voxels, however flat these are."""


def crofton_area(mask: Tensor, *, spacing: Spacing) -> Tensor:
    """Surface area by the Cauchy-Crofton formula, A = 2·Σ_d c_d·N_d·v/|d|, in mm².

    N_d: how many pairs of voxels an offset d apart lie on different sides of the border, so that N_d·v/|d| is the
    area of the border as seen along d, each layer counted, v the volume of a voxel; c_d: the share of the
    sphere that is nearer to ±d than to any other direction. With voxels of ratio 1:1:r the steps go to about r
    voxels along the short axes, so that the directions stay dense; isotropic voxels have the 13 of their neighbours.

    The marching-cubes mesh of a mask follows its steps and stays too large however fine the grid; this area tends to
    that of a smooth body up to the finite number of directions. It says nothing on bodies that are only a
    voxel or two thick. It is no IBSI feature. Runs on the mask's device, not differentiable.
    Source: Lang 2001, doi:10.1046/j.1365-2818.2001.00892.x; Lehmann and Legland 2012, doi:10.54294/bjp6zz.

    Args:
        mask: (x, y, z), bool; nothing lies outside.
        spacing: voxel edges, mm.

    Returns:
        The area (), float64.

    Example:
        >>> steps = torch.arange(-20, 21)
        >>> ball = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2 <= 20.2**2
        >>> round(float(crofton_area(ball, spacing=(1.0, 1.0, 1.0))) / (4 * math.pi * 20.2**2), 2)
        1.0
    """
    total = torch.zeros((), dtype=torch.float64, device=mask.device)
    voxel = math.prod(spacing)
    count = mask.sum()
    for offset, share in _directions(spacing):
        # Each voxel inside has a partner inside or crosses the border, and the other way along the line likewise.
        inside = tuple(slice(max(-d, 0), max(n - max(d, 0), 0)) for d, n in zip(offset, mask.shape, strict=True))
        partner = tuple(slice(max(d, 0), max(n - max(-d, 0), 0)) for d, n in zip(offset, mask.shape, strict=True))
        crossings = 2 * (count - (mask[inside] & mask[partner]).sum())
        total += 2 * share * crossings * voxel / math.dist((0, 0, 0), _scaled(offset, spacing))
    return total


@functools.cache
def _directions(spacing: Spacing) -> tuple[tuple[Offset, float], ...]:
    # One of each pair of opposite offsets, with both their shares of the sphere.
    reach = [max(1, min(REACH, round(max(spacing) / edge))) for edge in spacing]
    offsets = [
        (i, j, k)
        for i, j, k in itertools.product(*(range(-r, r + 1) for r in reach))
        if math.gcd(i, j, k) == 1 and (i, j, k) > (0, 0, 0)
    ]
    units = np.array([_scaled(offset, spacing) for offset in offsets])
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    areas = SphericalVoronoi(np.concatenate([units, -units])).calculate_areas()
    return tuple(zip(offsets, (areas[: len(offsets)] / (2 * math.pi)).tolist(), strict=True))


def _scaled(offset: Offset, spacing: Spacing) -> tuple[float, float, float]:
    x, y, z = (step * edge for step, edge in zip(offset, spacing, strict=True))
    return x, y, z
