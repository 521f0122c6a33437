"""Limited-memory quasi-Newton descent."""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.drive import drive
from gradatim.solve.evaluate import Evaluate, Evaluated, Gradient, Objective, norm, on_reals
from gradatim.solve.gradient_stopping import Plateau, RelativeGradient
from gradatim.solve.line_search import Trial, strong_wolfe
from gradatim.solve.solution import Progress, Solution
from gradatim.solve.stopping import IterationBound, StoppingRule

ROUNDINGS = 16
"""Units in the last place of the objective that are no rise."""
LEAST_CURVATURE = 1e-10
"""A pair with a smaller cosine between step and change of gradient says nothing certain about curvature."""


class LbfgsState(NamedTuple):
    """State of L-BFGS.

    Attributes:
        theta: the iterate.
        at: f and ∇f there.
        moves: the last differences of θ, oldest first.
        bends: the differences of ∇f that belong to them.
    """

    theta: Tensor
    at: Evaluated
    moves: tuple[Tensor, ...]
    bends: tuple[Tensor, ...]


@dataclass(frozen=True)
class Lbfgs:
    """Minimises a smooth f by θ ← θ − t·H∇f(θ), H an inverse Hessian learnt from the last few steps.

    H is never built: two loops over the pairs s = Δθ, y = Δ∇f apply it to the gradient, beginning from
    (sᵀy/yᵀy)·1, and t meets the strong Wolfe conditions. It needs no step size, and no unit of f or θ enters. An
    iteration costs one evaluation of f and ∇f, now and then two; memory is 2 θ a pair. f must be differentiable: at
    a kink (an L1 norm) the search stalls.

    Args:
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.
        memory: pairs that are kept, ≥ 1; 5 to 20 are customary.
        decrease: c₁ of the search, 0 < c₁ < c₂.
        curvature: c₂ of the search, below 1; 0.9 is quick, 0.1 nearly exact.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Liu & Nocedal, Math Program 45:503-528, 1989; Nocedal & Wright, Numerical Optimization, algorithm 7.5.

    Example:
        >>> rosenbrock = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        >>> found = Lbfgs()(rosenbrock, start=torch.tensor([-1.2, 1.0], dtype=torch.float64))
        >>> [round(v, 4) for v in found.value.tolist()], found.reason.name
        ([1.0, 1.0], 'GRADIENT')
    """

    rule: StoppingRule = field(default=IterationBound(500) | RelativeGradient(1e-6) | Plateau(5, 1e-12))
    memory: int = 10
    decrease: float = 1e-4
    curvature: float = 0.9

    def __post_init__(self) -> None:
        if self.memory < 1 or not 0.0 < self.decrease < self.curvature < 1.0:
            raise UsageError(
                "GD-101",
                given=f"memory {self.memory}, decrease {self.decrease}, curvature {self.curvature}",
                allowed="memory ≥ 1, 0 < c₁ < c₂ < 1",
                do="use 10, 1e-4 and 0.9",
            )

    def init(self, theta: Tensor, evaluate: Evaluate) -> LbfgsState:
        """The state that knows no curvature yet."""
        return LbfgsState(theta, evaluate(theta), (), ())

    def step(self, state: LbfgsState, evaluate: Evaluate) -> LbfgsState:
        """The next state; the same one where not even the gradient's direction leads down."""
        found = self._search(state, evaluate)
        if found is None and state.moves:
            state = state._replace(moves=(), bends=())
            found = self._search(state, evaluate)
        if found is None:
            return state
        move, bend = found.theta - state.theta, found.at.gradient - state.at.gradient
        if not _dot(move, bend) > LEAST_CURVATURE * norm(move) * norm(bend):
            return state._replace(theta=found.theta, at=found.at)
        moves, bends = (*state.moves, move)[-self.memory :], (*state.bends, bend)[-self.memory :]
        return LbfgsState(found.theta, found.at, moves, bends)

    def __call__(self, objective: Objective, *, start: Tensor, gradient: Gradient | None = None) -> Solution:
        """Minimise f from a start, in its dtype and on its device; complex θ as pairs of real numbers.

        Args:
            objective: f, θ → a real scalar.
            start: θ at the beginning.
            gradient: ∇f, if it is not to be found by automatic differentiation.

        Returns:
            The solution, of the shape of ``start``.
        """
        evaluate = Evaluate(objective, gradient)
        if not start.is_complex():
            return self._run(start.detach(), evaluate)
        found = self._run(torch.view_as_real(start.detach()), on_reals(evaluate))
        return replace(found, value=torch.view_as_complex(found.value.contiguous()))

    def _run(self, start: Tensor, evaluate: Evaluate) -> Solution:
        return drive(
            lambda state: self.step(state, evaluate),
            self.init(start, evaluate),
            rule=self.rule,
            measure=_measure,
            value=lambda state: state.theta,
        )

    def _search(self, state: LbfgsState, evaluate: Evaluate) -> Trial | None:
        theta, at = state.theta, state.at
        direction = -_inverse_hessian(at.gradient, state.moves, state.bends)
        slope = _dot(at.gradient, direction)
        if not slope < 0:
            return None

        def trial(step: float) -> Trial:
            there = theta + step * direction
            known = evaluate(there)
            return Trial(step, known.objective, _dot(known.gradient, direction), there, known)

        first = 1.0 if state.moves else _guess(theta, at)
        rounding = ROUNDINGS * torch.finfo(theta.dtype).eps * abs(at.objective)
        return strong_wolfe(
            trial,
            Trial(0.0, at.objective, slope, theta, at),
            first=first,
            decrease=self.decrease,
            curvature=self.curvature,
            rounding=rounding,
        )


def _inverse_hessian(gradient: Tensor, moves: tuple[Tensor, ...], bends: tuple[Tensor, ...]) -> Tensor:
    """H g by two loops over the pairs."""
    q, shares = gradient, []
    for move, bend in zip(reversed(moves), reversed(bends), strict=True):
        share = _dot(move, q) / _dot(move, bend)
        q = q - share * bend
        shares.append(share)
    if moves:
        q = q * (_dot(moves[-1], bends[-1]) / _dot(bends[-1], bends[-1]))
    for move, bend, share in zip(moves, bends, reversed(shares), strict=True):
        q = q + (share - _dot(bend, q) / _dot(move, bend)) * move
    return q


def _guess(theta: Tensor, at: Evaluated) -> float:
    """A first step along −∇f that has its unit; the search corrects its size."""
    squared = at.length**2
    return abs(at.objective) / squared if at.objective != 0 else (norm(theta) or 1.0) / math.sqrt(squared)


def _measure(before: LbfgsState, after: LbfgsState) -> Progress:
    moved, size = norm(after.theta - before.theta), norm(after.theta)
    change = moved / size if size > 0 else moved
    return Progress(
        change=change if not math.isnan(after.at.objective) else math.nan,
        objective=after.at.objective,
        gradient=after.at.length,
    )


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.sum(a * b, dtype=torch.float64))
