"""The nuclear norm of matrices: images of which many are alike lie near few directions."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gradatim.solve.function import Function
from gradatim.solve.shrinkage import clip_factor
from gradatim.solve.weights import indicator, require_weight, rim


@dataclass(frozen=True, eq=False)
class Nuclear(Function):
    """f(U) = Σ w·Σᵢ σᵢ(U), the sum of the singular values of each matrix on the two trailing axes.

    The prox takes step·w off every singular value, none below 0; f*(P) = 0 where σ₁(P) ≤ w, inf elsewhere.
    Real or complex. The prox is differentiable once, also where singular values coincide or vanish.

    Args:
        weight: w ≥ 0, a number or a tensor, one a matrix (the leading axes of U).

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Source:
        Cai, Candès & Shen, SIAM J Optim 20:1956-1982, 2010 (prox); Lewis & Sendov, SIAM J Matrix Anal Appl
        23:368-386, 2001 (derivative of a function of the singular values).

    Example:
        >>> Nuclear(1.0).prox(torch.diag(torch.tensor([3.0, 0.5])), 1.0).tolist()
        [[2.0, 0.0], [0.0, 0.0]]
    """

    weight: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def value(self, u: Tensor) -> Tensor:
        return (self.weight * torch.linalg.svdvals(u).sum(-1)).sum(dtype=torch.float64)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        threshold = torch.as_tensor(step * self.weight, dtype=v.real.dtype, device=v.device)
        return _Shrunk.apply(v, threshold.expand(v.shape[:-2]))

    def conjugate(self, p: Tensor) -> Tensor:
        return indicator(torch.linalg.matrix_norm(p, 2) <= rim(self.weight, p))

    def dual_point(self, p: Tensor) -> Tensor:
        near = self.dual_prox(p, 1.0)  # where σ₁(p) is many times w, its rounding is beyond what the rim forgives
        return near * clip_factor(torch.linalg.matrix_norm(near, 2), self.weight)[..., None, None]

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        return p - self.prox(p, 1.0)


class _Shrunk(torch.autograd.Function):
    """U φ(Σ) V* of V = U Σ V* with φ(σ) = max(σ − t, 0).

    The derivative of the singular vectors is singular where singular values meet; that of the product is
    not. In the bases U and V it multiplies the Hermitian part of the direction with the divided differences
    (φᵢ − φⱼ)/(σᵢ − σⱼ), the skew part with (φᵢ + φⱼ)/(σᵢ + σⱼ), and what lies outside of both with φᵢ/σᵢ.
    """

    @staticmethod
    def forward(ctx: Any, v: Tensor, threshold: Tensor) -> Tensor:
        left, sizes, right = torch.linalg.svd(v, full_matrices=False)
        shrunk = (sizes - threshold.unsqueeze(-1)).clamp_min(0.0)
        ctx.save_for_backward(left, sizes, right, shrunk)
        return (left * shrunk.unsqueeze(-2)) @ right

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor]:
        left, sizes, right, shrunk = ctx.saved_tensors
        (slope,) = slopes
        tiny = torch.finfo(sizes.dtype).tiny
        rows, columns = left.mH @ slope, slope @ right.mH
        inner = rows @ right.mH
        keep = (shrunk / sizes.clamp_min(tiny)).unsqueeze(-2)
        moved = (
            left @ _within(inner, sizes, shrunk) @ right
            + ((columns - left @ inner) * keep) @ right
            + (left * keep) @ (rows - inner @ right)
        )
        kept = (shrunk > 0).to(sizes.dtype)
        return moved, -(inner.diagonal(dim1=-2, dim2=-1).real * kept).sum(-1)


def _within(direction: Tensor, sizes: Tensor, shrunk: Tensor) -> Tensor:
    """The derivative between the spaces of the singular vectors, by divided differences."""
    tiny = torch.finfo(sizes.dtype).tiny
    one, other = sizes.unsqueeze(-1), sizes.unsqueeze(-2)
    up, to = shrunk.unsqueeze(-1), shrunk.unsqueeze(-2)
    sums = (up + to) / (one + other).clamp_min(tiny)
    mixed = torch.maximum(up, to) / (one - other).abs().clamp_min(tiny)
    differences = torch.where((up > 0) & (to > 0), torch.ones_like(mixed), mixed)
    hermitian = 0.5 * (direction + direction.mH)
    return differences * hermitian + sums * (direction - hermitian)
