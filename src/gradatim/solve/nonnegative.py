"""Non-negative least squares of few unknowns, solved exactly by an active set."""

import math
from dataclasses import dataclass

import torch
from scipy.optimize import nnls
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.identity import Identity
from gradatim.solve.constraints import NonNegative
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.normal_equations import quadratic_weights
from gradatim.solve.norms import SquaredL2
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Solution, Stop
from gradatim.solve.weights import root

LARGEST = 2000
"""Unknowns; beyond them a matrix of the problem no longer fits."""


@dataclass(frozen=True)
class NonNegativeLeastSquares:
    """Minimises Σᵢ ½λᵢ‖Kᵢ x − yᵢ‖²_Wᵢ over x ≥ 0 to rounding, however badly the Kᵢ are conditioned.

    The operators are written down as one matrix, and the active set is found by Lawson and Hanson. For tens to
    hundreds of unknowns, where first-order methods would need tens of thousands of steps: an inverse Laplace
    transform, for example. One problem, no batch, real numbers; not differentiable.

    Raises:
        InputError: GD-641, when called, if a term is neither quadratic nor NonNegative behind the identity.
        UsageError: GD-101, when called, for more than 2000 unknowns.

    Source:
        Lawson & Hanson, Solving Least Squares Problems, 1974, chapter 23.

    Example:
        >>> one, y = Identity((2,)), torch.tensor([3.0, -1.0]).double()
        >>> F = Problem((Term(SquaredDistance(y), one), Term(NonNegative(), one)))
        >>> NonNegativeLeastSquares()(F, start=torch.zeros(2).double()).value.tolist()
        [3.0, 0.0]
    """

    def __call__(self, problem: Problem, *, start: Tensor) -> Solution:
        """Minimise.

        Args:
            problem: a sum of quadratics, and x ≥ 0.
            start: gives shape, dtype and device only; the answer does not depend on it.
        """
        count = math.prod(problem.domain_shape)
        if count > LARGEST or tuple(start.shape) != tuple(problem.domain_shape):
            raise UsageError(
                "GD-101",
                given=f"a start of shape {tuple(start.shape)} for {count} unknowns",
                allowed=f"one problem of up to {LARGEST} unknowns",
                do="use Fista for larger ones",
            )
        parts = [_rows(term, count, start) for term in problem.terms if not _is_bound(term)]
        matrix = torch.cat([rows for rows, _ in parts]).cpu().numpy()
        right = torch.cat([target for _, target in parts]).cpu().numpy()
        try:
            found, _ = nnls(matrix, right, maxiter=30 * count)
        except RuntimeError:  # scipy's word for an active set that cycles on rounding
            return Solution(start, Stop.BOUND, 30 * count, ())
        value = torch.from_numpy(found).to(start.device, start.dtype).reshape(problem.domain_shape)
        return Solution(value, Stop.RESIDUAL, 1, ())


def _is_bound(term: Term) -> bool:
    return isinstance(term.function, NonNegative) and isinstance(term.operator, Identity)


def _rows(term: Term, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """√(λW)·K as a matrix, and √(λW)·y."""
    f = term.function
    if not isinstance(f, SquaredDistance | SquaredL2):
        raise InputError(
            "GD-641",
            given=f"a {type(f).__name__} in a non-negative least squares problem",
            allowed="SquaredDistance, SquaredL2, and NonNegative behind the identity",
            do="choose Fista, Pdhg or Admm for other terms",
        )
    shape = term.operator.domain_shape
    basis = torch.eye(count, dtype=torch.float64, device=like.device).reshape(count, *shape)
    columns = term.operator.apply(basis)
    scale = root(torch.as_tensor(quadratic_weights(f), dtype=torch.float64)) * math.sqrt(term.strength)
    target = f.target.double() if isinstance(f, SquaredDistance) else torch.zeros_like(columns[0])
    return (scale * columns).reshape(count, -1).T, (scale * target).flatten()
