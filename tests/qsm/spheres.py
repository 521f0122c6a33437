"""Balls of susceptibility in a magnet: their field in closed form, on grids of any voxel and orientation."""

import math

import numpy as np
import torch
from torch import Tensor

from gradatim.base.grid import Grid

ISOTROPIC, FLAT = (1.0, 1.0, 1.0), (1.0, 0.8, 1.6)


def grid_of(extent_mm: float, spacing: tuple[float, float, float], tilt: float = 0.0) -> Grid:
    """A cube of voxels turned by ``tilt`` rad about the scanner's x, then by half of it about its y."""
    a, b = tilt, tilt / 2.0
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_y @ about_x @ np.diag(spacing)
    x, y, z = (2 * round(extent_mm / edge / 2) for edge in spacing)
    return Grid.from_affine((x, y, z), affine)


def positions(grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """Distances from the centre of the volume along the array's axes, mm, float64."""
    axes = [
        (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * h for n, h in zip(grid.shape, grid.spacing, strict=True)
    ]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    return x, y, z


def distance(grid: Grid, centre: tuple[float, float, float]) -> Tensor:
    """From ``centre``, mm in array axes."""
    x, y, z = (p - c for p, c in zip(positions(grid), centre, strict=True))
    return (x * x + y * y + z * z).sqrt()


def field_of_ball(grid: Grid, centre: tuple[float, float, float], radius: float, chi: float) -> Tensor:
    """χ/3·(a/r)³·(3cos²θ − 1) outside, 0 inside, ppm; θ from B0."""
    r = distance(grid, centre).clamp_min(1e-9)
    along = sum((p - c) * b for p, c, b in zip(positions(grid), centre, grid.b0_direction, strict=True))
    return torch.where(r > radius, chi / 3.0 * (radius / r) ** 3 * (3.0 * (along / r) ** 2 - 1.0), 0.0)


def ball(grid: Grid, centre: tuple[float, float, float], radius: float) -> Tensor:
    """Fraction of each voxel within the ball, from 4³ points."""
    steps = [(i + 0.5) / 4 - 0.5 for i in range(4)]
    total = torch.zeros(grid.shape, dtype=torch.float64)
    for a in steps:
        for b in steps:
            for c in steps:
                shift = [s * h for s, h in zip((a, b, c), grid.spacing, strict=True)]
                moved = (centre[0] - shift[0], centre[1] - shift[1], centre[2] - shift[2])
                total += distance(grid, moved) <= radius
    return total / 64
