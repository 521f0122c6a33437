"""Counted photons: the Kullback-Leibler divergence as the data term of Poisson noise."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.function import Function
from gradatim.solve.weights import indicator, require_real, require_weight


@dataclass(frozen=True, eq=False)
class KullbackLeibler(Function):
    """f(u) = Σ t − y + y·log(y/t) with t = u + b: counts y of mean u over a known background b.

    It is the negative logarithm of Poisson's likelihood up to a constant, so taken that f ≥ 0 and f = 0 where
    u + b = y. Where y = 0 it is t. Its domain is t > 0, t ≥ 0 where y = 0, and u ≥ ``lower``. Behind an operator
    that keeps images non-negative no bound is needed; for an image itself the bound 0 is one constraint less
    than a term with ``NonNegative``, and is kept exactly.

    The prox is u = t − b with t the positive root of t² − (v + b − step)·t − step·y = 0, or the bound if that is
    larger. f*(p) = Σ −y·log(1 − p) − b·p for p < 1, and p ≤ 1 where y = 0; where the bound holds,
    p·lower − f(lower). ∇f = 1 − y/t. f has no Lipschitz constant on its domain. Real numbers only.
    Derivatives with respect to y need y > 0.

    Args:
        target: y ≥ 0, counts; they need not be whole.
        background: b ≥ 0, in counts, a number or a tensor that broadcasts to y.
        lower: of u, 0 for an image that may not be negative; −inf for no bound but that of t.

    Raises:
        UsageError: GD-101 if the background is negative or not finite, or the bound is NaN or inf.
        InputError: GD-651 if a count is negative or not finite; GD-650 if it is given complex numbers.

    Source:
        Csiszár, Ann Stat 19:2032-2066, 1991; prox and conjugate: Chambolle et al., SIAM J Optim 28:2783-2808,
        2018, section 6.

    Example:
        >>> photons = KullbackLeibler(torch.tensor([4.0, 0.0]), 1.0)
        >>> photons.value(torch.tensor([3.0, 2.0])).item()
        3.0
        >>> photons.prox(torch.tensor([3.0, 2.0]), 1.0).tolist()
        [3.0, 1.0]
    """

    target: Tensor
    background: float | Tensor = 0.0
    lower: float = -math.inf

    def __post_init__(self) -> None:
        require_weight(self.background, "a background")
        if not self.lower < math.inf:
            raise UsageError("GD-101", given=f"lower {self.lower}", allowed="a number or −inf", do="use 0, or leave it")
        require_real(self.target, "KullbackLeibler")
        if not bool(((self.target >= 0) & self.target.isfinite()).all()):
            raise InputError(
                "GD-651",
                given=f"counts from {float(self.target.min())} to {float(self.target.max())}",
                allowed="finite numbers ≥ 0",
                do="give the camera's offset as background instead of taking it off",
            )

    def value(self, u: Tensor) -> Tensor:
        require_real(u, "KullbackLeibler")
        return self._parts(u).sum(dtype=torch.float64)

    def _parts(self, u: Tensor) -> Tensor:
        excess = u + self.background - self.target
        counted, counts = self._counts(u)
        # t − y − y·log(1 + (t − y)/y): no difference of large numbers; outside of the domain the logarithm is NaN
        ratio = (excess / counts).clamp_max(torch.finfo(u.dtype).max)
        terms = torch.where(counted, excess - counts * torch.log1p(ratio.clamp_min(-1.0)), excess)
        inside = torch.where(counted, ratio > -1.0, excess >= 0) & (u >= self.lower)
        return torch.where(inside, terms, torch.inf)

    def gradient(self, u: Tensor) -> Tensor:
        require_real(u, "KullbackLeibler")
        counted, _ = self._counts(u)
        mean = (u + self.background).masked_fill(~counted, 1.0)
        return 1.0 - torch.where(counted, self.target, 0.0) / mean

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        require_real(v, "KullbackLeibler")
        middle = v + self.background - step
        product = step * self.target
        square = middle.square() + 4.0 * product
        nothing = square == 0
        larger = 0.5 * (middle.abs() + square.masked_fill(nothing, 1.0).sqrt().masked_fill(nothing, 0.0))
        # of the roots with product −step·y the larger in size is found without cancellation, the other from it
        mean = torch.where(middle >= 0, larger, product / larger.masked_fill(nothing, 1.0))
        return (mean - self.background).clamp_min(self.lower)

    def conjugate(self, p: Tensor) -> Tensor:
        require_real(p, "KullbackLeibler")
        counted, counts = self._counts(p)
        room = torch.where(counted, 1.0 - p, 1.0).clamp_min(0.0)
        paid = torch.where(counted, -counts * torch.log(room), 0.0) - self.background * p
        if math.isfinite(self.lower):
            edge = torch.full_like(p, self.lower)
            mean = torch.where(counted, counts / room, 0.0)  # t at which the supremum is reached if nothing bounds it
            paid = torch.where(mean < edge + self.background, p * edge - self._parts(edge), paid)
        return paid.sum(dtype=torch.float64) + indicator(p <= 1.0)

    def dual_point(self, p: Tensor) -> Tensor:
        """The nearest point with f* finite: p ≤ 1, and a rounding below 1 where y > 0."""
        require_real(p, "KullbackLeibler")
        counted, _ = self._counts(p)
        return torch.minimum(p, 1.0 - torch.finfo(p.dtype).eps * counted.to(p.dtype))

    def _counts(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Where something was counted (denormal numbers are nothing), and the counts, 1 where nothing was."""
        counted = self.target >= torch.finfo(like.dtype).tiny
        return counted, self.target.masked_fill(~counted, 1.0)
