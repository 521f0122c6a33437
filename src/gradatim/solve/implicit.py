"""Gradients of a solution with respect to all that its problem is made of, without unrolling the solver."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gradatim.base.errors import InputError
from gradatim.solve.gmres import Gmres
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem
from gradatim.solve.regularisation_path import Solver
from gradatim.solve.solution import Certificate, Solution
from gradatim.solve.stationarity import Stationarity, gradient_of, step_of

NEWTON = 8
"""Newton steps at most; near the solution each one squares the error."""
WORTHWHILE = 0.1
"""A Newton step that leaves more of |E| than this was the last one: it has met rounding, or a kink."""
TINY = 1e-300
ProblemOf = Callable[..., Problem]
"""Tensors θ → the problem that they define."""


@dataclass(frozen=True, eq=False)
class ImplicitSolution:
    """x̂(θ) = argmin F(x; θ), differentiable in θ: data, weights, λ, the width of a PSF, a symbol.

    The solution solves an equation E(z; θ) = 0, so that its derivative solves the linearised one. A gradient g
    of a loss at x̂ is carried back to θ by one linear solve::

        (∂E/∂z)ᵀ v = g,     g_θ = −(∂E/∂θ)ᵀ v

    For a smooth F, E = ∇F and z = x. Otherwise z holds x and the duals of :class:`Pdhg`, and E = z − T(z; θ)
    with T one step of the method. As E is piecewise smooth, a few Newton steps on it, a linear solve each, then
    bring the solution of an ordinary tolerance to rounding. Memory does not grow with the iterations, and the
    gradient belongs to the solution, not to the way there.

    Where F is not smooth, the solution is differentiable at almost every θ, not where a voxel is about to join
    or leave a flat region. Works with ``torch.autograd.grad`` and ``torch.func.grad``, ``vjp`` and
    ``jacrev(chunk_size=1)``; first order only.

    Args:
        method: solves the problem; any for a smooth one, otherwise a Pdhg.
        problem_of: tensors θ → problem. They must get there by differentiable steps, with λ as a scalar tensor.
        linear: solves the linearised equation.

    Raises:
        InputError: GD-646 in the backward pass if the linearised equation is not solved; GD-647 if the problem
            is not smooth and the method not a Pdhg.

    Source:
        Blondel et al., NeurIPS 2022 (of a solver's own step); Bolte et al., NeurIPS 2021 (where it is not
        smooth); Qi & Sun, Math Program 58:353-367, 1993 (Newton's method there).

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.normal_equations import NormalEquations
        >>> from gradatim.solve.norms import SquaredL2
        >>> from gradatim.solve.problem import Term
        >>> one = Identity((1, 2))
        >>> ridge = lambda y, lam: Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, lam)))
        >>> y, lam = torch.tensor([[3.0, 6.0]]), torch.tensor(2.0, requires_grad=True)
        >>> x = ImplicitSolution(NormalEquations(), ridge)(y, lam, start=torch.zeros(1, 2)).value
        >>> torch.autograd.grad(x.sum(), lam)[0].item()  # of 9/(1 + λ)
        -1.0
    """

    method: Solver
    problem_of: ProblemOf
    linear: Gmres = field(default_factory=Gmres)

    def __call__(self, *theta: Tensor, start: Tensor) -> Solution:
        """Solve, and make the solution's value a function of θ.

        Args:
            theta: the tensors that ``problem_of`` takes.
            start: first iterate; no gradient goes to it.

        Returns:
            The method's solution, polished; ``value`` carries the gradient. Its certificate is that of the polished
            point, None where a term is not smooth.
        """
        solved = _Solved(self, start)
        value = _Implicit.apply(solved, *theta)
        found = solved.found[0]
        return Solution(value, found.reason, found.iterations, found.history, found.certificate)

    def solve(self, theta: tuple[Tensor, ...], start: Tensor) -> tuple[Solution, Tensor, Stationarity]:
        """The solution, z as one vector, and the equation that it solves."""
        problem = self.problem_of(*theta)
        if all(math.isfinite(term.function.smoothness) or term.strength == 0 for term in problem.terms):
            found = self.method(problem, start=start)
            z, equation = found.value.flatten(), gradient_of(self.problem_of, found.value)
        elif isinstance(self.method, Pdhg):
            found, z, equation = step_of(self.method, self.problem_of, theta, start)
        else:
            raise InputError(
                "GD-647",
                given=f"a problem that is not smooth, for {type(self.method).__name__}",
                allowed="Pdhg, whose step is differentiated, or a problem of smooth terms",
                do="solve it with Pdhg, or take GroupHuber for GroupL1",
            )
        z = self._polished(z, lambda at: equation(at, *theta))
        x = z[: start.numel()].view(start.shape)
        return replace(found, value=x, certificate=_certificate(problem, x)), z, equation

    def _polished(self, z: Tensor, equation: Callable[[Tensor], Tensor]) -> Tensor:
        """z after Newton steps on E, as long as each makes |E| smaller."""
        rest = equation(z)
        for _ in range(NEWTON):
            step = self.linear(rest, system=_forward(equation, z)).value
            tried = equation(z - step)
            gain = float(torch.linalg.vector_norm(tried)) / max(float(torch.linalg.vector_norm(rest)), TINY)
            if gain < 1.0:
                z, rest = z - step, tried
            if not gain < WORTHWHILE:
                break
        return z

    def pull(self, equation: Stationarity, z: Tensor, theta: tuple[Tensor, ...], g: Tensor) -> tuple[Tensor, ...]:
        """The gradients for θ that belong to the gradient g of x."""
        back_to_z: Any = torch.func.vjp(lambda at: equation(at, *theta), z)[1]
        right = torch.cat([g.flatten(), torch.zeros_like(z[g.numel() :])])
        found = self.linear(right, system=lambda v: back_to_z(v, retain_graph=True)[0])
        if not found.converged:
            raise InputError(
                "GD-646",
                given=f"a residual of {found.history[-1].residual:.1e} after {found.iterations} iterations",
                allowed="the tolerance of the linear solver",
                do="give more iterations or a looser tolerance; a problem without a unique solution has no gradient",
            )
        back_to_theta: Any = torch.func.vjp(lambda *at: equation(z, *at), *theta)[1]
        return tuple(-gradient for gradient in back_to_theta(found.value))


def _certificate(problem: Problem, x: Tensor) -> Certificate | None:
    """Of the polished point; None where a term is not smooth, whose dual variable the polish does not keep."""
    if any(math.isinf(term.function.smoothness) for term in problem.terms):
        return None
    return problem.certificate(x, [None] * len(problem.terms))


def _forward(equation: Callable[[Tensor], Tensor], z: Tensor) -> Callable[[Tensor], Tensor]:
    """v → (∂E/∂z) v, as the transpose of the transpose; reverse mode alone, which every operator here has."""
    back: Any = torch.func.vjp(equation, z)[1]
    there: Any = torch.func.vjp(lambda u: back(u)[0], torch.zeros_like(z))[1]
    return lambda v: there(v)[0]


@dataclass(frozen=True, eq=False)
class _Solved:
    """What the solve leaves for the way back; an object of its own, which transforms hand on as it is."""

    implicit: ImplicitSolution
    start: Tensor
    found: list[Solution] = field(default_factory=list)
    equation: list[tuple[Tensor, Stationarity]] = field(default_factory=list)


class _Implicit(torch.autograd.Function):
    """The solution as autograd sees it."""

    @staticmethod
    def forward(solved: _Solved, *theta: Tensor) -> Tensor:
        found, z, equation = solved.implicit.solve(tuple(t.detach() for t in theta), solved.start)
        solved.found.append(found)
        solved.equation.append((z, equation))
        return found.value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.solved, *theta = inputs
        ctx.save_for_backward(*theta)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        z, equation = ctx.solved.equation[0]
        theta = tuple(t.detach() for t in ctx.saved_tensors)
        return None, *ctx.solved.implicit.pull(equation, z, theta, gradients[0])
