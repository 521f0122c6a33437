"""Filters that are defined by their spectrum, with a stated boundary."""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from gradatim.linop.fft import irfftn, rfftn
from gradatim.radiomics.filters.boundary import Boundary, Mirror, Periodic, extended
from gradatim.radiomics.filters.frequencies import FourierFrequencies, Frequencies

Symbol = Callable[[tuple[Tensor, ...]], Tensor]


def spectrally(
    values: Tensor,
    symbol: Symbol,
    *,
    order: tuple[int, ...],
    boundary: Boundary,
    frequencies: Frequencies | None = None,
) -> Tensor:
    """The image with the multiplier (−i)^(l₁ + l₂ + …)·S(ν) on its spectrum.

    Periodic images go through the Fourier transform. Mirrored ones go through cosines, whose sums come back as
    sines along axes where S is odd: exact, without a larger copy. Beyond other boundaries the image is continued
    until each axis is twice as long, and is periodic from there on: eight times the memory in three dimensions.
    Linear, differentiable.

    Args:
        values: (x, y, z), floating point.
        symbol: S, real, of frequencies in cycles/voxel that broadcast; odd in νᵢ if lᵢ is odd, else even.
        order: l, two numbers for each slice along the third axis, three for a volume.
        boundary: what stands beyond the edge.
        frequencies: where S is sampled; None for the frequencies of Fourier.

    Returns:
        (x, y, z).
    """
    if isinstance(boundary, Mirror) and frequencies in (None, FourierFrequencies()):
        return _mirrored(values, symbol, order)
    sampled = FourierFrequencies() if frequencies is None else frequencies
    if isinstance(boundary, Periodic):
        return _periodic(values, symbol, order, sampled)
    widths = tuple(((n + 1) // 2,) * 2 for n in values.shape[: len(order)])
    whole = _periodic(extended(values, boundary, widths), symbol, order, sampled)
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, values.shape, strict=False))
    return whole[inside].contiguous()


def _periodic(values: Tensor, symbol: Symbol, order: tuple[int, ...], sampled: Frequencies) -> Tensor:
    flat = len(order) == 2
    images = values.movedim(2, 0) if flat else values
    shape = tuple(images.shape[-len(order) :])
    sets = sampled.samples(shape)
    gain = sum((symbol(nu) for nu in sets[1:]), symbol(sets[0])) / len(sets)
    for axis, (n, power) in enumerate(zip(shape, order, strict=True)):
        if n % 2 == 0 and power % 2:  # This frequency is its own opposite: an odd function is 0 there.
            gain.select(axis, n // 2).zero_()
    multiplier = (
        gain.to(values) * (-1j) ** sum(order) if sum(order) % 2 else gain.to(values) * (-1) ** (sum(order) // 2)
    )
    response = irfftn(rfftn(images.contiguous(), ndim=len(order)) * multiplier, shape)
    return response.movedim(0, 2).contiguous() if flat else response


def _mirrored(values: Tensor, symbol: Symbol, order: tuple[int, ...]) -> Tensor:
    shape = values.shape[: len(order)]
    nu = tuple(
        (torch.arange(n, dtype=torch.float64) / (2 * n)).view(
            [-1 if other == axis else 1 for other in range(len(shape))]
        )
        for axis, n in enumerate(shape)
    )
    gain = symbol(nu).to(values)
    for axis, n in enumerate(shape):
        values = _along(_waves(n, 0).T, values, axis)
    values = values * (gain if len(order) == 3 else gain[..., None])
    for axis, (n, power) in enumerate(zip(shape, order, strict=True)):
        values = _along(_waves(n, power), values, axis)
    return values


def _along(matrix: Tensor, values: Tensor, axis: int) -> Tensor:
    """The matrix times the lines along an axis of a volume."""
    matrix = matrix.to(values)
    if axis == 2:
        return values @ matrix.T
    return matrix @ values if axis == 1 else (matrix @ values.flatten(1)).view(values.shape)


@lru_cache(maxsize=32)
def _waves(size: int, power: int) -> Tensor:
    """Columns k = 0 … n − 1: cos(πk(n + ½)/N − l·π/2) of unit norm; orthonormal for l = 0."""
    place = torch.arange(size, dtype=torch.float64) + 0.5
    wave = torch.cos(math.pi / size * torch.outer(place, torch.arange(size)) - 0.5 * math.pi * power)
    wave *= math.sqrt(2.0 / size)
    wave[:, 0] *= math.sqrt(0.5)
    return wave
