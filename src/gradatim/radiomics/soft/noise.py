"""Noise of an image as a covariance: what it does to a linear function of the voxels, and samples of it."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import QuantitativeMap
from gradatim.solve.noise import noise_from_detail

Window = tuple[slice, slice, slice]


class Noise(Protocol):
    """Gaussian noise of mean zero with covariance Σ between voxels."""

    def variance(self, weights: Tensor) -> Tensor:
        """Variance () of Σ weight·value, gᵀΣg, for weights g (x, y, z), float64."""

    def sample(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """One realisation (x, y, z), float64."""

    def within(self, window: Window) -> "Noise":
        """The noise in a box of the map."""


@dataclass(frozen=True)
class WhiteNoise:
    """Independent noise of one size in every voxel: Σ = σ²·1.

    Args:
        sigma: σ, standard deviation in the image's unit, ≥ 0.

    Raises:
        UsageError: GD-145 if σ is negative or not finite.

    Example:
        >>> float(WhiteNoise(2.0).variance(torch.tensor([[[1.0, 3.0]]], dtype=torch.float64)))
        40.0
    """

    sigma: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise UsageError(
                "GD-145",
                given=f"noise of standard deviation {self.sigma}",
                allowed="a finite number of at least 0",
                do="give it in the image's unit",
            )

    @classmethod
    def estimated(cls, image: QuantitativeMap) -> "WhiteNoise":
        """Noise of the size that the finest detail of the map inside its mask suggests.

        By :func:`~gradatim.solve.noise.noise_from_detail`: too low where the image was smoothed or interpolated, too
        high where texture is as fine as a voxel.

        Raises:
            InputError: GD-640 if the map is too small or too flat to tell.
        """
        value = image.value.detach()
        return cls(noise_from_detail(value, image.mask & torch.isfinite(value)).sigma)

    def variance(self, weights: Tensor) -> Tensor:
        """Variance () of Σ weight·value, σ²·Σ g²."""
        return self.sigma**2 * (weights**2).sum()

    def sample(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """One realisation (x, y, z), float64."""
        return self.sigma * torch.randn(shape, dtype=torch.float64, generator=generator)

    def within(self, window: Window) -> "WhiteNoise":
        """The noise in a box of the map: the same."""
        return self


@dataclass(frozen=True, eq=False)
class VoxelNoise:
    """Independent noise of a known size in each voxel: Σ = diag(error²).

    Args:
        error: (x, y, z), standard deviation in the image's unit, ≥ 0.

    Raises:
        InputError: GD-726 if an error is negative or not finite; when called, if its shape is not the map's.

    Example:
        >>> noise = VoxelNoise(torch.tensor([[[1.0, 2.0]]]))
        >>> float(noise.variance(torch.tensor([[[3.0, 1.0]]], dtype=torch.float64)))
        13.0
    """

    error: Tensor

    def __post_init__(self) -> None:
        if not bool((self.error.isfinite() & (self.error >= 0)).all()):
            raise _unfit("an error map with values that are negative or not finite", "values of at least 0")

    @classmethod
    def of(cls, image: QuantitativeMap) -> "VoxelNoise":
        """The noise that a map carries as its own error.

        Raises:
            InputError: GD-726 if the map has no error.
        """
        if image.error is None:
            raise _unfit(f"a map of {image.quantity} without an error map", "a map that knows its error")
        return cls(image.error)

    def _agrees(self, shape: tuple[int, ...]) -> None:
        if shape != tuple(self.error.shape):
            raise _unfit(f"an error map of {tuple(self.error.shape)} voxels for an image of {shape}", "equal shapes")

    def variance(self, weights: Tensor) -> Tensor:
        """Variance () of Σ weight·value, Σ (error·g)²."""
        self._agrees(tuple(weights.shape))
        return ((self.error.to(weights) * weights) ** 2).sum()

    def sample(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """One realisation (x, y, z), float64."""
        self._agrees(shape)
        return self.error.cpu().to(torch.float64) * torch.randn(shape, dtype=torch.float64, generator=generator)

    def within(self, window: Window) -> "VoxelNoise":
        """The noise in a box of the map."""
        return VoxelNoise(self.error[window])


@dataclass(frozen=True, eq=False)
class CorrelatedNoise:
    """Stationary noise: the covariance of two voxels depends on the way from one to the other, Σ(r, r′) = C(r − r′).

    Args:
        covariance: (2a + 1, 2b + 1, 2c + 1), float64, C at lags −a … a, −b … b, −c … c in voxels, in the image's
            unit squared; the variance in the middle; 0 beyond.

    Raises:
        InputError: GD-726 if a size is even, C(−r) is not C(r), or the variance is not the largest entry.

    Example:
        >>> noise = CorrelatedNoise(torch.tensor([0.5, 1.0, 0.5], dtype=torch.float64).view(3, 1, 1))
        >>> both = torch.ones(2, 1, 1, dtype=torch.float64)
        >>> apart = both * torch.tensor([1, -1]).view(2, 1, 1)
        >>> round(float(noise.variance(both)), 6), round(float(noise.variance(apart)), 6)
        (3.0, 1.0)
    """

    covariance: Tensor

    def __post_init__(self) -> None:
        c = self.covariance
        odd = c.ndim == 3 and all(size % 2 for size in c.shape)
        if not odd or not bool(c.isfinite().all()) or not torch.allclose(c, c.flip(0, 1, 2), rtol=1e-6):
            raise _unfit(f"a covariance of shape {tuple(c.shape)}", "three odd sizes, finite, and C(−r) = C(r)")
        if not bool(c.abs().max() <= c[tuple(size // 2 for size in c.shape)] * (1 + 1e-9)):
            raise _unfit("a covariance that is larger beside its middle than in it", "the variance in the middle")

    @classmethod
    def of_power_spectrum(cls, spectrum: Tensor, *, spacing: tuple[float, float, float]) -> "CorrelatedNoise":
        """From a noise power spectrum NPS(k): C = Fourier series of NPS / voxel volume.

        Args:
            spectrum: (X, Y, Z), in the image's unit² · mm³, at the frequencies of ``torch.fft.fftfreq``, ≥ 0 and even.
            spacing: voxel edges, mm.

        Raises:
            InputError: GD-726 if the spectrum is negative somewhere, not finite, or not even.
        """
        if not bool((spectrum.isfinite() & (spectrum >= 0)).all()):
            raise _unfit("a noise power spectrum with values that are negative or not finite", "values of at least 0")
        lags = torch.fft.fftshift(torch.fft.ifftn(spectrum.to(torch.float64)).real) / math.prod(spacing)
        first = [1 - size % 2 for size in spectrum.shape]  # the lag of half an even size has no opposite
        return cls(lags[first[0] :, first[1] :, first[2] :])

    def _spectrum(self, shape: tuple[int, ...]) -> Tensor:
        # Wide enough that no voxel meets another around the end.
        sizes = [n + m // 2 for n, m in zip(shape, self.covariance.shape, strict=True)]
        sizes = [max(n, m) for n, m in zip(sizes, self.covariance.shape, strict=True)]
        pads = [p for n, m in zip(reversed(sizes), reversed(self.covariance.shape), strict=True) for p in (0, n - m)]
        centred = torch.nn.functional.pad(self.covariance, pads).roll(
            [-(m // 2) for m in self.covariance.shape], (0, 1, 2)
        )
        return torch.fft.fftn(centred).real

    def variance(self, weights: Tensor) -> Tensor:
        """Variance () of Σ weight·value, Σ g·(C ∗ g), by FFT."""
        power = self._spectrum(tuple(weights.shape)).to(weights.device)
        return (torch.fft.fftn(weights, s=power.shape).abs() ** 2 * power).sum().clamp(min=0) / power.numel()

    def sample(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """One realisation (x, y, z), float64; a covariance that no noise can have loses its negative power."""
        power = self._spectrum(shape).clamp(min=0)
        white = torch.randn(power.shape, dtype=torch.float64, generator=generator)
        x, y, z = shape
        return torch.fft.ifftn(torch.fft.fftn(white) * power.sqrt()).real[:x, :y, :z]

    def within(self, window: Window) -> "CorrelatedNoise":
        """The noise in a box of the map: the same."""
        return self


def _unfit(given: str, allowed: str) -> InputError:
    return InputError("GD-726", given=given, allowed=allowed, do="give the noise on the map's own grid, in its unit")
