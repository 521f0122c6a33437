"""Maps that treat every voxel by itself: weights and masks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class Diagonal(LinearOperator):
    """(A x)(r) = w(r)·x(r); the adjoint multiplies with the conjugate.

    Args:
        weights: w, real or complex; its shape is the domain.

    Example:
        >>> Diagonal(torch.tensor([2.0, 3.0])).apply(torch.ones(2)).tolist()
        [2.0, 3.0]
    """

    weights: Tensor

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return tuple(self.weights.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return tuple(self.weights.shape)

    def _forward(self, x: Tensor) -> Tensor:
        return x * self._weights(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return y * self._weights(y).conj()

    def norm_bound(self) -> float:
        return float(self.weights.detach().abs().max()) if self.weights.numel() else 0.0

    def _weights(self, like: Tensor) -> Tensor:
        if not (like.is_floating_point() or like.is_complex()):  # whole numbers must not round the weights to theirs
            return self.weights.to(like.device)
        dtype = like.dtype.to_complex() if self.weights.is_complex() else like.dtype.to_real()
        return self.weights.to(device=like.device, dtype=dtype)


@dataclass(frozen=True, eq=False)
class Mask(LinearOperator):
    """Keeps x inside a mask and puts 0 outside, even where x is NaN there.

    Args:
        mask: bool; its shape is the domain.

    Raises:
        UsageError: GD-101 if the mask is not bool.

    Example:
        >>> Mask(torch.tensor([True, False])).apply(torch.tensor([1.0, float("nan")])).tolist()
        [1.0, 0.0]
    """

    mask: Tensor

    def __post_init__(self) -> None:
        if self.mask.dtype is not torch.bool:
            raise UsageError(
                "GD-101", given=f"a mask of type {self.mask.dtype}", allowed="bool", do="compare with a threshold first"
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return tuple(self.mask.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return tuple(self.mask.shape)

    def _forward(self, x: Tensor) -> Tensor:
        return torch.where(self.mask.to(x.device), x, torch.zeros((), dtype=x.dtype, device=x.device))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def norm_bound(self) -> float:
        return float(self.mask.any())
