"""Between which values λ has to be looked for, found from the problem itself."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.seeds import generator
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.evaluate import norm
from gradatim.solve.normal_operator import NormalOperator
from gradatim.solve.problem import Term
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.stopping import IterationBound, SmallResidual
from gradatim.solve.weights import root

DECADES = 4.0
"""From the λ that leaves nothing of the data down to where the search begins to be in vain."""
STIFFENING = 30.0
"""Factor by which the quadratic prior grows until the fit no longer changes."""
LONGEST = 8
"""Times that it grows at most."""
SETTLED = 0.01
"""The fit counts as settled when less than this of its misfit is still to come."""
LARGEST = 1e6
"""Dual norms beyond so many Euclidean ones are infinite."""
PRECISION = 1e-4
"""Of a dual norm, relative."""
ROUNDING = 1e-5
"""What a prox leaves of a vector counts as nothing below this, relative to the vector."""
SUDDEN = 1e-2
"""What a norm's prox leaves at least of a vector halfway to the step that leaves nothing."""
RULE = IterationBound(500) | SmallResidual(1e-4)


def weight_range(path: RegularisationPath) -> tuple[float, float]:
    """A range of four decades below the λ from which on the prior alone decides.

    With x₀ the best fit that the prior leaves free (for a gradient, a constant) and p of least norm with
    K*p = A*W(y − A x₀), x₀ solves the problem for every λ ≥ R°(p), the dual norm of R = f(K·); so R°(p) is the
    upper end if R has a dual norm, which is where f* is 0 or ∞. For other priors, the quadratic ones, x₀ is
    only approached as 1/λ; there the upper end is the λ at which a tenth of the misfit of x₀ is left to gain.
    Both come from x_μ = argmin ½‖A x − y‖²_W + ½μ‖K x‖², with p = μK x_μ, for a μ so large that the fit no
    longer changes. They scale with the data and with K as λ does, so that no unit enters.

    Args:
        path: the problem for each λ.

    Returns:
        The least and the largest λ.

    Raises:
        InputError: GD-643 if the prior leaves nothing of the data to explain, or λ multiplies nothing.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.normal_equations import NormalEquations
        >>> from gradatim.solve.problem import Problem
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import L1
        >>> y, one = torch.tensor([[3.0, -5.0]]), Identity((1, 2))
        >>> lasso = lambda lam: Problem((Term(SquaredDistance(y), one), Term(L1(), one, lam)))
        >>> least, most = weight_range(RegularisationPath(lasso, NormalEquations(), torch.zeros(1, 2)))
        >>> round(least, 4), round(most, 1)
        (0.0005, 5.0)
    """
    prior = path.prior_terms()
    if not prior:
        raise _nothing("a prior that λ does not multiply")
    with torch.no_grad():
        stiff, stiffness, fit, spread = _limit(path, prior)
        forces = [stiffness * term.weight * term.operator.apply(stiff) for term in prior]
        norms = [_dual_norm(term, force) for term, force in zip(prior, forces, strict=True)]
        if all(math.isfinite(each) for each in norms):
            most = max(norms)
        else:
            most = 10.0 * stiffness * spread / fit if fit > 0 else 0.0
    if not (math.isfinite(most) and most > 0):
        raise _nothing("data that the prior alone explains")
    return most / 10.0**DECADES, most


def _limit(path: RegularisationPath, prior: tuple[Term, ...]) -> tuple[Tensor, float, float, float]:
    """x_μ for a large μ, that μ, the misfit ‖A x_μ − y‖, and ‖A(x_μ − x₀)‖, norms weighted by W."""
    data, f = path.data(1.0)
    whitening = root(f.weights)
    right = data.operator.adjoint(f.weights * f.target).expand_as(path.start)
    probe = torch.randn(right.shape, generator=generator(0), dtype=right.dtype).to(right.device)
    resistance = sum(t.strength * norm(t.operator.apply(probe)) ** 2 for t in prior)
    stiffness = norm(whitening * data.operator.apply(probe)) ** 2 / resistance if resistance > 0 else 1.0
    x, image, spread = path.start, torch.zeros_like(f.target), math.inf
    for _ in range(LONGEST):
        system = NormalOperator(
            (data.operator, *(t.operator for t in prior)), (f.weights, *(stiffness * t.weight for t in prior))
        )
        x = ConjugateGradient(RULE)(right, system=system, start=x).value
        previous, image = image, data.operator.apply(x)
        fit = norm(whitening * (image - f.target))
        # x_μ − x₀ falls as 1/μ, so that the way from the μ before is this many times the way still to go
        spread = norm(whitening * (image - previous)) / (STIFFENING - 1.0)
        if spread < SETTLED * fit:
            break
        stiffness *= STIFFENING
    return x, stiffness, fit, spread


def _dual_norm(term: Term, p: Tensor) -> float:
    """The least s for which the prox of s·f takes p to 0; inf where none does."""
    length = norm(p)
    if length == 0:
        return 0.0

    largest = float(p.abs().max())

    def remains(step: float) -> bool:
        return float(term.function.prox(p, step).abs().max()) > ROUNDING * largest

    low, high = 0.0, length
    while remains(high):
        low, high = high, 2.0 * high
        if high > LARGEST * length:
            return math.inf
    while high - low > PRECISION * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if remains(middle) else (low, middle)
    # a norm's prox falls to 0 on a finite way; that of a quadratic only approaches it
    sudden = float(term.function.prox(p, 0.5 * high).abs().max()) > SUDDEN * largest
    return high / term.strength if sudden else math.inf


def _nothing(given: str) -> InputError:
    return InputError(
        "GD-643",
        given=given,
        allowed="a prior with some resistance against the data, multiplied by λ",
        do="check the problem's terms, or give the range of λ",
    )
