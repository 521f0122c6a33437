"""A function of the coefficients in an orthogonal basis, as a function of the image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.linop.operator import LinearOperator
from gradatim.solve.function import Function
from gradatim.solve.weights import SLACK, indicator


@dataclass(frozen=True, eq=False)
class InBasis(Function):
    """g(x) = f(W x) with W*W = W W* = I, so that prox, conjugate and constants of f carry over.

    prox_g(v) = W* prox_f(W v) and g*(p) = f*(W p): wavelet shrinkage is one step, and a method that wants its
    prox behind the identity, such as FISTA, gets it. For a W that is not orthogonal this is wrong; put f and W
    into a term instead.

    Args:
        function: f.
        basis: W, orthogonal, such as :class:`gradatim.linop.wavelet.Wavelet`.

    Source:
        Combettes & Pesquet, Proximal splitting methods in signal processing, 2011, table 10.1 (property x).

    Example:
        >>> from gradatim.linop.wavelet import Wavelet
        >>> from gradatim.linop.wavelet_filter import daubechies
        >>> from gradatim.solve.norms import L1
        >>> few = InBasis(L1(), Wavelet((4,), 1, daubechies(1)))
        >>> [round(x, 4) for x in few.prox(torch.tensor([4.0, 4.0, 1.0, 0.9]), 1.0).tolist()]
        [3.2929, 3.2929, 0.2429, 0.2429]
    """

    function: Function
    basis: LinearOperator

    def value(self, u: Tensor) -> Tensor:
        return self.function.value(self.basis.apply(u))

    def gradient(self, u: Tensor) -> Tensor:
        return self.basis.adjoint(self.function.gradient(self.basis.apply(u)))

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        return self.basis.adjoint(self.function.prox(self.basis.apply(v), step))

    def conjugate(self, p: Tensor) -> Tensor | None:
        """f*(W p); a W p that rounding has put beside the domain of f* is put back."""
        coefficients = self.basis.apply(p)
        near = self.function.dual_point(coefficients)
        found = self.function.conjugate(near)
        if found is None:
            return None
        forgiven = SLACK * torch.finfo(p.dtype).eps * torch.linalg.vector_norm(coefficients)
        return found + indicator(torch.linalg.vector_norm(coefficients - near) <= forgiven)

    def dual_point(self, p: Tensor) -> Tensor:
        return self.basis.adjoint(self.function.dual_point(self.basis.apply(p)))

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        return self.basis.adjoint(self.function.dual_prox(self.basis.apply(p), step))

    @property
    def smoothness(self) -> float:
        return self.function.smoothness

    @property
    def strong_convexity(self) -> float:
        return self.function.strong_convexity

    @property
    def convex(self) -> bool:
        return self.function.convex
