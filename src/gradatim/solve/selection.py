"""A problem solved and its regularisation parameter chosen, in one call."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.criterion import Criterion
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.regularisation_path import ProblemAt, RegularisationPath, Solver
from gradatim.solve.solution import Solution
from gradatim.solve.weight_range import weight_range


@dataclass(frozen=True, eq=False)
class Selection:
    """A solution with the λ that was chosen for it, and why.

    Args:
        solution: at the chosen λ.
        weight: λ; multiplies R in ½‖A x − y‖²_W + λR(x).
        weights: every λ that was tried, rising.
        values: the criterion there; what it is, the criterion says.
        at_edge: whether the range of λ decided instead of the criterion. Then do not trust λ: widen the range.
        message: what that means; empty if all is well.
    """

    solution: Solution
    weight: float
    weights: tuple[float, ...]
    values: tuple[float, ...]
    at_edge: bool
    message: str

    @property
    def value(self) -> Tensor:
        """The image."""
        return self.solution.value


@dataclass(frozen=True, eq=False)
class Selected:
    """Minimises ½‖A x − y‖²_W + λR(x) and chooses λ, in the same call.

    The range of λ is found from the problem (:func:`~gradatim.solve.weight_range.weight_range`) unless it is
    given; each solve starts from the solution at the nearest λ. An optimum at the edge of the range is not
    hidden: ``at_edge`` and ``message`` say so. Not differentiable.

    Args:
        criterion: DiscrepancyPrinciple, Sure, GeneralisedCrossValidation or LCurve.
        method: solves one problem; its tolerance must be finer than the differences that the criterion looks at.
        range: least and largest λ; None to find them.
        points: of the first geometric grid over the range.

    Raises:
        UsageError: GD-101 for a range that is not positive and rising, or fewer than 5 points; GD-642 if the
            problem does not begin with a SquaredDistance; GD-643 if no range can be found.

    Source:
        Hansen, Discrete Inverse Problems, SIAM 2010, chapter 5.

    Example:
        >>> import torch
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.discrepancy_principle import DiscrepancyPrinciple
        >>> from gradatim.solve.normal_equations import NormalEquations
        >>> from gradatim.solve.norms import SquaredL2
        >>> from gradatim.solve.problem import Problem, Term
        >>> from gradatim.solve.distances import SquaredDistance
        >>> y, one = torch.tensor([[3.0, 3.0]]), Identity((1, 2))
        >>> ridge = lambda lam: Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, lam)))
        >>> found = Selected(DiscrepancyPrinciple(1.0), NormalEquations())(ridge, start=torch.zeros(1, 2))
        >>> round(found.weight, 2), [round(v, 2) for v in found.value[0].tolist()], found.at_edge
        (0.5, [2.0, 2.0], False)
    """

    criterion: Criterion
    method: Solver = field(default_factory=Pdhg)
    range: tuple[float, float] | None = None
    points: int = 13

    def __post_init__(self) -> None:
        least, most = (1.0, 2.0) if self.range is None else self.range
        if not (0 < least < most < math.inf) or self.points < 5:
            raise UsageError(
                "GD-101",
                given=f"a range of λ {self.range} with {self.points} points",
                allowed="0 < least < largest, at least 5 points",
                do="leave the range out to have it found",
            )

    def __call__(self, problem_at: ProblemAt, *, start: Tensor) -> Selection:
        """Choose λ and solve.

        Args:
            problem_at: λ → problem; its data term stands first.
            start: first iterate, (..., *domain_shape). One λ is chosen for a whole batch.

        Returns:
            The solution at the chosen λ, with the curve.
        """
        path = RegularisationPath(problem_at, self.method, start)
        least, most = weight_range(path) if self.range is None else self.range
        ratio = math.log(most / least) / (self.points - 1)
        weights = (least, *(least * math.exp(i * ratio) for i in range(1, self.points - 1)), most)
        choice = self.criterion.choose(path, weights)
        return Selection(
            path.at(choice.weight), choice.weight, choice.weights, choice.values, choice.at_edge, choice.message
        )
