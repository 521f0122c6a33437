"""Denoising by soft thresholds of wavelet coefficients, averaged over shifts of the image."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.wavelet import Wavelet
from gradatim.linop.wavelet_filter import symlet
from gradatim.restore.local_cosine import mirrored


@dataclass(frozen=True)
class WaveletShrinkage:
    """White noise of known σ removed from wavelet coefficients: (image, σ) → image.

    Each band of differences is shrunk by its own soft threshold σ²/σ_x, where σ_x² = max(⟨c²⟩ − σ², 0) is what the
    band has beyond the noise; a band with nothing beyond it is set to 0 (BayesShrink). The transform sees the image
    at ``shifts`` different places, and the mean over them takes away most of the ringing along edges (cycle
    spinning). Borders are mirrored. Leading axes are batch, each image with its own thresholds. Not local: the
    thresholds are those of the whole image.

    Args:
        axes: 2 or 3 trailing axes of space.
        levels: how often the coarse band is split; fewer where the image is small.
        shifts: along each axis, a power of two keeps them even; 1 for none.
        low_pass: orthonormal filter.

    Raises:
        UsageError: GD-101 for other axes, or fewer than one level or shift.

    Source:
        Chang, Yu & Vetterli, IEEE Trans Image Process 9:1532-1546, 2000; Coifman & Donoho, Wavelets and Statistics,
        Springer 1995, 125-150.

    Example:
        >>> noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
        >>> float(WaveletShrinkage()(10.0 + noise, 1.0).std()) < 0.2
        True
    """

    axes: int = 2
    levels: int = 4
    shifts: int = 4
    low_pass: tuple[float, ...] = field(default_factory=lambda: symlet(4))

    def __post_init__(self) -> None:
        if self.axes not in (2, 3) or self.levels < 1 or self.shifts < 1:
            raise UsageError(
                "GD-101",
                given=f"axes {self.axes}, levels {self.levels}, shifts {self.shifts}",
                allowed="2 or 3 axes, at least 1 level and 1 shift",
                do="see the defaults",
            )

    def __call__(self, image: Tensor, sigma: float | Tensor) -> Tensor:
        """Denoise.

        Args:
            image: (..., x, y) or (..., x, y, z), any unit.
            sigma: of the white noise, unit of the image, ≥ 0.

        Returns:
            Of the shape of the image.
        """
        if not float(sigma) > 0:
            return image.clone()
        space = image.shape[image.ndim - self.axes :]
        flat = image.reshape(-1, *space)
        return torch.stack([self._one(each, float(sigma)) for each in flat]).reshape(image.shape)

    def _one(self, image: Tensor, sigma: float) -> Tensor:
        levels = min([self.levels, *(max(int(math.log2(n)) - 2, 1) for n in image.shape if n > 1)])
        step = 1 << levels
        # mirrored far enough that filters of the finest levels do not wrap, and to sizes that halve evenly
        wide = mirrored(image, step)
        lack = [-n % step for n in wide.shape]
        wide = _extended(wide, lack)
        transform = Wavelet(tuple(wide.shape), levels, self.low_pass)
        total, axes = torch.zeros_like(wide), tuple(range(image.ndim))
        places = list(itertools.product(range(self.shifts), repeat=self.axes))
        for place in places:
            shift = [p * max(step // self.shifts, 1) + p for p in place]
            coefficients = transform.apply(torch.roll(wide, shift, axes))
            for band in _bands(transform):
                coefficients[band] = _shrunk(coefficients[band], sigma)
            total += torch.roll(transform.adjoint(coefficients), [-s for s in shift], axes)
        window = tuple(slice(step, step + n) for n in image.shape)
        return total[window] / len(places)


def _extended(image: Tensor, by: list[int]) -> Tensor:
    """A few more pixels at each far end, mirrored."""
    for axis, more in enumerate(by):
        if more:
            size = image.shape[axis]
            place = torch.arange(size, size + more) % (2 * size)
            tail = torch.where(place < size, place, 2 * size - 1 - place).to(image.device)
            image = torch.cat((image, image.index_select(axis, tail)), axis)
    return image


def _bands(transform: Wavelet) -> Iterator[tuple[slice, ...]]:
    """Where each band of differences lies in the coefficients."""
    for level in range(1, transform.levels + 1):
        fine, coarse = transform.coarse_shape(level - 1), transform.coarse_shape(level)
        for high in itertools.product((False, True), repeat=len(fine)):
            if any(high):
                yield tuple(slice(c, f) if up else slice(0, c) for up, c, f in zip(high, coarse, fine, strict=True))


def _shrunk(band: Tensor, sigma: float) -> Tensor:
    beyond = float(band.square().mean()) - sigma**2
    if band.numel() == 0 or beyond <= 0:
        return torch.zeros_like(band)
    threshold = sigma**2 / math.sqrt(beyond)
    return band.sign() * (band.abs() - threshold).clamp_min(0.0)
