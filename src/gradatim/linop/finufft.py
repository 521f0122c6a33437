"""The Fourier transform of an image at any points of k-space, through the Flatiron Institute's library."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.optional import finufft
from gradatim.linop.at_points import FourierAtPoints

_FINEST = 1e-14
_SINGLE = 1e-6
"""The smallest errors that double and single precision reach."""


@dataclass(frozen=True, eq=False)
class FinufftFourier(FourierAtPoints):
    """y_c(m) = N^−½ Σᵣ s_c(r)·x(r)·exp(−2πi Σᵢ k_mi·(rᵢ − oᵢ)/nᵢ), oᵢ = ⌊nᵢ/2⌋, by finufft.

    The same map as :class:`~gradatim.linop.nonuniform.NonUniformFourier`, faster on the processor for many points and
    small errors. Image and samples are differentiable to any order; points and coils are constants here. The adjoint
    is that of the sum, to the same error.

    Args:
        shape: of the image, one to three axes.
        points: k, (points, axes), cycles per field of view along each axis; periodic in n.
        coils: s, sensitivities, complex or real, (coils, *shape); without them there is one uniform coil,
            and no axis for it.
        error: the relative error that is asked for; single precision reaches 1e-6.

    Returns (apply):
        (..., coils, points), or (..., points) without coils; complex.

    Raises:
        UsageError: GD-101 if the error is out of range, or points or coils require gradients; GD-103 if points or
            coils do not fit the image.
        ResourceError: GD-501 without finufft, when applied.

    Source:
        Barnett, Magland & af Klinteberg, SIAM J Sci Comput 41:C479-C504, 2019.

    Example:
        >>> A = FinufftFourier((8,), torch.tensor([[0.0], [0.5]]))
        >>> A.codomain_shape
        (2,)
    """

    error: float = 1e-9

    def __post_init__(self) -> None:
        constant = not self.points.requires_grad and (self.coils is None or not self.coils.requires_grad)
        if not (math.isfinite(self.error) and _FINEST <= self.error <= 0.1 and constant):
            raise UsageError(
                "GD-101",
                given=f"an error of {self.error:g}{'' if constant else ' and points or coils that require gradients'}",
                allowed=f"{_FINEST:g} to 0.1, constant points and coils",
                do="use NonUniformFourier where a trajectory or coils are to be optimised",
            )
        if not (1 <= len(self.shape) <= 3 and self._fits() and bool(torch.isfinite(self.points).all())):
            raise self._refusal("finite points (points, axes), one to three, coils (coils, *image)")

    def _forward(self, x: Tensor) -> Tensor:
        coils = self._coils(x)
        images = x.to(x.dtype.to_complex())
        images = images if coils is None else images.unsqueeze(-1 - len(self.shape)) * coils
        flat = images.reshape(-1, *self.shape)
        transform = getattr(finufft(), f"nufft{len(self.shape)}d2")
        found = transform(*self._angles(x), _numpy(flat), isign=-1, eps=self._reached(x))
        return self._like(found, x).reshape(*images.shape[: images.ndim - len(self.shape)], len(self.points))

    def _adjoint(self, y: Tensor) -> Tensor:
        coils = self._coils(y)
        flat = y.to(y.dtype.to_complex()).reshape(-1, len(self.points))
        transform = getattr(finufft(), f"nufft{len(self.shape)}d1")
        found = transform(*self._angles(y), _numpy(flat), self.shape, isign=1, eps=self._reached(y))
        images = self._like(found, y).reshape(*y.shape[:-1], *self.shape)
        return images if coils is None else (images * coils.conj()).sum(dim=-1 - len(self.shape))

    def _angles(self, like: Tensor) -> list[np.ndarray]:
        """2πk/n along each axis, wrapped to ±π, in the precision of the data."""
        precision = np.float32 if like.dtype.to_real() is torch.float32 else np.float64
        turns = self.points.detach().cpu().double() / torch.tensor(self.shape, dtype=torch.float64)
        angles = 2 * math.pi * (turns - turns.round())
        return [np.ascontiguousarray(column, dtype=precision) for column in angles.T.numpy()]

    def _reached(self, like: Tensor) -> float:
        return max(self.error, _SINGLE) if like.dtype.to_real() is torch.float32 else self.error

    def _like(self, found: np.ndarray, like: Tensor) -> Tensor:
        scaled = torch.from_numpy(np.ascontiguousarray(found)) * math.prod(self.shape) ** -0.5
        return scaled.to(device=like.device, dtype=like.dtype.to_complex())


def _numpy(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().resolve_conj().resolve_neg().numpy())
