"""An objective and its gradient at a point, by automatic differentiation or as given."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError

Objective = Callable[[Tensor], Tensor]
Gradient = Callable[[Tensor], Tensor]


class Evaluated(NamedTuple):
    """What is known at a point θ.

    Attributes:
        objective: f(θ).
        gradient: ∇f(θ), of the shape of θ.
    """

    objective: float
    gradient: Tensor

    @property
    def length(self) -> float:
        """‖∇f(θ)‖, summed in float64."""
        return norm(self.gradient)


@dataclass(frozen=True, eq=False)
class Evaluate:
    """θ → f(θ) and ∇f(θ).

    Without a gradient of its own the objective is differentiated by torch in reverse mode: for f = ½‖m(θ) − y‖²
    that is the vector-Jacobian product Jᵀ(m(θ) − y), at the price of a few evaluations of m, whatever θ's length.

    Args:
        objective: f, of a tensor θ, real scalar.
        gradient: ∇f, θ → a tensor of the shape of θ; None for automatic differentiation.

    Raises:
        InputError: GD-656 if f(θ) is not one real number; GD-657 if torch finds no way from f(θ) to θ.
        UsageError: GD-103 if a given gradient is not of the shape of θ.

    Example:
        >>> at = Evaluate(lambda x: (x**2).sum())(torch.tensor([1.0, 3.0]))
        >>> at.objective, at.gradient.tolist()
        (10.0, [2.0, 6.0])
    """

    objective: Objective
    gradient: Gradient | None = None

    def __call__(self, theta: Tensor) -> Evaluated:
        """Evaluate at θ."""
        if self.gradient is None:
            with torch.enable_grad():
                at = theta.detach().requires_grad_()
                value = _scalar(self.objective(at))
                slope = _slope(value, at)
            return Evaluated(float(value.detach()), slope)
        with torch.no_grad():
            value, slope = _scalar(self.objective(theta)), self.gradient(theta)
        if slope.shape != theta.shape:
            raise UsageError(
                "GD-103",
                given=f"a gradient of shape {tuple(slope.shape)} for θ of shape {tuple(theta.shape)}",
                allowed="one derivative for each number in θ",
                do="give Jᵀ applied to the residual, or leave the gradient to automatic differentiation",
            )
        return Evaluated(float(value), slope.detach())

    def value(self, theta: Tensor) -> float:
        """f(θ) alone; inf where it is undefined."""
        with torch.no_grad():
            found = float(_scalar(self.objective(theta)))
        return math.inf if math.isnan(found) else found


def norm(x: Tensor) -> float:
    """Euclidean length of all of x, summed in float64."""
    return float(torch.linalg.vector_norm(x.detach(), dtype=torch.complex128 if x.is_complex() else torch.float64))


def on_reals(evaluate: Evaluate) -> Evaluate:
    """The same function of the real and imaginary parts, a last axis of 2, for methods that work on real numbers."""
    objective, gradient = evaluate.objective, evaluate.gradient
    return Evaluate(
        lambda parts: objective(torch.view_as_complex(parts)),
        None if gradient is None else lambda parts: torch.view_as_real(gradient(torch.view_as_complex(parts))),
    )


def _scalar(value: Tensor) -> Tensor:
    if value.numel() != 1 or value.is_complex():
        kind = "complex " if value.is_complex() else ""
        raise InputError(
            "GD-656",
            given=f"an objective with a {kind}value of shape {tuple(value.shape)}",
            allowed="one real number",
            do="sum it, or take its squared norm",
        )
    return value.reshape(())


def _slope(value: Tensor, at: Tensor) -> Tensor:
    found = torch.autograd.grad(value, at, allow_unused=True)[0] if value.requires_grad else None
    if found is None:
        raise InputError(
            "GD-657",
            given="an objective whose value does not lead back to θ",
            allowed="torch operations on θ from end to end",
            do="remove detach(), .item() and NumPy from the objective, or give its gradient",
        )
    return found.detach()
