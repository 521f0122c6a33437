"""Gradient descent, and the run that all methods share which see only the gradient."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.drive import drive
from gradatim.solve.evaluate import Evaluate, Evaluated, Gradient, Objective, norm, on_reals
from gradatim.solve.gradient_stopping import Plateau, RelativeGradient
from gradatim.solve.gradient_watch import GradientWatch
from gradatim.solve.solution import Progress, Solution
from gradatim.solve.step_size import curvature
from gradatim.solve.stopping import IterationBound, StoppingRule

PATIENCE = 30
"""Iterations without progress after which a found step size is halved: a dance around the minimum."""
PROGRESS = 0.01
"""Progress is a new lowest energy, by this part of the swing of the last energies."""
ARMIJO = 0.1
"""A step from rest must lower f by this part of what its slope promises."""
GROWTH = 1.1
"""A found step of a method without memory grows by this after each iteration, until it is refused."""
ROUNDINGS = 16
"""Units in the last place of the objective that are no rise."""
MOST_REFUSALS = 120


class GradientMethod(ABC):
    """A method that sees one gradient a step: pure ``init`` and ``step``, and one call that runs them.

    ``step`` is a function of tensors without side effects, so that a run can be unrolled and differentiated.
    A step size of None is found by the call: 1/L with the largest curvature L around the start. A step after
    which the energy lies above those of the last ten iterations is then refused, and the method starts again
    from rest; a step from rest that hardly lowers f is halved, and so is one that has led nowhere for thirty
    iterations. No unit of f or θ enters. A step size that is given is used as it is, as torch.optim does.
    """

    step_size: float | None
    rule: StoppingRule
    memory: ClassVar[int] = 10
    """Iterations that a step may end above: 1 for a method whose every step begins at rest."""

    @abstractmethod
    def init(self, theta: Tensor) -> Any:
        """The state at rest in θ; its field ``theta`` is the iterate."""

    @abstractmethod
    def step(self, state: Any, gradient: Tensor) -> Any:
        """The next state, from the gradient at ``state.theta``.

        Raises:
            UsageError: GD-101 if the step size is None: only a call can find one.
        """

    @abstractmethod
    def kinetic(self, state: Any) -> float:
        """Energy of motion, unit of f; NaN for a method that has none."""

    @abstractmethod
    def suited_step(self, at: Evaluated, curvature: float) -> float:
        """The step size for a gradient and the largest curvature L around it."""

    def with_step(self, step_size: float) -> Self:
        """The same method with this step size."""
        return replace(self, step_size=step_size)  # type: ignore[type-var]  # every member is a dataclass

    def __call__(
        self,
        objective: Objective,
        *,
        start: Tensor,
        gradient: Gradient | None = None,
        watch: GradientWatch | None = None,
    ) -> Solution:
        """Minimise f from a start, in its dtype and on its device; complex θ as pairs of real numbers.

        Args:
            objective: f, θ → a real scalar.
            start: θ at the beginning.
            gradient: ∇f, if it is not to be found by automatic differentiation.
            watch: clips the gradient, and keeps the norms of its parts in the history.

        Returns:
            The solution, of the shape of ``start``; the history has change, objective, gradient, and energy
            for a method with momentum.
        """
        evaluate = Evaluate(objective, gradient)
        if not start.is_complex():
            return _run(self, evaluate, start.detach(), watch)
        found = _run(self, on_reals(evaluate), torch.view_as_real(start.detach()), watch)
        return replace(found, value=torch.view_as_complex(found.value.contiguous()))


class DescentState(NamedTuple):
    """State of gradient descent.

    Attributes:
        theta: the iterate.
    """

    theta: Tensor


@dataclass(frozen=True)
class GradientDescent(GradientMethod):
    """Minimises a smooth f by θ ← θ − α∇f(θ).

    Step for step torch.optim.SGD. It cannot be fooled by its own gradient, and it is slow: on a quadratic the
    error of the flattest direction falls by 1 − 1/κ a step, κ the ratio of largest to smallest curvature.

    Args:
        step_size: α > 0, unit of θ² per unit of f; below 2/L it descends. None to find 1/L, and to follow the
            curvature on the way: the step grows by a tenth an iteration until it no longer lowers f as it should.
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.

    Raises:
        UsageError: GD-101 if α is not positive; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for an objective that is not one number or cannot be differentiated.

    Source:
        Cauchy, C R Acad Sci 25:536-538, 1847; Nesterov, Lectures on Convex Optimization, 2018, section 2.1.5.

    Example:
        >>> found = GradientDescent()(lambda x: (x - 3.0).square().sum(), start=torch.zeros(2))
        >>> [round(v, 3) for v in found.value.tolist()], found.reason.name
        ([3.0, 3.0], 'GRADIENT')
    """

    step_size: float | None = None
    rule: StoppingRule = field(default=IterationBound(1000) | RelativeGradient(1e-5) | Plateau())
    memory: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_step(self.step_size)

    def init(self, theta: Tensor) -> DescentState:
        return DescentState(theta)

    def step(self, state: DescentState, gradient: Tensor) -> DescentState:
        return DescentState(state.theta - known(self.step_size) * gradient)

    def kinetic(self, state: DescentState) -> float:
        return math.nan

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return 1.0 / curvature


def require_step(step_size: float | None) -> None:
    """Refuse a step size that is not a positive number (GD-101)."""
    if step_size is not None and not (math.isfinite(step_size) and step_size > 0):
        raise UsageError(
            "GD-101", given=f"step size {step_size}", allowed="a positive number", do="give α > 0, or None to find it"
        )


def known(step_size: float | None) -> float:
    """The step size, refused where it is still None (GD-101)."""
    if step_size is None:
        raise UsageError(
            "GD-101",
            given="a single step of a method without a step size",
            allowed="a positive step size",
            do="give step_size, or call the method on the objective, which finds one",
        )
    return step_size


class _Run(NamedTuple):
    """A run between two iterations: the method with its step, its state, and what is known there.

    The energies are those of the last iterations; the last progress was the energy ``lowest``, ``idle``
    iterations ago.
    """

    method: GradientMethod
    state: Any
    at: Evaluated
    energies: tuple[float, ...]
    rested: bool
    lowest: float
    idle: int


def _run(method: GradientMethod, evaluate: Evaluate, start: Tensor, watch: GradientWatch | None) -> Solution:
    watch = watch or GradientWatch()
    first, free = evaluate(start), method.step_size is None
    if free:
        method = method.with_step(method.suited_step(first, curvature(evaluate, start, first)))

    def advance(run: _Run) -> _Run:
        """The next iteration; where the step size is ours to find, a step that leads nowhere is taken back."""
        for _ in range(MOST_REFUSALS):
            state = run.method.step(run.state, watch.clip(run.at.gradient))
            after = _arrived(run, state, evaluate(state.theta))
            if not free or (_settled(run, after) and after.idle <= PATIENCE):
                return _longer(after) if free and after.rested else after
            run = _rest(run, halved=run.rested or after.idle > PATIENCE)
        return run

    def measure(before: _Run, after: _Run) -> Progress:
        moved, size = norm(after.state.theta - before.state.theta), norm(after.state.theta)
        relative = moved / size if size > 0 else moved
        return Progress(
            change=relative if not math.isnan(after.at.objective) else math.nan,
            objective=after.at.objective,
            gradient=after.at.length,
            energy=after.at.objective + after.method.kinetic(after.state),
            parts=watch.norms(after.at.gradient),
        )

    run = _Run(method, method.init(start), first, (first.objective,), True, first.objective, 0)
    return drive(advance, run, rule=method.rule, measure=measure, value=lambda run: run.state.theta)


def _arrived(run: _Run, state: Any, at: Evaluated) -> _Run:
    """The run after a step, before it is judged."""
    kinetic = run.method.kinetic(state)
    energy = at.objective + (0.0 if math.isnan(kinetic) else kinetic)
    energies = (*run.energies, energy)[-run.method.memory :]
    better = energy < run.lowest - PROGRESS * (max(energies) - run.lowest)
    lowest, idle = (energy, 0) if better else (run.lowest, run.idle + 1)
    return _Run(run.method, state, at, energies, run.method.memory == 1, lowest, idle)


def _settled(run: _Run, after: _Run) -> bool:
    """Whether a step may stand: a step from rest has lowered f, a later one is not above all last energies."""
    highest = max(run.energies)
    rounding = ROUNDINGS * torch.finfo(run.at.gradient.dtype).eps * abs(highest)
    if not run.rested:
        return after.energies[-1] <= highest + rounding
    promised = float(torch.sum(run.at.gradient * (run.state.theta - after.state.theta), dtype=torch.float64))
    return after.at.objective <= run.at.objective - ARMIJO * promised + rounding


def _longer(run: _Run) -> _Run:
    return run._replace(method=run.method.with_step(GROWTH * known(run.method.step_size)))


def _rest(run: _Run, *, halved: bool) -> _Run:
    """The same place without motion."""
    method = run.method.with_step(0.5 * known(run.method.step_size)) if halved else run.method
    return run._replace(
        method=method, state=method.init(run.state.theta), energies=(run.at.objective,), rested=True, idle=0
    )
