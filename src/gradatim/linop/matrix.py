"""A matrix as an operator: for problems so small that one is written down."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class Matrix(LinearOperator):
    """A x for a matrix A; its adjoint is the conjugate transpose.

    Args:
        values: A, (m, n), real or complex.

    Raises:
        UsageError: GD-103 unless it has two axes.

    Example:
        >>> Matrix(torch.tensor([[1.0, 2.0]])).apply(torch.tensor([3.0, 4.0])).tolist()
        [11.0]
    """

    values: Tensor

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise UsageError(
                "GD-103",
                given=f"a matrix of shape {tuple(self.values.shape)}",
                allowed="two axes",
                do="give rows and columns",
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (self.values.shape[1],)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (self.values.shape[0],)

    def _forward(self, x: Tensor) -> Tensor:
        kind = self._kind(x)
        return (self.values.to(kind) @ x.to(kind)[..., None])[..., 0]

    def _adjoint(self, y: Tensor) -> Tensor:
        kind = self._kind(y)
        return (self.values.mH.to(kind) @ y.to(kind)[..., None])[..., 0]

    def _kind(self, like: Tensor) -> torch.dtype:
        """The precision of what the matrix meets, complex if either is."""
        return like.dtype.to_complex() if self.values.is_complex() or like.is_complex() else like.dtype
