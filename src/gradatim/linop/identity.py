"""The map that changes nothing."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.linop.fft import half_shape, rfftn
from gradatim.linop.shift_invariant import ShiftInvariant


@dataclass(frozen=True, eq=False)
class Identity(ShiftInvariant):
    """A x = x.

    Args:
        shape: of x, any number of axes, e.g. (x, y) or (x, y, z).

    Example:
        >>> Identity((2, 2)).apply(torch.ones(2, 2)).sum().item()
        4.0
    """

    shape: tuple[int, ...]

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    def _forward(self, x: Tensor) -> Tensor:
        return x.clone()  # a view of the input must not leave an autograd function

    def _adjoint(self, y: Tensor) -> Tensor:
        return y.clone()

    def norm_bound(self) -> float:
        return 1.0

    def gram_symbol(self, like: Tensor) -> Tensor:
        return torch.ones(half_shape(self.shape), dtype=like.dtype.to_real(), device=like.device)

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return x

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        return rfftn(y, ndim=len(self.shape))
