"""Denoising by anything that takes an image and a noise level."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.local_cosine import LocalCosine
from gradatim.restore.restored import Restored, require_image, require_positive
from gradatim.restore.white_noise import white_noise
from gradatim.solve.denoiser import Denoise


@dataclass(frozen=True)
class Denoising:
    """Estimates the noise and has a denoiser remove it: local cosines by default, wavelets, a network, any callable.

    For the methods with an objective and a certificate see
    :class:`~gradatim.restore.total_variation.TotalVariationDenoising` and
    :class:`~gradatim.restore.generalised_variation.GeneralisedVariationDenoising`.

    Args:
        by: (image, σ) → image of the same shape.
        noise: σ of white noise, unit of the image; None to estimate it.
        axes: 2 or 3 trailing axes of space.

    Raises:
        UsageError: GD-101 if a parameter is out of range; GD-103 if the denoiser changes the shape.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Example:
        >>> noise = torch.randn(48, 48, generator=torch.Generator().manual_seed(0))
        >>> found = Denoising()(50.0 + 4.0 * noise)
        >>> round(found.noise), float(found.value.std()) < 1.0, found.certificate is None
        (4, True, True)
    """

    by: Denoise = field(default_factory=LocalCosine)
    noise: float | None = None
    axes: int = 2

    def __post_init__(self) -> None:
        require_positive(self.noise, "noise")

    def __call__(self, image: Tensor) -> Restored:
        """Denoise an image, (..., x, y) or (..., x, y, z)."""
        require_image(image, self.axes)
        noise = white_noise(image, axes=self.axes) if self.noise is None else self.noise
        value = self.by(image, noise)
        if value.shape != image.shape:
            raise UsageError(
                "GD-103",
                given=f"a denoiser that makes {tuple(value.shape)} of {tuple(image.shape)}",
                allowed="the same shape",
                do="pad inside the denoiser and crop again",
            )
        return Restored(value, noise)


@dataclass(frozen=True)
class AcrossChannels:
    """A denoiser on sums and differences of the channels: (image, σ) → image, for colour and for echoes.

    The channels, on the axis before space, go through an orthonormal cosine transform: their mean, and what differs.
    White noise of equal σ stays white and of the same σ, but what the channels share gathers in the mean, where it
    stands out of the noise, and little is left in the differences, where the noise goes. On photographs that is worth
    half a decibel to one and a half.

    Args:
        by: what denoises each of them.
        axes: 2 or 3 trailing axes of space.

    Example:
        >>> half = AcrossChannels(lambda image, sigma: 0.5 * image)
        >>> [round(v, 4) for v in half(torch.ones(3, 2, 2), 1.0)[:, 0, 0].tolist()]
        [0.5, 0.5, 0.5]
    """

    by: Denoise = field(default_factory=LocalCosine)
    axes: int = 2

    def __call__(self, image: Tensor, sigma: float | Tensor) -> Tensor:
        """Denoise.

        Args:
            image: (..., channel, x, y) or (..., channel, x, y, z).
            sigma: of the white noise in every channel.
        """
        if image.ndim <= self.axes:
            raise UsageError(
                "GD-103",
                given=f"an image of shape {tuple(image.shape)}",
                allowed="a channel axis before space",
                do="use the denoiser itself for one channel",
            )
        axis = image.ndim - self.axes - 1
        turn = _cosines(image.shape[axis]).to(image)
        mixed = torch.movedim(torch.tensordot(turn, image, dims=([1], [axis])), 0, axis)
        clean = self.by(mixed, sigma)
        return torch.movedim(torch.tensordot(turn.T, clean, dims=([1], [axis])), 0, axis)


def _cosines(size: int) -> Tensor:
    """The orthonormal cosine transform as a matrix."""
    place = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(torch.pi * place[:, None] * (place[None] + 0.5) / size) * (2.0 / size) ** 0.5
    matrix[0] /= 2.0**0.5
    return matrix
