"""How alike two voxels are at a distance: the covariance of a region, or of noise, before and after a blur."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.linop.fft import fast_shape
from gradatim.radiomics.aggregation import Offset
from gradatim.radiomics.blur.noise_power import NoiseSpectrum, require_voxels
from gradatim.radiomics.blur.transfer import Transfer

REACH = 16
"""Voxels along each axis up to which a region's covariance is kept; a blur must not reach farther."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """C(d) = ⟨(x(r) − μ)·(x(r + d) − μ)⟩ over lags d, the Fourier transform of the power spectrum.

    Args:
        values: (2a + 1, 2b + 1, 2c + 1), unit², lag 0 in the middle, even in d.
        pairs: of the same shape, how many pairs of voxels have the lag; ones where it is a model.
        mean: μ, ().
        spacing: voxel edges, mm.
    """

    values: Tensor
    pairs: Tensor
    mean: Tensor
    spacing: tuple[float, float, float]

    def at(self, offset: Offset) -> Tensor:
        """C at a lag in voxels, ()."""
        return self.values[self._place(offset)]

    def count(self, offset: Offset) -> Tensor:
        """How many pairs have the lag, ()."""
        return self.pairs[self._place(offset)]

    def through(self, transfer: Transfer) -> "Covariance":
        """That of the image seen through a transfer: the power spectrum times MTF², C ⋆ (h ⋆ h). Differentiable.

        Args:
            transfer: its MTF; its point spread must stay within the lags that are kept.
        """
        shape = tuple(self.values.shape)
        axes = [
            torch.fft.fftfreq(n, d=edge, dtype=torch.float64).view([-1 if i == axis else 1 for i in range(3)])
            for axis, (n, edge) in enumerate(zip(shape, self.spacing, strict=True))
        ]
        gain = transfer.at((axes[0], axes[1], axes[2])).square().to(self.values.device)
        spectrum = torch.fft.fftn(torch.fft.ifftshift(self.values)) * gain
        return replace(self, values=torch.fft.fftshift(torch.fft.ifftn(spectrum).real))

    def __add__(self, other: "Covariance") -> "Covariance":
        """That of the sum of two independent images on the same lags; means add, pairs are those of the first."""
        return replace(self, values=self.values + other.values, mean=self.mean + other.mean)

    def _place(self, offset: Offset) -> tuple[int, int, int]:
        x, y, z = (n // 2 + step for n, step in zip(self.values.shape, offset, strict=True))
        return x, y, z


def covariance_of_region(values: Tensor, mask: Tensor, spacing: tuple[float, float, float]) -> Covariance:
    """The covariance of a region of any shape, C(d) = σ² − γ(d), from all pairs of its voxels at each lag.

    γ(d) = ½·⟨(x(r) − x(r + d))²⟩ is the variogram, which needs no mean and is little disturbed by a region's edge;
    σ² is the region's variance. Lags that no pair has are 0. Differentiable. Source: Matheron 1963,
    doi:10.2113/gsecongeo.58.8.1246; pairs counted by Fourier transforms as in Marcotte 1996.

    Args:
        values: (x, y, z).
        mask: (x, y, z), bool; values that are not finite lie outside.
        spacing: voxel edges, mm.

    Raises:
        InputError: GD-723 if the region has fewer than two voxels.

    Example:
        >>> stripes = torch.tensor([0.0, 1.0] * 8).view(16, 1, 1)
        >>> found = covariance_of_region(stripes, torch.ones(16, 1, 1, dtype=torch.bool), (1.0, 1.0, 1.0))
        >>> round(float(found.at((0, 0, 0))), 6), round(float(found.at((1, 0, 0))), 6)
        (0.25, -0.25)
    """
    mask = mask & torch.isfinite(values)
    if int(mask.sum()) < 2:
        raise InputError(
            "GD-723", given=f"{int(mask.sum())} voxels", allowed="two or more", do="give a region with a texture"
        )
    inside = mask.to(torch.float64)
    mean = values[mask].double().mean()
    rest = torch.where(mask, values.double() - mean, 0.0)
    variance = rest.square().sum() / inside.sum()
    reach = tuple(min(REACH, n - 1) for n in values.shape)
    padded = fast_shape(tuple(n + r for n, r in zip(values.shape, reach, strict=True)))
    region, signal, energy = (torch.fft.rfftn(image, s=padded) for image in (inside, rest, rest.square()))
    counts = _lags(region.abs().square(), padded, reach).round()
    # Σ x(r)² + x(r + d)² − 2·x(r)·x(r + d) over the pairs, both orders
    differences = _lags(2 * (energy * region.conj()).real - 2 * signal.abs().square(), padded, reach)
    known = counts > 0.5
    gamma = torch.where(known, differences / (2 * counts.clamp(min=1)), variance)
    return Covariance(variance - gamma, torch.where(known, counts, 0.0), mean, spacing)


def covariance_of_noise(spectrum: NoiseSpectrum, like: Covariance) -> Covariance:
    """The covariance of noise of a three-dimensional NPS, on the lags of another covariance; 0 beyond the NPS's block.

    Args:
        spectrum: with three axes, on the same voxels.
        like: whose lags and spacing are taken.

    Raises:
        UsageError: GD-103 if the NPS is that of other voxels.

    Example:
        >>> lags = Covariance(torch.zeros(3, 3, 3), torch.ones(3, 3, 3), torch.zeros(()), (1.0, 1.0, 1.0))
        >>> white = NoiseSpectrum(torch.full((8, 8, 8), 4.0), (1.0, 1.0, 1.0))
        >>> round(float(covariance_of_noise(white, lags).at((0, 0, 0))), 6)
        4.0
    """
    require_voxels(spectrum, like.spacing)
    volume = math.prod(spectrum.spacing)
    whole = torch.fft.ifftn(spectrum.power.double()).real / volume
    sizes = zip(like.values.shape, whole.shape, strict=True)
    lags = [(torch.arange(-(n // 2), n // 2 + 1), size) for n, size in sizes]
    x, y, z = (lag % size for lag, size in lags)
    values = whole[x][:, y][:, :, z]
    for axis, (lag, size) in enumerate(lags):
        values = values * (lag.abs() <= size // 2).view([-1 if i == axis else 1 for i in range(3)])
    return Covariance(values.to(like.values), torch.ones_like(like.values), torch.zeros_like(like.mean), like.spacing)


def _lags(spectrum: Tensor, padded: tuple[int, ...], reach: tuple[int, ...]) -> Tensor:
    whole = torch.fft.irfftn(spectrum, s=padded)
    for axis, r in enumerate(reach):
        whole = whole.roll(r, axis).narrow(axis, 0, 2 * r + 1)
    return whole
