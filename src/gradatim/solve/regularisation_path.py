"""Solutions of one problem as its regularisation parameter changes, each solved once and from a near one."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Solution
from gradatim.solve.weights import root


class Solver(Protocol):
    """A method that minimises a problem from a start, as Pdhg, Admm, Fista and NormalEquations do."""

    def __call__(self, problem: Problem, *, start: Tensor) -> Solution:
        """Minimise."""


ProblemAt = Callable[[float], Problem]
"""λ → the problem; the data term stands first, and λ multiplies the terms of the prior."""


@dataclass(frozen=True, eq=False)
class RegularisationPath:
    """Minimisers of ½‖A x − y‖²_W + λR(x), where the problem for each λ is made by a function.

    Whatever is asked for is solved once, from the solution at the nearest λ solved before, and kept.

    Args:
        problem_at: λ → problem. Its first term is the data term, a :class:`SquaredDistance`; the prior is
            made of the terms whose weight changes with λ; any other (a constraint) stays.
        method: solves it.
        start: first iterate.

    Raises:
        InputError: GD-642 if the first term is not a :class:`SquaredDistance`.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.normal_equations import NormalEquations
        >>> from gradatim.solve.norms import SquaredL2
        >>> y, one = torch.full((2, 2), 2.0), Identity((2, 2))
        >>> path = RegularisationPath(
        ...     lambda lam: Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, lam))),
        ...     NormalEquations(),
        ...     torch.zeros(2, 2),
        ... )
        >>> path.misfit(1.0), path.prior(1.0)
        (1.0, 2.0)
    """

    problem_at: ProblemAt
    method: Solver
    start: Tensor
    solved: dict[float, Solution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data(1.0)

    def at(self, weight: float) -> Solution:
        """The solution for λ = ``weight`` > 0."""
        if weight not in self.solved:
            near = min(self.solved, key=lambda known: abs(math.log(known / weight)), default=None)
            start = self.start if near is None else self.solved[near].value
            self.solved[weight] = self.method(self.problem_at(weight), start=start)
        return self.solved[weight]

    def data(self, weight: float) -> tuple[Term, SquaredDistance]:
        """The data term of the problem for λ, and its function."""
        term = self.problem_at(weight).terms[0]
        if not isinstance(term.function, SquaredDistance):
            raise InputError(
                "GD-642",
                given=f"{type(term.function).__name__} as the first term",
                allowed="the data term first, a SquaredDistance: choosing λ needs Gaussian data",
                do="put the data term first",
            )
        return term, term.function

    def residual(self, weight: float) -> Tensor:
        """√W·(A x − y) at the solution for λ; its variance is σ² if x were the truth."""
        with torch.no_grad():
            term, f = self.data(weight)
            return root(f.weights) * (term.operator.apply(self.at(weight).value) - f.target)

    def misfit(self, weight: float) -> float:
        """Mean of W·|A x − y|² over the :meth:`count` data of positive weight."""
        residual = self.residual(weight)
        return float(residual.abs().square().sum(dtype=torch.float64)) / max(self.count, 1)

    @property
    def count(self) -> int:
        """How many real numbers of positive weight the data are; a complex number counts as two."""
        _, f = self.data(1.0)
        seen = int((torch.as_tensor(f.weights) > 0).expand(f.target.shape).sum())
        return 2 * seen if f.target.is_complex() else seen

    def prior_terms(self) -> tuple[Term, ...]:
        """The terms that λ multiplies, with their weights for λ = 1."""
        pairs = zip(self.problem_at(1.0).terms[1:], self.problem_at(2.0).terms[1:], strict=True)
        return tuple(one for one, two in pairs if one.strength != two.strength)

    def prior(self, weight: float) -> float:
        """R(x) at the solution for λ, in float64."""
        with torch.no_grad():
            return sum(float(term.value(self.at(weight).value)) for term in self.prior_terms())

    def shifted(self, shift: Tensor) -> "RegularisationPath":
        """The path of the data y + ``shift``, with nothing solved yet."""

        def problem_at(weight: float) -> Problem:
            first, *others = self.problem_at(weight).terms
            _, f = self.data(weight)
            return Problem((replace(first, function=replace(f, target=f.target + shift)), *others))

        return RegularisationPath(problem_at, self.method, self.start)
