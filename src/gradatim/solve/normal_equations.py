"""Quadratic problems by conjugate gradients on their normal equations."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.function import Function
from gradatim.solve.normal_operator import NormalOperator
from gradatim.solve.norms import SquaredL2
from gradatim.solve.problem import Problem
from gradatim.solve.solution import Solution
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule


@dataclass(frozen=True)
class NormalEquations:
    """Minimises Σᵢ ½λᵢ‖Kᵢ x − yᵢ‖²_Wᵢ by conjugate gradients on (Σ λᵢ Kᵢ*Wᵢ Kᵢ) x = Σ λᵢ Kᵢ*Wᵢ yᵢ.

    The residual of the history is that of the equations, relative to their right side. Differentiable by
    unrolling, or by :class:`~gradatim.solve.implicit.ImplicitSolution`.

    Args:
        rule: when to stop; sees ``change`` and ``residual``.

    Raises:
        InputError: GD-641 if a term is neither a :class:`SquaredDistance` nor a :class:`SquaredL2`.

    Source:
        Hestenes & Stiefel, J Res Natl Bur Stand 49:409-436, 1952.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.problem import Term
        >>> one, y = Identity((2, 2)), torch.full((2, 2), 3.0)
        >>> ridge = Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, 2.0)))
        >>> NormalEquations()(ridge, start=torch.zeros(2, 2)).value[0].tolist()
        [1.0, 1.0]
    """

    rule: StoppingRule = field(default=IterationBound(500) | SmallResidual(1e-6))

    def __call__(self, problem: Problem, *, start: Tensor) -> Solution:
        """Minimise from a start, in its dtype and on its device.

        Args:
            problem: a sum of quadratics.
            start: first iterate, (..., *domain_shape); zeros do.

        Returns:
            The solution, of the shape of ``start``.
        """
        quadratics = [(term, _quadratic(term.function)) for term in problem.terms]
        right = torch.zeros_like(start)
        for term, f in quadratics:
            if isinstance(f, SquaredDistance):
                right = right + term.operator.adjoint(term.weight * f.weights * f.target)
        system = NormalOperator(
            tuple(term.operator for term, _ in quadratics),
            tuple(term.weight * quadratic_weights(f) for term, f in quadratics),
        )
        return ConjugateGradient(self.rule)(right, system=system, start=start)


def quadratic_weights(function: SquaredDistance | SquaredL2) -> float | Tensor:
    """W of a quadratic ½‖u − y‖²_W, with or without y.

    Example:
        >>> quadratic_weights(SquaredL2(2.0))
        2.0
    """
    return function.weights if isinstance(function, SquaredDistance) else function.weight


def _quadratic(function: Function) -> SquaredDistance | SquaredL2:
    if isinstance(function, (SquaredDistance, SquaredL2)):
        return function
    raise InputError(
        "GD-641",
        given=f"a {type(function).__name__} in a problem for normal equations",
        allowed="SquaredDistance and SquaredL2",
        do="choose Pdhg, Admm or Fista for priors that are not quadratic",
    )
