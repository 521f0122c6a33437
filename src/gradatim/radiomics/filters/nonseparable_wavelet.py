"""Non-separable wavelets: Simoncelli's."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.filters.arguments import check_dimensions, floating
from gradatim.radiomics.filters.boundary import Boundary, Periodic
from gradatim.radiomics.filters.frequencies import EndpointFrequencies, Frequencies
from gradatim.radiomics.filters.spectral import spectrally


@dataclass(frozen=True)
class NonseparableWavelet:
    """One band of Simoncelli's undecimated wavelet transform, the same in every direction.

    ĝ_j(ν) = cos(π/2·log₂(2^(j+1)·‖ν‖)) for 2^(−j−2) < ‖ν‖ < 2^(−j), else 0, with ν in cycles/voxel: an octave to each
    side of 2^(−j−1). Squares of neighbouring levels sum to 1 up to ‖ν‖ = ¼. Linear, differentiable.
    Source: Portilla and Simoncelli, Int J Comput Vis 40:49-70, 2000; IBSI 2 reference manual, arXiv:2006.05470,
    "Non-separable wavelets" (PRT7).

    Args:
        level: j ≥ 1; 1 is the finest.
        dimensions: 3, or 2 for each slice along the third axis on its own.
        boundary: what the filter sees beyond the edge; any but a periodic one takes a copy of eight times the memory,
            and a mirrored one does not if the frequencies are those of Fourier.
        frequencies: where ĝ is sampled. IBSI's maps 8.a and values of filters 8 and 9 are those of the default, a
            periodic image and :class:`~gradatim.radiomics.filters.frequencies.EndpointFrequencies`; theory asks for
            :class:`~gradatim.radiomics.filters.frequencies.FourierFrequencies`.

    Raises:
        UsageError: GD-101 for a level below 1, for other dimensions than 2 and 3; GD-137 for other images than volumes.

    Example:
        >>> from gradatim.radiomics.filters.frequencies import FourierFrequencies
        >>> wave = torch.cos(2 * math.pi * torch.arange(8) / 4).expand(8, 8, 8)  # ¼ cycle/voxel: the middle of level 1
        >>> wavelet = NonseparableWavelet(level=1, frequencies=FourierFrequencies())
        >>> torch.allclose(wavelet(wave, spacing=(1.0, 1.0, 1.0)), wave, atol=1e-6)
        True
    """

    level: int = 1
    dimensions: int = 3
    boundary: Boundary = field(default_factory=Periodic)
    frequencies: Frequencies = field(default_factory=EndpointFrequencies)

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        if self.level < 1:
            raise UsageError("GD-101", given=f"wavelet level {self.level}", allowed="1 or more", do="begin with 1")

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z); the spacing does not matter."""
        return spectrally(
            floating(values),
            self._symbol,
            order=(0,) * self.dimensions,
            boundary=self.boundary,
            frequencies=self.frequencies,
        )

    def _symbol(self, nu: tuple[Tensor, ...]) -> Tensor:
        octaves = 0.5 * torch.log2(sum((f.square() for f in nu), torch.zeros(()).double())) + self.level + 1
        return torch.where(octaves.abs() < 1, torch.cos(0.5 * math.pi * octaves), 0.0)
