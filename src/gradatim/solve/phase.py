"""Measured phase, known up to whole turns, as a data term."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.solve.function import Function
from gradatim.solve.weights import largest, require_real, require_weight

TURN = 2.0 * math.pi
MOST_STEPS = 60
"""Newton steps at most; five or six do, but near the one point where the equation has a triple root."""


@dataclass(frozen=True, eq=False)
class NonlinearPhase(Function):
    """f(u) = Σ W(1 − cos(u − y)) = ½ Σ W|e^{iu} − e^{iy}|²: blind to whole turns, so y may be wrapped.

    f is smooth, L = max W, and not convex: a minimum is a local one and no certificate is possible. The prox
    is the global minimiser nevertheless, which is unique unless v lies half a turn from y (up to whole turns)
    and step·W > 1; there one of the two is taken. ∇f = W sin(u − y). Real numbers only.

    In the prox whole turns are taken off d = v − y, and u − y = r solves step·W·sin r + r = d between 0 and d,
    where the left side is concave, so that Newton's method rises to the root without ever passing it.

    Args:
        target: y, rad.
        weights: W ≥ 0, of the shape of y or a number; magnitude² over the noise's variance makes f the
            likelihood of complex data of known magnitude.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.
        InputError: GD-650 if it is given complex numbers.

    Source:
        de Rochefort et al., Magn Reson Med 63:194-206, 2010; Polak et al., NMR Biomed 33:e4271, 2020. The
        safe start and the proof that Newton's method needs no other guard are derived here.

    Example:
        >>> data = NonlinearPhase(torch.tensor([0.5]), 2.0)
        >>> round(data.value(torch.tensor([0.5 + 2 * torch.pi])).item(), 6)
        0.0
        >>> round(data.prox(torch.tensor([1.5]), 1.0).item(), 4)
        0.8376
    """

    target: Tensor
    weights: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weights)

    def value(self, u: Tensor) -> Tensor:
        require_real(u, "NonlinearPhase")
        # 1 − cos a = 2 sin²(a/2) keeps its digits for small a
        return 2.0 * (self.weights * torch.sin(0.5 * (u - self.target)).square()).sum(dtype=torch.float64)

    def gradient(self, u: Tensor) -> Tensor:
        require_real(u, "NonlinearPhase")
        return self.weights * torch.sin(u - self.target)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        require_real(v, "NonlinearPhase")
        away = v - self.target
        away = away - TURN * torch.round(away.detach() / TURN)
        pull = torch.as_tensor(step * self.weights, dtype=away.dtype, device=away.device)
        with torch.no_grad():
            angle = torch.copysign(_root(away.abs(), pull), away)
        if torch.is_grad_enabled() and (away.requires_grad or pull.requires_grad):
            for _ in range(2):  # at the root a step changes nothing, but carries the first and second derivatives
                angle = angle - (pull * torch.sin(angle) + angle - away) / (1.0 + pull * torch.cos(angle))
        return v - (away - angle)

    @property
    def smoothness(self) -> float:
        return largest(self.weights)

    @property
    def convex(self) -> bool:
        return False


def _root(away: Tensor, pull: Tensor) -> Tensor:
    """The smallest r ≥ 0 with pull·sin r + r = away, for 0 ≤ away ≤ π."""
    eps = torch.finfo(away.dtype).eps
    # from below: sin r is at most r, at most 1, and at most π − r
    low = torch.maximum(away / (1.0 + pull), away - pull)
    low = torch.where(pull < 1.0, torch.maximum(low, (away - math.pi * pull) / (1.0 - pull).clamp_min(eps)), low)
    for _ in range(MOST_STEPS):
        rest = away - pull * torch.sin(low) - low
        low = torch.minimum(low + rest / (1.0 + pull * torch.cos(low)).clamp_min(eps), away)
        if bool((rest <= 4.0 * eps * away).all()):  # what is left is rounding
            break
    return low
