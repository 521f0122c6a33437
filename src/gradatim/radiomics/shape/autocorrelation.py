"""How alike intensities are that lie near each other: Moran's I and Geary's C, over all pairs, exact."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

Spacing = tuple[float, float, float]

BLOCK = 1 << 17
"""Numbers of a spectrum that are made at a time: 2 MB of complex128, so that they are used while in the cache."""


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Spatial autocorrelation of n intensities x, weights wᵢⱼ = 1 / distance between centres, 1/mm.

    Args:
        moran: Moran's I, n/Σwᵢⱼ · Σ wᵢⱼ (xᵢ − x̄)(xⱼ − x̄) / Σ (xᵢ − x̄)² (); NaN for one or for equal intensities.
        geary: Geary's C, (n − 1)/(2Σwᵢⱼ) · Σ wᵢⱼ (xᵢ − xⱼ)² / Σ (xᵢ − x̄)² (); NaN for one or for equal intensities.
    """

    moran: Tensor
    geary: Tensor


def autocorrelation(values: Tensor, mask: Tensor, *, spacing: Spacing) -> Autocorrelation:
    """Moran's I and Geary's C over all pairs of voxels, not a sample of them.

    A sum over pairs Σ wᵢⱼ aᵢbⱼ is the mean over frequencies of W·A*·B, W the weights' spectrum, on a box that is padded
    with zeros to twice its size. So N voxels cost N log N. Runs on the tensors' device in float64, the spectra of a
    few planes at a time. Source: Moran 1950, doi:10.2307/2332142; Geary 1954, doi:10.2307/2986645.

    Args:
        values: (x, y, z), real.
        mask: (x, y, z), bool, the voxels that have an intensity.
        spacing: voxel edges, mm.

    Example:
        >>> row = torch.tensor([1.0, 2.0]).view(2, 1, 1)
        >>> two = autocorrelation(row, torch.ones_like(row, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> float(two.moran), float(two.geary)
        (-1.0, 1.0)
    """
    chosen = values[mask].to(torch.float64)
    n = chosen.numel()
    if n < 2 or chosen.min() == chosen.max():
        undefined = torch.tensor(torch.nan, dtype=torch.float64, device=values.device)
        return Autocorrelation(undefined, undefined)
    inside = mask.to(torch.float64)
    deviations = torch.zeros_like(inside)
    deviations[mask] = chosen - chosen.mean()
    squares = deviations * deviations
    weights, products, arms = _pair_sums(inside, deviations, squares, spacing)
    variance = squares.sum()
    return Autocorrelation(n / weights * products / variance, (n - 1) / weights * (arms - products) / variance)


def _pair_sums(inside: Tensor, deviations: Tensor, squares: Tensor, spacing: Spacing) -> tuple[Tensor, Tensor, Tensor]:
    # Σ wᵢⱼ, Σ wᵢⱼ dᵢdⱼ and Σ wᵢⱼ dᵢ² over ordered pairs.
    size = [_even_length(2 * n - 1) for n in inside.shape]
    spectrum = _weights(size, spacing, inside)
    rows, columns = (_mirrored(length, inside) for length in size[:2])
    pairs, products, arms = torch.zeros(3, dtype=torch.float64, device=inside.device)
    for planes, (m, d, s) in _spectra((inside, deviations, squares), size):
        weight = spectrum[planes].index_select(1, rows).index_select(2, columns).unsqueeze(-1)
        weighted = (weight * m).flatten()
        pairs += weighted @ m.flatten()
        arms += weighted @ s.flatten()
        products += (weight * d).flatten() @ d.flatten()
    whole = size[0] * size[1] * size[2]
    return pairs / whole, products / whole, arms / whole


def _even_length(needed: int) -> int:
    return 2 * next_fast_len((needed + 1) // 2)


def _mirrored(length: int, like: Tensor) -> Tensor:
    # Where frequency k of an even spectrum lies in its first half.
    k = torch.arange(length, device=like.device)
    return torch.minimum(k, length - k)


def _weights(size: list[int], spacing: Spacing, like: Tensor) -> Tensor:
    # Spectrum of 1/distance on the padded box (z, x, y), which is even along every axis: real, and half of each axis is
    # enough. Frequencies along z that stand for two count twice.
    squared = torch.zeros((), dtype=torch.float64, device=like.device)
    for axis, (length, edge) in enumerate(zip(size, spacing, strict=True)):
        steps = torch.arange(length // 2 + 1, dtype=torch.float64, device=like.device) * edge
        squared = squared + steps.square().view([-1 if axis == other else 1 for other in range(3)])
    weights = squared.rsqrt()
    weights[0, 0, 0] = 0
    # The last axis is transformed and becomes the first: z, then y, then x.
    for _ in size:
        inner = weights[..., 1:-1].flip(-1)
        weights = torch.fft.rfft(torch.cat([weights, inner], -1)).real.movedim(-1, 0)
    weights = weights.movedim(-1, 0).contiguous()
    weights[1:-1] *= 2
    return weights


def _spectra(images: tuple[Tensor, ...], size: list[int]) -> Iterator[tuple[slice, list[Tensor]]]:
    # Padded spectra (z, x, y, real and imaginary part), some planes of z at a time. The padding of an axis is only
    # there while it is transformed.
    lines = [torch.fft.rfft(image, n=size[2]).movedim(-1, 0).contiguous() for image in images]
    step = max(1, BLOCK // (size[0] * size[1]))
    for start in range(0, size[2] // 2 + 1, step):
        planes = slice(start, start + step)
        yield planes, [torch.view_as_real(torch.fft.fft2(line[planes], s=(size[0], size[1]))) for line in lines]
