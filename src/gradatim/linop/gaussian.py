"""Separable Gaussian smoothing of images of any dimension."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError

REACH = 3.0
"""Kernels end at this many standard deviations."""


def gaussian_kernel(sigma: float, *, like: Tensor) -> Tensor:
    """Normalised samples of a Gaussian, g(i) ∝ exp(−i²/2σ²), |i| ≤ 3σ.

    Args:
        sigma: standard deviation, voxels, ≥ 0; 0 gives the single sample 1.
        like: precision and device of the kernel.

    Returns:
        (2·ceil(3σ) + 1,), sum 1.

    Raises:
        UsageError: GD-101 if ``sigma`` is negative or not finite.

    Example:
        >>> gaussian_kernel(0.0, like=torch.zeros(1)).tolist()
        [1.0]
    """
    if not (math.isfinite(sigma) and sigma >= 0):
        raise UsageError("GD-101", given=f"Gaussian sigma {sigma}", allowed="0 or more voxels", do="choose a width")
    half = math.ceil(REACH * sigma)
    offsets = torch.arange(-half, half + 1, dtype=like.dtype.to_real(), device=like.device)
    kernel = torch.exp(-0.5 * (offsets / max(sigma, 1e-12)).square())
    return kernel / kernel.sum()


def smooth(images: Tensor, sigmas: tuple[float, ...]) -> Tensor:
    """Gaussian blur over as many trailing axes as there are widths, zeros beyond the edge.

    Args:
        images: (..., x, y, z) or (..., x, y), real or complex. Differentiable.
        sigmas: standard deviation along each of these axes, voxels, ≥ 0.

    Returns:
        Of the shape of ``images``.

    Raises:
        UsageError: GD-101 if a sigma is negative or not finite.

    Example:
        >>> spike = torch.zeros(9, 9); spike[4, 4] = 1.0
        >>> round(smooth(spike, (1.0, 1.0)).sum().item(), 5)
        1.0
    """
    if images.is_complex():
        return torch.complex(smooth(images.real, sigmas), smooth(images.imag, sigmas))
    for axis, sigma in enumerate(sigmas, start=-len(sigmas)):
        kernel = gaussian_kernel(sigma, like=images)
        if len(kernel) == 1:
            continue
        lines = images.movedim(axis, -1)
        flat = lines.reshape(-1, 1, lines.shape[-1])
        blurred = torch.nn.functional.conv1d(flat, kernel.view(1, 1, -1), padding=len(kernel) // 2)
        images = blurred.reshape(lines.shape).movedim(-1, axis)
    return images
