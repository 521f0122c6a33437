"""Accelerated proximal gradient steps, with restart."""

import math
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
"""Iterations between two certificates, where a rule asks for them."""


class FistaState(NamedTuple):
    """Where the iteration stands.

    Attributes:
        x: the iterate.
        ahead: the point from which the next step is taken.
        momentum: t ≥ 1; 1 after a restart.
        step: 1/L, unit of x² per unit of F.
        iteration: steps made.
    """

    x: Tensor
    ahead: Tensor
    momentum: float
    step: float
    iteration: int


@dataclass(frozen=True)
class Fista:
    """Minimises S(x) + λ g(x), S a sum of smooth convex terms and g one term with a prox behind the identity.

    With L an upper bound of the curvature of S, from analytic operator norms::

        x⁺ = prox of (λ/L)·g at v − ∇S(v)/L
        t⁺ = (1 + √(1 + 4t²))/2,   v⁺ = x⁺ + (t − 1)/t⁺ · (x⁺ − x)

    The momentum starts anew, t = 1, when the step points against the way gone, ⟨v − x⁺, x⁺ − x⟩ > 0: then it
    has overshot, and without a restart the objective ripples. Each step is differentiable.

    Args:
        rule: when to stop; sees ``change``, ``residual`` (‖x⁺ − v‖/‖x⁺‖, the proximal gradient) and ``gap``.

    Raises:
        UsageError: GD-101 for more than one term that is neither smooth nor behind the identity, or not convex.

    Source:
        Beck & Teboulle, SIAM J Imaging Sci 2:183-202, 2009; restart: O'Donoghue & Candès, Found Comput Math
        15:715-732, 2015, section 3.2.

    Example:
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import L1
        >>> one = Identity((2,))
        >>> F = Problem((Term(SquaredDistance(torch.tensor([3.0, 0.2])), one), Term(L1(), one, 0.5)))
        >>> Fista()(F, start=torch.zeros(2)).value.tolist()
        [2.5, 0.0]
    """

    rule: StoppingRule = field(default=IterationBound(3000) | SmallGap(1e-3) | SmallResidual(1e-6))

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
                value=lambda state: state.x,
                certify=lambda state: _certificate(problem, state.x),
            )

    def init(self, problem: Problem, start: Tensor) -> FistaState:
        """The first state, with the step that the operators' norms allow."""
        smooth, _ = _split(problem)
        curvature = sum(_curvature(term) for term in smooth)
        return FistaState(start, start, 1.0, 1.0 / curvature if curvature > 0 else 1.0, 0)

    def step(self, problem: Problem, state: FistaState) -> FistaState:
        """One iteration; pure, and differentiable in the tensors of problem and state."""
        smooth, sharp = _split(problem)
        x = state.ahead
        for term in smooth:
            x = x - state.step * term.gradient(state.ahead)
        if sharp is not None:
            x = sharp.prox(x, state.step)
        way = x - state.x
        overshot = float(torch.sum((state.ahead - x).conj() * way).real) > 0
        before = 1.0 if overshot else state.momentum
        after = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * before**2))
        ahead = x + ((before - 1.0) / after) * way
        return FistaState(x, ahead, after, state.step, state.iteration + 1)

    def _measure(self, problem: Problem, before: FistaState, after: FistaState) -> Progress:
        length = norm(after.x)
        scale = length if length > 0 else 1.0
        look = self.rule.reads_gap and after.iteration % CERTIFIED_EVERY == 0
        certificate = _certificate(problem, after.x) if look else None
        return Progress(
            change=norm(after.x - before.x) / scale,
            residual=norm(after.x - before.ahead) / scale,
            gap=math.nan if certificate is None else certificate.relative,
        )


def _curvature(term: Term) -> float:
    return term.strength * term.function.smoothness * term.operator.norm_bound() ** 2


def _split(problem: Problem) -> tuple[list[Term], Term | None]:
    """The smooth terms, and the one whose prox is taken."""
    sharp = [term for term in problem.terms if not math.isfinite(term.function.smoothness)]
    fits = len(sharp) < 2 and all(isinstance(term.operator, Identity) for term in sharp)
    if not (fits and problem.convex):
        raise UsageError(
            "GD-101",
            given=f"terms {[type(t.function).__name__ for t in sharp]} that are not smooth",
            allowed="convex terms, of which at most one is not smooth, and that one behind the identity",
            do="use Pdhg, or smooth a prior",
        )
    return [term for term in problem.terms if math.isfinite(term.function.smoothness)], sharp[0] if sharp else None


def _certificate(problem: Problem, x: Tensor) -> Certificate | None:
    """With the dual variable that balances the smooth terms' gradients, moved into its domain."""
    smooth, _ = _split(problem)
    pull = torch.zeros_like(x)
    for term in smooth:
        pull = pull + term.gradient(x)
    return problem.certificate(x, [-pull if not math.isfinite(t.function.smoothness) else None for t in problem.terms])
