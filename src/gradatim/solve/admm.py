"""Sums of convex functions behind shift-invariant operators, with an exact Fourier step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import irfftn
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.solve.proximal import ProximalFunction
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, StoppingRule

BALANCE_EVERY = 5
"""Iterations between two looks at the penalties; residuals need a few to settle after a change."""
LARGEST_FACTOR = 4.0
"""No penalty changes by more than this at once."""


@dataclass(frozen=True, eq=False)
class Term:
    """One summand f(K x).

    Args:
        function: f, by its value and its proximal map.
        operator: K, diagonal in Fourier space.
        penalty: first guess of ρ > 0, unit of f per squared unit of K x. Near the curvature of f: W for
            a data term, λ over the smallest gradient that matters for total variation.

    Raises:
        UsageError: GD-101 if the penalty is not positive and finite.
    """

    function: ProximalFunction
    operator: ShiftInvariant
    penalty: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.penalty) and self.penalty > 0):
            raise UsageError("GD-101", given=f"penalty {self.penalty}", allowed="a positive number", do="start with 1")


def objective(terms: Sequence[Term], x: Tensor) -> float:
    """Σᵢ fᵢ(Kᵢ x), summed in float64.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.proximal import L1
        >>> objective([Term(L1(2.0), Identity((2, 2, 2)))], torch.ones(2, 2, 2))
        16.0
    """
    return float(sum(float(t.function.value(t.operator.apply(x))) for t in terms))


@dataclass(frozen=True)
class Admm:
    """Minimises Σᵢ fᵢ(Kᵢ x) by the alternating direction method of multipliers.

    With copies zᵢ = Kᵢ x, scaled duals uᵢ and penalties ρᵢ, an iteration is::

        x  ← F⁻¹[ Σ ρᵢ F Kᵢ*(zᵢ − uᵢ) / Σ ρᵢ gᵢ ]     gᵢ the symbol of Kᵢ*Kᵢ: an exact solve
        vᵢ ← α Kᵢ x + (1 − α) zᵢ + uᵢ                   over-relaxed
        zᵢ ← prox of fᵢ/ρᵢ at vᵢ;   uᵢ ← vᵢ − zᵢ

    Frequencies that no Kᵢ sees are 0 in x. Each ρᵢ is balanced by its own relative primal residual
    ‖Kᵢx − zᵢ‖/max(‖Kᵢx‖, ‖zᵢ‖) and dual residual ‖zᵢ − zᵢ⁻‖/‖uᵢ‖, ever more rarely, so that the
    iteration ends with fixed penalties, for which it is known to converge. The residual of the history is
    the largest of these numbers. Not differentiable; memory is 2 volumes a copy and about 6 more.

    Args:
        rule: when to stop; sees ``change`` and ``residual``.
        relaxation: α between 1 and 2 (exclusive); 1.6 is customary.
        balanced_iterations: penalties are adapted only in the first so many iterations.

    Raises:
        UsageError: GD-101 if α is not in [1, 2) or there is no term; GD-103 if the terms' domains differ.

    Source:
        Boyd et al., Found Trends Mach Learn 3:1-122, 2011, section 3.4; Wohlberg, arXiv 1704.06209
        (relative residuals for the balance).

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.proximal import L1, SquaredDistance
        >>> y, one = torch.full((2, 2, 2), 3.0), Identity((2, 2, 2))
        >>> found = Admm()([Term(SquaredDistance(y), one), Term(L1(1.0), one)], start=torch.zeros_like(y))
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

    def __call__(self, terms: Sequence[Term], *, start: Tensor) -> Solution:
        """Minimise from a start, in its dtype and on its device.

        Args:
            terms: the summands.
            start: first iterate, (..., x, y, z); zeros do.

        Returns:
            The solution, of the shape of ``start``.
        """
        shape = _common_shape(terms)
        history: list[Progress] = []
        with torch.no_grad():
            splits = [_Split(term, start) for term in terms]
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
                change = _norm(x - previous) / max(_norm(x), torch.finfo(x.dtype).tiny)
                if not math.isfinite(change):
                    return Solution(previous, Stop.NON_FINITE, len(history), tuple(history))
                history.append(Progress(change=change, residual=max(max(s.primal, s.dual) for s in splits)))
                reason = self.rule.check(history)
                if reason is not None:
                    return Solution(x, reason, len(history), tuple(history))
                done = len(history)
                if done % BALANCE_EVERY == 0 and done <= self.balanced_iterations:
                    for split in splits:
                        split.balance(1.0 - done / (self.balanced_iterations + 1))
                    denominator = _inverse_gram(splits, start)


class _Split:
    """One copy z = K x with its scaled dual u, penalty ρ and the two relative residuals of the last step."""

    def __init__(self, term: Term, start: Tensor) -> None:
        self.function, self.operator, self.penalty = term.function, term.operator, term.penalty
        image = term.operator.apply(start)
        self.copy = term.function.prox(image, 1.0 / term.penalty)
        self.scaled_dual = image - self.copy
        self.primal = self.dual = math.inf

    def pull(self) -> Tensor:
        """ρ F K*(z − u)."""
        return self.operator.adjoint_spectrum(self.copy - self.scaled_dual).mul_(self.penalty)

    def advance(self, spectrum: Tensor, x: Tensor, relaxation: float) -> None:
        """The prox and dual steps, given both F x and x."""
        image = self.operator.forward_from(spectrum, x)
        moved = torch.lerp(self.copy, image, relaxation).add_(self.scaled_dual)
        copy = self.function.prox(moved, 1.0 / self.penalty)
        tiny = torch.finfo(x.dtype).tiny
        self.primal = _norm(image - copy) / max(_norm(image), _norm(copy), tiny)
        self.scaled_dual = moved.sub_(copy)
        self.dual = _norm(copy - self.copy) / max(_norm(self.scaled_dual), tiny)
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


def _norm(x: Tensor) -> float:
    return float(torch.linalg.vector_norm(x))


def _common_shape(terms: Sequence[Term]) -> tuple[int, int, int]:
    if not terms:
        raise UsageError("GD-101", given="no terms", allowed="at least one", do="give the objective's summands")
    shapes = {term.operator.domain_shape for term in terms}
    if len(shapes) > 1:
        raise UsageError("GD-103", given=f"domains {sorted(shapes)}", allowed="one domain", do="use one grid")
    x, y, z = terms[0].operator.domain_shape
    return x, y, z
