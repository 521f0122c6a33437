"""Values that are allowed and values that are not."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.function import Function
from gradatim.solve.weights import indicator, require_real


@dataclass(frozen=True, eq=False)
class Box(Function):
    """f(u) = 0 where lower ≤ u ≤ upper everywhere, inf otherwise.

    The prox clips, whatever the step; f*(p) = Σ max(lower·p, upper·p), inf where p points to a bound that is
    not there. Real numbers only.

    Args:
        lower: a number or a tensor that broadcasts to u; −inf for no bound.
        upper: the same; inf for no bound.

    Raises:
        UsageError: GD-101 if a lower bound is above the upper one or a bound is NaN.
        InputError: GD-650 if it is given complex numbers.

    Example:
        >>> Box(0.0, 1.0).prox(torch.tensor([-3.0, 0.5, 7.0]), 1.0).tolist()
        [0.0, 0.5, 1.0]
    """

    lower: float | Tensor = -math.inf
    upper: float | Tensor = math.inf

    def __post_init__(self) -> None:
        room = torch.as_tensor(self.upper) - torch.as_tensor(self.lower)
        if not bool((room >= 0).all()):
            raise UsageError(
                "GD-101",
                given="a box whose lower bound is above its upper one, or NaN",
                allowed="lower ≤ upper",
                do="check the bounds",
            )

    @property
    def constraint(self) -> bool:
        return True

    def value(self, u: Tensor) -> Tensor:
        require_real(u, "Box")
        return indicator((u >= self.lower) & (u <= self.upper))

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        require_real(v, "Box")
        lower, upper = self._bounds(v)
        return v.clamp(lower, upper)

    def conjugate(self, p: Tensor) -> Tensor:
        require_real(p, "Box")
        lower, upper = self._bounds(p)
        pushed = torch.where(p > 0, p * upper, torch.where(p < 0, p * lower, 0.0))
        return pushed.sum(dtype=torch.float64)

    def dual_point(self, p: Tensor) -> Tensor:
        require_real(p, "Box")
        lower, upper = self._bounds(p)
        return torch.where(((p > 0) & upper.isposinf()) | ((p < 0) & lower.isneginf()), 0.0, p)

    def _bounds(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return (
            torch.as_tensor(self.lower, dtype=like.dtype, device=like.device),
            torch.as_tensor(self.upper, dtype=like.dtype, device=like.device),
        )


@dataclass(frozen=True)
class NonNegative(Function):
    """f(u) = 0 where u ≥ 0 everywhere, inf otherwise: concentrations, counts, densities.

    The prox is max(v, 0), whatever the step; f*(p) = 0 where p ≤ 0, inf elsewhere. Real numbers only.

    Raises:
        InputError: GD-650 if it is given complex numbers.

    Example:
        >>> NonNegative().prox(torch.tensor([-3.0, 0.5]), 1.0).tolist()
        [0.0, 0.5]
    """

    @property
    def constraint(self) -> bool:
        return True

    def value(self, u: Tensor) -> Tensor:
        require_real(u, "NonNegative")
        return indicator(u >= 0)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        require_real(v, "NonNegative")
        return v.clamp_min(0.0)

    def conjugate(self, p: Tensor) -> Tensor:
        require_real(p, "NonNegative")
        return indicator(p <= 0)

    def dual_point(self, p: Tensor) -> Tensor:
        require_real(p, "NonNegative")
        return p.clamp_max(0.0)
