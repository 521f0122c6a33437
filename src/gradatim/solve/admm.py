"""Sums of convex functions behind shift-invariant operators, with an exact Fourier step."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import irfftn
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.solve.evaluate import norm
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, StoppingRule

BALANCE_EVERY = 5
"""Iterations between two looks at the penalties; residuals need a few to settle after a change."""
LARGEST_FACTOR = 4.0
"""No penalty changes by more than this at once."""
CERTIFIED_EVERY = 10
"""Iterations between two certificates, where a rule asks for them; one costs about an iteration."""


@dataclass(frozen=True)
class Admm:
    """Minimises Σᵢ λᵢ fᵢ(Kᵢ x), every Kᵢ shift-invariant, by the alternating direction method of multipliers.

    With copies zᵢ = Kᵢ x, scaled duals uᵢ and penalties ρᵢ, an iteration is::

        x  ← F⁻¹[ Σ ρᵢ F Kᵢ*(zᵢ − uᵢ) / Σ ρᵢ gᵢ ]     gᵢ the symbol of Kᵢ*Kᵢ: an exact solve
        vᵢ ← α Kᵢ x + (1 − α) zᵢ + uᵢ                   over-relaxed
        zᵢ ← prox of λᵢfᵢ/ρᵢ at vᵢ;   uᵢ ← vᵢ − zᵢ

    Frequencies that no Kᵢ sees are 0 in x. Each ρᵢ is balanced by its own relative primal residual
    ‖Kᵢx − zᵢ‖/max(‖Kᵢx‖, ‖zᵢ‖) and dual residual ‖zᵢ − zᵢ⁻‖/‖uᵢ‖, ever more rarely, so that the
    iteration ends with fixed penalties, for which it is known to converge. A constraint holds only as well as the
    residuals are small, so F and its certificate are inf there; :class:`gradatim.solve.pdhg.Pdhg` keeps to it. The
    residual of the history is the largest of these numbers. The dual variables of the certificate are ρᵢ uᵢ. Not
    differentiable; memory is 2 volumes a copy and about 6 more.

    Args:
        rule: when to stop; sees ``change``, ``residual`` and, now and again, ``gap``.
        relaxation: α between 1 and 2 (exclusive); 1.6 is customary.
        balanced_iterations: penalties are adapted only in the first so many iterations.

    Raises:
        UsageError: GD-101 if α is not in [1, 2), an operator is not shift-invariant or a penalty not positive.

    Source:
        Boyd et al., Found Trends Mach Learn 3:1-122, 2011, section 3.4; Wohlberg, arXiv 1704.06209
        (relative residuals for the balance).

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import L1
        >>> y, one = torch.full((2, 2, 2), 3.0), Identity((2, 2, 2))
        >>> found = Admm()(Problem((Term(SquaredDistance(y), one), Term(L1(), one, 1.0))), start=torch.zeros_like(y))
        >>> round(found.value.mean().item(), 2)
        2.0
    """

    rule: StoppingRule = field(default=IterationBound(300) | RelativeChange(1e-4))
    relaxation: float = 1.6
    balanced_iterations: int = 100

    def __post_init__(self) -> None:
        if not 1.0 <= self.relaxation < 2.0:
            raise UsageError(
                "GD-101", given=f"relaxation {self.relaxation}", allowed="1 ≤ α < 2", do="use 1.6, or 1 for none"
            )

    def __call__(self, problem: Problem, *, start: Tensor, penalties: Sequence[float] | None = None) -> Solution:
        """Minimise from a start, in its dtype and on its device.

        Args:
            problem: the objective.
            start: first iterate, (..., *domain_shape); zeros do.
            penalties: first guess of each ρᵢ > 0, unit of fᵢ per squared unit of Kᵢ x. By default the
                curvature of smooth terms, and for the others what gives them the same part in the x-step.

        Returns:
            The solution, of the shape of ``start``.
        """
        shape = problem.domain_shape
        first = _first_penalties(problem) if penalties is None else penalties
        history: list[Progress] = []
        with torch.no_grad():
            splits = [_Split(term, start, penalty) for term, penalty in zip(problem.terms, first, strict=True)]
            denominator = _inverse_gram(splits, start)
            x = start
            while True:
                spectrum = splits[0].pull()
                for split in splits[1:]:
                    spectrum += split.pull()
                spectrum *= denominator
                x, previous = irfftn(spectrum, shape), x
                for split in splits:
                    split.advance(spectrum, x, self.relaxation)
                change = norm(x - previous) / max(norm(x), sys.float_info.min)
                if not math.isfinite(change):
                    return Solution(previous, Stop.NON_FINITE, len(history), tuple(history))
                done = len(history) + 1
                look = self.rule.reads_gap and done % CERTIFIED_EVERY == 0
                certificate = problem.certificate(x, [s.dual_variable for s in splits]) if look else None
                history.append(Progress(
                    change=change,
                    residual=max(max(s.primal, s.dual) for s in splits),
                    gap=math.nan if certificate is None else certificate.relative,
                ))  # fmt: skip
                reason = self.rule.check(history)
                if reason is not None:
                    proof = problem.certificate(x, [s.dual_variable for s in splits])
                    return Solution(x, reason, done, tuple(history), proof)
                if done % BALANCE_EVERY == 0 and done <= self.balanced_iterations:
                    for split in splits:
                        split.balance(1.0 - done / (self.balanced_iterations + 1))
                    denominator = _inverse_gram(splits, start)


class _Split:
    """One copy z = K x with its scaled dual u, penalty ρ and the two relative residuals of the last step."""

    def __init__(self, term: Term, start: Tensor, penalty: float) -> None:
        if not isinstance(term.operator, ShiftInvariant):
            raise UsageError(
                "GD-101",
                given=f"a term behind {type(term.operator).__name__}",
                allowed="shift-invariant operators, which Fourier transforms make diagonal",
                do="use Pdhg, or put masks into the weights of the function",
            )
        if not (math.isfinite(penalty) and penalty > 0):
            raise UsageError("GD-101", given=f"penalty {penalty}", allowed="a positive number", do="leave it out")
        self.term, self.operator, self.penalty = term, term.operator, penalty
        image = term.operator.apply(start)
        self.copy = term.prox(image, 1.0 / penalty)
        self.scaled_dual = image - self.copy
        self.primal = self.dual = math.inf

    @property
    def dual_variable(self) -> Tensor:
        """ρ u, a subgradient of λ·f at the copy."""
        return self.penalty * self.scaled_dual

    def pull(self) -> Tensor:
        """ρ F K*(z − u)."""
        return self.operator.adjoint_spectrum(self.copy - self.scaled_dual).mul_(self.penalty)

    def advance(self, spectrum: Tensor, x: Tensor, relaxation: float) -> None:
        """The prox and dual steps, given both F x and x."""
        image = self.operator.forward_from(spectrum, x)
        moved = torch.lerp(self.copy, image, relaxation).add_(self.scaled_dual)
        copy = self.term.prox(moved, 1.0 / self.penalty)
        tiny = sys.float_info.min
        self.primal = norm(image - copy) / max(norm(image), norm(copy), tiny)
        self.scaled_dual = moved - copy  # not in place: a prox may return what it was given
        self.dual = norm(copy - self.copy) / max(norm(self.scaled_dual), tiny)
        self.copy = copy

    def balance(self, damping: float) -> None:
        """Move ρ towards equal residuals, ρ ← ρ·(primal/dual)^(damping/2), within a factor; u keeps ρ·u."""
        if not (self.primal > 0 and self.dual > 0):
            return
        factor = math.sqrt(self.primal / self.dual) ** damping
        factor = min(max(factor, 1.0 / LARGEST_FACTOR), LARGEST_FACTOR)
        self.penalty *= factor
        self.scaled_dual /= factor


def _inverse_gram(splits: Sequence[_Split], like: Tensor) -> Tensor:
    total = splits[0].operator.gram_symbol(like) * splits[0].penalty
    for split in splits[1:]:
        total = total + split.operator.gram_symbol(like) * split.penalty
    unseen = total <= torch.finfo(total.dtype).eps * total.max()
    return torch.where(unseen, torch.zeros_like(total), total.reciprocal())


def _first_penalties(problem: Problem) -> list[float]:
    """ρ = curvature for smooth terms; others get the ρ with which ρ‖K‖² is the smooth terms' mean."""
    bounds = [term.operator.norm_bound() ** 2 for term in problem.terms]
    curvatures = [term.strength * term.function.smoothness for term in problem.terms]
    pulls = [c * b for c, b in zip(curvatures, bounds, strict=True) if math.isfinite(c) and c > 0]
    typical = sum(pulls) / len(pulls) if pulls else 1.0
    return [
        c if math.isfinite(c) and c > 0 else typical / max(b, sys.float_info.min)
        for c, b in zip(curvatures, bounds, strict=True)
    ]
