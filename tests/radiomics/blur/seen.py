"""Objects seen through a Gaussian and averaged over voxels, by closed forms and quadrature."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)


def voxel_means(f: Callable[[Array, Array], Array], shape: tuple[int, int], edge: float) -> Array:
    """Means of f(x, y), mm, over the squares of a grid."""
    x, y = (np.arange(n) * edge for n in shape)
    total = np.zeros(shape)
    for a, wa in zip(_NODES, _WEIGHTS, strict=True):
        for b, wb in zip(_NODES, _WEIGHTS, strict=True):
            total += wa * wb / 4 * f((x + a * edge / 2)[:, None], (y + b * edge / 2)[None])
    return total


def slices(*planes: Array) -> tuple[Tensor, Tensor]:
    """Planes as a volume, and a mask that holds all of it."""
    image = torch.from_numpy(np.stack(planes, -1))
    return image, torch.ones_like(image, dtype=torch.bool)


def gaussian_mtf(f: Array, sigma: float) -> Array:
    """exp(−2π²σ²f²)."""
    return np.exp(-2 * math.pi**2 * sigma**2 * f**2)


def aperture(f: Array, edge: float, angle: float) -> Array:
    """MTF of a square voxel at an angle to its edges."""
    return np.sinc(f * edge * math.cos(angle)) * np.sinc(f * edge * math.sin(angle))


def mean_aperture(f: Array, edge: float) -> Array:
    """The same, averaged over all angles."""
    return np.mean([aperture(f, edge, angle) for angle in np.linspace(0, math.pi / 4, 65)], axis=0)


def crossing(f: Array, mtf: Array, level: float) -> float:
    """Where a falling curve passes a level."""
    return float(np.interp(-level, -mtf, f))
