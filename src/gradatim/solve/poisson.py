"""Counted photons: the Kullback-Leibler divergence as the data term of Poisson noise."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.solve.function import Function
from gradatim.solve.weights import indicator, require_real, require_weight


@dataclass(frozen=True, eq=False)
class KullbackLeibler(Function):
    """f(u) = Σ t − y + y·log(y/t) with t = u + b: counts y of mean u over a known background b.

    It is the negative logarithm of Poisson's likelihood up to a constant, so taken that f ≥ 0 and f = 0 where
    u + b = y. Where y = 0 it is t. Its domain is t > 0, and t ≥ 0 where y = 0; u itself may be negative down
    to −b, so add ``NonNegative`` where it may not.

    The prox is u = t − b with t the positive root of t² − (v + b − step)·t − step·y = 0.
    f*(p) = Σ −y·log(1 − p) − b·p for p < 1, and p ≤ 1 where y = 0. ∇f = 1 − y/t. f has no Lipschitz constant on
    its domain. Real numbers only. Derivatives with respect to y need y > 0.

    Args:
        target: y ≥ 0, counts; they need not be whole.
        background: b ≥ 0, in counts, a number or a tensor that broadcasts to y.

    Raises:
        UsageError: GD-101 if the background is negative or not finite.
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

    def __post_init__(self) -> None:
        require_weight(self.background, "a background")
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
        excess = u + self.background - self.target
        counted, counts = self._counts(u)
        # t − y − y·log(1 + (t − y)/y): no difference of large numbers; outside of the domain the logarithm is NaN
        ratio = (excess / counts).clamp_max(torch.finfo(u.dtype).max)
        terms = torch.where(counted, excess - counts * torch.log1p(ratio.clamp_min(-1.0)), excess)
        inside = torch.where(counted, ratio > -1.0, excess >= 0)
        return torch.where(inside, terms, torch.inf).sum(dtype=torch.float64)

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
        return mean - self.background

    def conjugate(self, p: Tensor) -> Tensor:
        require_real(p, "KullbackLeibler")
        counted, counts = self._counts(p)
        room = torch.where(counted, 1.0 - p, 1.0)
        paid = torch.where(counted, -counts * torch.log(room.clamp_min(0.0)), 0.0) - self.background * p
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
