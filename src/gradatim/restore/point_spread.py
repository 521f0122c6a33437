"""What a point becomes: kernels of blur from a few numbers."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.gaussian import gaussian_kernel

FINE = 16
"""Samples a pixel's edge from which the area within a disk or under a line is counted."""


def gaussian_spread(width: float | tuple[float, ...], *, axes: int = 2) -> Tensor:
    """A Gaussian, cut at three standard deviations and normalised.

    Args:
        width: standard deviation, pixels, ≥ 0; one number, or one an axis.
        axes: 2 or 3, where ``width`` is one number.

    Returns:
        (2·ceil(3σ) + 1, …), float64, sum 1.

    Raises:
        UsageError: GD-101 if a width is negative or not finite.

    Example:
        >>> tuple(gaussian_spread(1.0).shape), round(gaussian_spread(1.0).sum().item(), 6)
        ((7, 7), 1.0)
    """
    widths = (width,) * axes if isinstance(width, int | float) else width
    kernel = torch.ones((), dtype=torch.float64)
    for each in widths:
        kernel = kernel.unsqueeze(-1) * gaussian_kernel(float(each), like=kernel)
    return kernel


def disk_spread(radius: float) -> Tensor:
    """A disk, as a lens out of focus makes it: each pixel counts by its area inside.

    Args:
        radius: pixels, > 0.

    Returns:
        (n, n), float64, sum 1.

    Raises:
        UsageError: GD-101 if the radius is not positive.

    Example:
        >>> disk = disk_spread(2.5)
        >>> tuple(disk.shape), round(1 / disk.max().item() / math.pi, 1)
        ((5, 5), 6.2)
    """
    if not (math.isfinite(radius) and radius > 0):
        raise UsageError("GD-101", given=f"radius {radius}", allowed="a positive number of pixels", do="choose one")
    half = math.ceil(radius - 0.5) if radius > 0.5 else 0
    place = _fine(half)
    inside = (place[:, None].square() + place[None].square() <= radius**2).double()
    return _coarse(inside)


def motion_spread(length: float, *, angle: float = 0.0) -> Tensor:
    """A straight line, as a steady movement during the exposure makes it, one pixel wide.

    Args:
        length: of the way, pixels, > 0.
        angle: rad, from the last axis (columns) towards the first (rows).

    Returns:
        (n, n), float64, sum 1.

    Raises:
        UsageError: GD-101 if the length is not positive or the angle not finite.

    Example:
        >>> line = motion_spread(5.0)
        >>> [round(v, 2) for v in line[line.shape[0] // 2].tolist()]
        [0.2, 0.2, 0.2, 0.2, 0.2]
    """
    if not (math.isfinite(length) and length > 0 and math.isfinite(angle)):
        raise UsageError(
            "GD-101",
            given=f"length {length}, angle {angle}",
            allowed="a positive number of pixels and an angle in rad",
            do="choose them",
        )
    along_rows, along_columns = math.sin(angle), math.cos(angle)
    half = math.ceil(0.5 * (length + 1.0))
    place = _fine(half)
    along = place[:, None] * along_rows + place[None] * along_columns
    across = place[:, None] * along_columns - place[None] * along_rows
    return _trimmed(_coarse(((along.abs() <= 0.5 * length) & (across.abs() <= 0.5)).double()))


def _fine(half: int) -> Tensor:
    """Positions of the samples of pixels −half … half, in pixels."""
    count = (2 * half + 1) * FINE
    return (torch.arange(count, dtype=torch.float64) + 0.5) / FINE - (half + 0.5)


def _coarse(fine: Tensor) -> Tensor:
    size = fine.shape[0] // FINE
    kernel = fine.view(size, FINE, size, FINE).sum((1, 3))
    return kernel / kernel.sum()


def _trimmed(kernel: Tensor) -> Tensor:
    """Without rims of zeros, still centred."""
    while kernel.shape[0] > 1 and not bool(kernel[[0, -1]].any() | kernel[:, [0, -1]].any()):
        kernel = kernel[1:-1, 1:-1]
    return kernel
