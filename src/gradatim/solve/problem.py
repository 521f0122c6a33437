"""An objective as a sum of functions behind linear maps, and what can be proved about a point of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.identity import Identity
from gradatim.linop.operator import LinearOperator, Shape
from gradatim.solve.evaluate import norm
from gradatim.solve.function import Function
from gradatim.solve.solution import Certificate
from gradatim.solve.weights import inner


@dataclass(frozen=True, eq=False)
class Term:
    """One summand λ·f(K x).

    Args:
        function: f.
        operator: K.
        weight: λ ≥ 0; a scalar tensor where its gradient is wanted. 1 for data, the regularisation
            parameter for a prior; its unit makes λ·f the unit of the data term.

    Raises:
        UsageError: GD-101 if λ is negative or not finite.
    """

    function: Function
    operator: LinearOperator
    weight: float | Tensor = 1.0

    def __post_init__(self) -> None:
        weight = self.strength
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError("GD-101", given=f"a term's weight {weight}", allowed="a finite λ ≥ 0", do="check λ")

    @property
    def strength(self) -> float:
        """λ as a number, out of the reach of gradients."""
        return float(self.weight.detach() if isinstance(self.weight, Tensor) else self.weight)

    def value(self, x: Tensor) -> Tensor:
        """λ·f(K x), a float64 scalar; 0 for λ = 0, also where f is infinite."""
        found = self.function.value(self.operator.apply(x))
        return self.weight * (found if self.strength > 0 else torch.where(found.isinf(), 0.0, found))

    def gradient(self, x: Tensor) -> Tensor:
        """λ·K*∇f(K x) where f is smooth."""
        return self.operator.adjoint(self.weight * self.function.gradient(self.operator.apply(x)))

    def conjugate(self, p: Tensor) -> Tensor | None:
        """(λf)*(p) = λ·f*(p/λ), for λ = 0 the indicator of p = 0; None where f* is not known."""
        if self.strength == 0:
            return torch.where((p == 0).all(), 0.0, math.inf).to(torch.float64)
        found = self.function.conjugate(p / self.weight)
        return None if found is None else self.weight * found

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        """The proximal map of λ·f, without K."""
        return v if self.strength == 0 else self.function.prox(v, step * self.weight)

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        """The proximal map of (λf)*: λ·prox of (step/λ)·f* at p/λ; 0 for λ = 0."""
        if self.strength == 0:
            return torch.zeros_like(p)
        return self.weight * self.function.dual_prox(p / self.weight, step / self.weight)


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise F(x) = Σᵢ λᵢ·fᵢ(Kᵢ x).

    Every solver of this floor takes one. The data term comes with λ = 1: F(x) = ½‖A x − y‖²_W + λ R(x).

    Args:
        terms: the summands, at least one, of one domain.

    Raises:
        UsageError: GD-101 if there is no term; GD-103 if the domains differ.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import L1
        >>> one = Identity((2, 2))
        >>> F = Problem((Term(SquaredDistance(torch.ones(2, 2)), one), Term(L1(), one, 0.5)))
        >>> F.value(torch.zeros(2, 2)).item(), F.value(torch.ones(2, 2)).item()
        (2.0, 2.0)
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise UsageError("GD-101", given="no terms", allowed="at least one", do="give the objective's summands")
        shapes = {term.operator.domain_shape for term in self.terms}
        if len(shapes) > 1:
            raise UsageError("GD-103", given=f"domains {sorted(shapes)}", allowed="one domain", do="use one grid")

    @property
    def domain_shape(self) -> Shape:
        """Shape of the trailing axes of x."""
        return self.terms[0].operator.domain_shape

    @property
    def convex(self) -> bool:
        """Whether every term is convex."""
        return all(term.function.convex for term in self.terms)

    def value(self, x: Tensor) -> Tensor:
        """F(x), a float64 scalar, differentiable where F is."""
        return torch.stack([torch.as_tensor(term.value(x)) for term in self.terms]).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """∇F(x) for smooth terms."""
        first, *others = (term.gradient(x) for term in self.terms)
        for other in others:
            first = first + other
        return first

    @property
    def smoothness(self) -> float:
        """An upper bound of the Lipschitz constant of ∇F, Σ λᵢ·Lᵢ·‖Kᵢ‖²; inf where a term is not smooth."""
        return sum(_smoothness(term) for term in self.terms)

    def certificate(
        self, x: Tensor, duals: Sequence[Tensor | None], *, radius: float | None = None
    ) -> Certificate | None:
        """How far F(x) can be above the minimum, from one dual variable a term; None where that cannot be told.

        For any pᵢ with finite (λᵢfᵢ)*(pᵢ) and r = Σ Kᵢ*pᵢ, Fenchel's inequality gives for every x*::

            F(x) − F(x*) ≤ Σ [λᵢfᵢ(Kᵢx) + (λᵢfᵢ)*(pᵢ) − ⟨pᵢ, Kᵢx⟩] + ‖r‖·‖x − x*‖

        Where a strongly convex term stands behind the identity (denoising), its dual variable is set so that
        r = 0 and the bound is the duality gap, whatever x* is. Otherwise the bound holds for every x* within
        ``radius`` of x, and the certificate carries that radius. Where x has hardly moved from 0, 2‖x‖ alone would
        make everything look solved; so by default the radius is twice the larger of ‖x‖ and ‖r‖/c, with c an upper
        bound of the curvature of the smooth terms along r: the minimum of a quadratic is no nearer than that. A
        smooth term takes its own gradient, where Fenchel's inequality is an equality. What rounding
        may have taken is added.

        Args:
            x: the point, (..., *domain_shape).
            duals: pᵢ of the shape of Kᵢ x, one a term; None for smooth terms will do. Moved into the domain
                of the conjugate where they lie outside.
            radius: of the ball, unit of x.

        Returns:
            The certificate; None if a term is not convex or its conjugate is not known, and at x = 0 where no smooth
            term tells how far the minimum may be.
        """
        if not self.convex:
            return None
        with torch.no_grad():
            points = [_dual(term, x, p) for term, p in zip(self.terms, duals, strict=True)]
            pivot = next((i for i, term in enumerate(self.terms) if _is_pivot(term)), None)
            pulls = [None if i == pivot or p is None else t.operator.adjoint(p)
                     for i, (t, p) in enumerate(zip(self.terms, points, strict=True))]  # fmt: skip
            rest = sum((pull for pull in pulls if pull is not None), torch.zeros_like(x))
            if pivot is not None:
                points[pivot], rest = -rest, torch.zeros_like(x)
            gaps = [_fenchel(term, x, p) for term, p in zip(self.terms, points, strict=True)]
            if any(gap is None for gap in gaps):
                return None
            slope = norm(rest)
            reach = 0.0 if slope == 0 else (self._reach(x, rest, slope) if radius is None else radius)
            if slope > 0 and reach == 0:
                return None
            total = math.fsum(gap for gap in gaps if gap is not None) + slope * reach
            return Certificate(max(total, 0.0), float(self.value(x)), reach, self._modulus)

    def _reach(self, x: Tensor, rest: Tensor, slope: float) -> float:
        """Twice the larger of ‖x‖ and ‖r‖/c, c = Σ λᵢLᵢ‖Kᵢ r‖²/‖r‖² over the smooth terms."""
        along = rest / slope
        bend = sum(
            term.strength * term.function.smoothness * norm(term.operator.apply(along)) ** 2
            for term in self.terms
            if math.isfinite(term.function.smoothness) and term.strength > 0
        )
        return 2.0 * max(norm(x), slope / bend if bend > 0 else 0.0)

    @property
    def _modulus(self) -> float:
        """Strong convexity that the terms behind the identity give F."""
        return sum(t.strength * t.function.strong_convexity for t in self.terms if isinstance(t.operator, Identity))


def _smoothness(term: Term) -> float:
    weight, curvature = term.strength, term.function.smoothness
    if weight == 0 or curvature == 0:
        return 0.0
    return weight * curvature * term.operator.norm_bound() ** 2 if math.isfinite(curvature) else math.inf


def _is_pivot(term: Term) -> bool:
    return isinstance(term.operator, Identity) and term.function.strong_convexity > 0 and term.strength > 0


def _dual(term: Term, x: Tensor, p: Tensor | None) -> Tensor | None:
    """A dual variable of a term inside the domain of its conjugate."""
    if term.strength == 0:
        return torch.zeros_like(term.operator.apply(x))
    if math.isfinite(term.function.smoothness):
        return term.weight * term.function.gradient(term.operator.apply(x))
    return None if p is None else term.weight * term.function.dual_point(p / term.weight)


def _fenchel(term: Term, x: Tensor, p: Tensor | None) -> float | None:
    """λf(K x) + (λf)*(p) − ⟨p, K x⟩ ≥ 0 and what rounding may have taken from it; None where f* is not known."""
    if p is None:
        return None
    if term.strength == 0:  # then p = 0
        return 0.0
    conjugate = term.conjugate(p)
    if conjugate is None:
        return None
    image = term.operator.apply(x)
    parts = [float(term.strength * term.function.value(image)), float(conjugate), -float(inner(p, image))]
    return sum(parts) + torch.finfo(x.dtype).eps * sum(map(abs, parts))
