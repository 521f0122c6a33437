"""The primal-dual hybrid gradient method with steps that need no knobs."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.identity import Identity
from gradatim.solve.drive import drive
from gradatim.solve.evaluate import norm
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Certificate, Progress, Solution
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual, StoppingRule

CERTIFIED_EVERY = 10
"""Iterations between two certificates, where a rule asks for them; one costs about an iteration."""
FIRST_BALANCE = 10
"""Iterations before steps are balanced for the first time; then after twice as many, and so on."""
MOST_MOVED = 10.0
"""No balance changes the primal step by more than this factor at once."""


class PdhgState(NamedTuple):
    """Where the iteration stands: everything that the next step needs.

    Attributes:
        x: the iterate.
        duals: one pᵢ a term, of the shape of Kᵢ x; None for the term that is handled by its prox in x.
        tau: τ, primal step, unit of x² per unit of F.
        shares: cᵢ ≥ 0 with Σ cᵢ = 1; the dual steps are σᵢ = cᵢ / (τ‖Kᵢ‖²).
        bounds: ‖Kᵢ‖.
        iteration: steps made.
        origin: x and duals at the last balance; None once the steps stay as they are.
    """

    x: Tensor
    duals: tuple[Tensor | None, ...]
    tau: float
    shares: tuple[float, ...]
    bounds: tuple[float, ...]
    iteration: int
    origin: tuple[Tensor, tuple[Tensor | None, ...]] | None


@dataclass(frozen=True)
class Pdhg:
    """Minimises Σᵢ λᵢ fᵢ(Kᵢ x) for any convex fᵢ with a prox and any linear Kᵢ, by primal-dual steps.

    One term behind the identity, if there is one, is g and keeps its prox in x: a constraint rather than another,
    for then the answer keeps to it exactly. Every other term has a dual pᵢ::

        x⁺  = prox of τ·g at x − τ Σ Kᵢ*pᵢ
        pᵢ⁺ = prox of σᵢ·(λᵢfᵢ)* at pᵢ + σᵢ Kᵢ(x⁺ + θ(x⁺ − x))

    which converges where τ Σ σᵢ‖Kᵢ‖² ≤ 1. Steps are found, not asked for: with analytic upper bounds of ‖Kᵢ‖,
    σᵢ = cᵢ/(τ‖Kᵢ‖²) and Σ cᵢ = 1 meet the condition with equality for any τ. τ and the shares cᵢ are those that
    minimise the method's error bound ‖Δx‖²/τ + Σ ‖Δpᵢ‖²/σᵢ over the way gone so far, which is
    τ = ‖Δx‖ / Σ‖Kᵢ‖‖Δpᵢ‖ and cᵢ ∝ ‖Kᵢ‖‖Δpᵢ‖; they are set anew after 10, 20, 40 … iterations, ever more rarely.
    So the iterates are the same, whatever the unit of x or the scale of a Kᵢ.

    If g is strongly convex (denoising), θ and τ shrink with the iterations and the error falls as 1/k²; each balance
    then restarts the acceleration with a step that suits, which makes the error of smooth problems fall geometrically.
    Otherwise θ = 1 and the step is over-relaxed.

    Where Σ fᵢ* is known the solution carries a certificate. Memory: x, one pᵢ a term, as much again while
    steps are still balanced, and the temporaries of Kᵢ and the prox. Each step is differentiable.

    Args:
        rule: when to stop; sees ``change``, ``residual`` (relative movement of x and of every pᵢ in an
            iteration, that of x over the step where steps shrink) and, now and again, ``gap``.
        relaxation: of the plain method, in [1, 2).
        balanced_iterations: steps are balanced in the first so many iterations, 0 for never.

    Raises:
        UsageError: GD-101 for a relaxation out of range, or a term that is not convex.

    Source:
        Chambolle & Pock, J Math Imaging Vis 40:120-145, 2011 (algorithms 1 and 2); Condat, J Optim Theory Appl
        158:460-479, 2013 (relaxation); Pock & Chambolle, ICCV 2011 (one step a term). The balance follows the
        primal weight of Applegate et al., NeurIPS 2021; its closed form with shares is derived here.

    Example:
        >>> from gradatim.linop.difference import Gradient
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import GroupL1
        >>> y = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(4, 1, 1)
        >>> F = Problem((
        ...     Term(SquaredDistance(y), Identity((4, 1, 1))),
        ...     Term(GroupL1(), Gradient((4, 1, 1), (1.0, 1.0, 1.0)), 0.1),
        ... ))
        >>> found = Pdhg(IterationBound(500) | SmallGap(1e-5))(F, start=y)
        >>> [round(v, 2) for v in found.value.flatten().tolist()], found.certificate.radius
        ([0.05, 0.05, 0.95, 0.95], 0.0)
    """

    rule: StoppingRule = field(default=IterationBound(3000) | SmallGap(1e-3) | SmallResidual(1e-6))
    relaxation: float = 1.9
    balanced_iterations: int = 1000

    def __post_init__(self) -> None:
        if not 1.0 <= self.relaxation < 2.0:
            raise UsageError("GD-101", given=f"relaxation {self.relaxation}", allowed="1 ≤ ρ < 2", do="use 1.9")

    def __call__(self, problem: Problem, *, start: Tensor) -> Solution:
        """Minimise from a start, in its dtype and on its device.

        Args:
            problem: the objective.
            start: first iterate, (..., *domain_shape).

        Returns:
            The solution, of the shape of ``start``, with a certificate where every conjugate is known.
        """
        with torch.no_grad():
            return drive(
                lambda state: self.step(problem, state),
                self.init(problem, start),
                rule=self.rule,
                measure=lambda before, after: self._measure(problem, before, after),
                value=lambda state: _point(problem, state),
                certify=lambda state: _certificate(problem, state),
            )

    def init(self, problem: Problem, start: Tensor) -> PdhgState:
        """The first state: zero duals, and steps from the norms of the operators and the curvatures of the terms."""
        for term in problem.terms:
            if not term.function.convex:
                raise UsageError(
                    "GD-101",
                    given=f"a term with {type(term.function).__name__}, which is not convex",
                    allowed="convex functions",
                    do="use a descent method, or linearise",
                )
        pivot = _pivot(problem)
        bounds = tuple(0.0 if i == pivot else t.operator.norm_bound() for i, t in enumerate(problem.terms))
        seen = [b > 0 for b in bounds]
        shares = tuple(1.0 / max(sum(seen), 1) if s else 0.0 for s in seen)
        duals = tuple(
            None if i == pivot else torch.zeros_like(t.operator.apply(start)) for i, t in enumerate(problem.terms)
        )
        origin = (start, duals) if self.balanced_iterations > 0 else None
        return PdhgState(start, duals, _first_step(problem, bounds), shares, bounds, 0, origin)

    def step(self, problem: Problem, state: PdhgState) -> PdhgState:
        """One iteration; pure, and differentiable in the tensors of problem and state."""
        pivot, tau = _pivot(problem), state.tau
        x = state.x - tau * _pull(problem, state)
        if pivot is not None:
            x = problem.terms[pivot].prox(x, tau)
        modulus = 0.0 if pivot is None else _modulus(problem.terms[pivot])
        theta = 1.0 / math.sqrt(1.0 + 2.0 * modulus * tau) if modulus > 0 else 1.0
        ahead = torch.lerp(state.x, x, 1.0 + theta)
        duals = tuple(
            p if p is None or bound == 0 else _dual_step(term, p, ahead, share / (theta * tau * bound**2))
            for term, p, share, bound in zip(problem.terms, state.duals, state.shares, state.bounds, strict=True)
        )
        if modulus == 0:
            x = torch.lerp(state.x, x, self.relaxation)
            duals = tuple(
                new if old is None or new is None else torch.lerp(old, new, self.relaxation)
                for old, new in zip(state.duals, duals, strict=True)
            )
        return self._balanced(state._replace(x=x, duals=duals, tau=theta * tau, iteration=state.iteration + 1))

    def _balanced(self, state: PdhgState) -> PdhgState:
        """The same state with steps that suit the way gone since the last balance, when one is due."""
        count = state.iteration
        if state.origin is None or not _due(count):
            return state
        start, first_duals = state.origin
        moved = norm(state.x - start)
        ways = [
            0.0 if p is None or first is None else bound * norm(p - first)
            for p, first, bound in zip(state.duals, first_duals, state.bounds, strict=True)
        ]
        origin = (state.x, state.duals) if 2 * count <= self.balanced_iterations else None
        if not (moved > 0 and sum(ways) > 0 and math.isfinite(moved + sum(ways))):
            return state._replace(origin=origin)
        wanted = moved / sum(ways)
        factor = min(max(math.sqrt(wanted / state.tau), 1.0 / MOST_MOVED), MOST_MOVED)
        shares = [0.5 * (share + way / sum(ways)) for share, way in zip(state.shares, ways, strict=True)]
        return state._replace(tau=state.tau * factor, shares=tuple(shares), origin=origin)

    def _measure(self, problem: Problem, before: PdhgState, after: PdhgState) -> Progress:
        change = _relative(after.x - before.x, after.x)
        pivot = _pivot(problem)
        shrunk = 0.0 if pivot is None else _modulus(problem.terms[pivot]) * before.tau  # small steps are no arrival
        moves = [
            _relative(new - old, new)
            for new, old in zip(after.duals, before.duals, strict=True)
            if new is not None and old is not None
        ]
        look = self.rule.reads_gap and after.iteration % CERTIFIED_EVERY == 0
        certificate = _certificate(problem, after) if look else None
        gap = math.nan if certificate is None else certificate.relative
        return Progress(change=change, residual=max([change / min(shrunk or 1.0, 1.0), *moves]), gap=gap)


def _dual_step(term: Term, p: Tensor, ahead: Tensor, sigma: float) -> Tensor:
    return term.dual_prox(p + sigma * term.operator.apply(ahead), sigma)


def _pivot(problem: Problem) -> int | None:
    """The term that keeps its prox in x: behind the identity, a constraint if there is one, so that x keeps to it,
    or else the most strongly convex."""
    plain = [i for i, t in enumerate(problem.terms) if isinstance(t.operator, Identity)]
    return max(
        plain, key=lambda i: (problem.terms[i].function.constraint, _modulus(problem.terms[i]), -i), default=None
    )


def _modulus(term: Term) -> float:
    return term.strength * term.function.strong_convexity


def _first_step(problem: Problem, bounds: Sequence[float]) -> float:
    """τ of the order of x over ∇F: one over the curvature that smooth terms have, in x."""
    curvature = sum(
        t.strength * t.function.smoothness * (b or 1.0) ** 2
        for t, b in zip(problem.terms, bounds, strict=True)
        if math.isfinite(t.function.smoothness)
    )
    if curvature > 0:
        return 1.0 / curvature
    return 1.0 / max(*bounds, sys.float_info.min) if any(bounds) else 1.0


def _point(problem: Problem, state: PdhgState) -> Tensor:
    """The iterate where the prox in x puts it; relaxation may have carried x out of the domain of its term."""
    pivot = _pivot(problem)
    if pivot is None or _modulus(problem.terms[pivot]) > 0:
        return state.x
    return problem.terms[pivot].prox(state.x - state.tau * _pull(problem, state), state.tau)


def _certificate(problem: Problem, state: PdhgState) -> Certificate | None:
    pivot, point = _pivot(problem), _point(problem, state)
    if pivot is None:
        return problem.certificate(point, state.duals)
    pull = _pull(problem, state)
    return problem.certificate(point, [-pull if i == pivot else p for i, p in enumerate(state.duals)])


def _pull(problem: Problem, state: PdhgState) -> Tensor:
    """Σ Kᵢ*pᵢ over the terms that have a dual variable."""
    pull = torch.zeros_like(state.x)
    for term, p in zip(problem.terms, state.duals, strict=True):
        pull = pull if p is None else pull + term.operator.adjoint(p)
    return pull


def _due(count: int) -> bool:
    """Whether count is FIRST_BALANCE times a power of two."""
    times, rest = divmod(count, FIRST_BALANCE)
    return rest == 0 and times > 0 and times & (times - 1) == 0


def _relative(part: Tensor, whole: Tensor) -> float:
    length, scale = norm(part), norm(whole)
    return length / scale if scale > 0 else (0.0 if length == 0 else math.inf)
