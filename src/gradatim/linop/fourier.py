"""The orthonormal Fourier transform of complex images, from either corner or centre."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True)
class Fourier(LinearOperator):
    """(F x)(k) = N^−½ Σᵣ x(r)·exp(−2πi Σ kᵢrᵢ/nᵢ), origin of r and k in the first voxel; F*F = F F* = I.

    Args:
        shape: of the image, any number of axes; N is the number of its voxels.

    Returns (apply):
        (..., *shape), complex, also of real images.

    Example:
        >>> Fourier((2, 2)).apply(torch.ones(2, 2)).real.tolist()
        [[2.0, 0.0], [0.0, 0.0]]
    """

    shape: tuple[int, ...]

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def origin(self) -> tuple[int, ...]:
        """Index of r = 0 and of k = 0."""
        return (0,) * len(self.shape)

    def norm_bound(self) -> float:
        return 1.0

    def _forward(self, x: Tensor) -> Tensor:
        return torch.fft.fftn(x, dim=_last(self.shape), norm="ortho")

    def _adjoint(self, y: Tensor) -> Tensor:
        return torch.fft.ifftn(y, dim=_last(self.shape), norm="ortho")


@dataclass(frozen=True)
class CentredFourier(LinearOperator):
    """The orthonormal transform with the origin of r and k in the middle voxel, index ⌊n/2⌋ of each axis.

    This is how scanners number k-space, and what raw data files hold.

    Args:
        shape: of the image, any number of axes.

    Returns (apply):
        (..., *shape), complex, also of real images.

    Example:
        >>> CentredFourier((4,)).apply(torch.tensor([0.0, 0.0, 1.0, 0.0])).real.tolist()
        [0.5, 0.5, 0.5, 0.5]
    """

    shape: tuple[int, ...]

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def origin(self) -> tuple[int, ...]:
        """Index of r = 0 and of k = 0."""
        return tuple(n // 2 for n in self.shape)

    def norm_bound(self) -> float:
        return 1.0

    def _forward(self, x: Tensor) -> Tensor:
        axes = _last(self.shape)
        return torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(x, dim=axes), dim=axes, norm="ortho"), dim=axes)

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = _last(self.shape)
        return torch.fft.fftshift(torch.fft.ifftn(torch.fft.ifftshift(y, dim=axes), dim=axes, norm="ortho"), dim=axes)


def _last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))
