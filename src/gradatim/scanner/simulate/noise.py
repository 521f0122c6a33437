"""Thermal noise of a receiver."""

import math
from dataclasses import replace

import torch

from gradatim.base.errors import UsageError
from gradatim.base.raw import RawData


def with_noise(raw: RawData, *, standard_deviation: float, seed: int | torch.Generator) -> RawData:
    """Raw data with white Gaussian noise, of one standard deviation in the real and in the imaginary part.

    An image by the unitary Fourier transform has the same; one by the sum over N samples √N times as much.

    Args:
        raw: without noise.
        standard_deviation: of each part, in the unit of the samples, ≥ 0.
        seed: of the noise.

    Raises:
        UsageError: GD-179 if the standard deviation is negative or not finite.

    Example:
        >>> silent = RawData(torch.zeros(1, 1000, dtype=torch.complex128), torch.zeros(1000, 3), torch.zeros(1000),
        ...                  torch.zeros(1000).long())
        >>> round(with_noise(silent, standard_deviation=2.0, seed=0).samples.real.std().item(), 1)
        2.0
    """
    if not (math.isfinite(standard_deviation) and standard_deviation >= 0):
        raise UsageError(
            "GD-179",
            given=f"noise of standard deviation {standard_deviation}",
            allowed="0 or more, finite",
            do="give it in the unit of the samples",
        )
    generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    parts = torch.randn(*raw.samples.shape, 2, generator=generator, dtype=torch.float64)
    noise = torch.view_as_complex(standard_deviation * parts)
    return replace(raw, samples=raw.samples + noise.to(raw.samples))
