"""λ without knowing the noise: generalised cross-validation."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.errors import UsageError
from gradatim.solve.criterion import Choice, Criterion, least
from gradatim.solve.degrees_of_freedom import MonteCarloDegreesOfFreedom, exact_degrees_of_freedom
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.weights import root

STEP = 0.01
"""Size of the shift in units of the root mean square of √W·y."""

LEFT = 0.1
"""Where less than this part of the data is left to judge by, the score is 0/0 and is not looked at."""


@dataclass(frozen=True, eq=False)
class GeneralisedCrossValidation(Criterion):
    """The λ that predicts left-out data best; needs no noise level, but noise that is white after √W.

    ::

        GCV(λ) = (‖√W(A x̂ − y)‖²/N) / (1 − df(λ)/N)²,     df = tr ∂(A x̂)/∂y

    df is exact where Fourier makes all terms diagonal, else a Monte-Carlo estimate from one more solve a λ
    (and probe). The rule is derived for quadratic priors, where it is right in the limit of many data; for
    others it is a customary approximation. Correlated noise (interpolated or filtered images) misleads it
    towards too little smoothing.

    Args:
        probes: random shifts of the data for the estimate of df.
        seed: of the shifts.

    Raises:
        UsageError: GD-101 if there is no probe.

    Source:
        Golub, Heath & Wahba, Technometrics 21:215-223, 1979; Girard, Numer Math 56:1-23, 1989 (Monte Carlo).

    Example:
        >>> GeneralisedCrossValidation().probes
        1
    """

    probes: int = 1
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        if self.probes < 1:
            raise UsageError("GD-101", given=f"{self.probes} probes", allowed="at least one", do="use 1")

    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        """The λ of the least score on the range."""
        count = max(path.count, 1)
        _, f = path.data(weights[0])
        size = float(torch.linalg.vector_norm(root(f.weights) * f.target))
        step = STEP * size / math.sqrt(count) or STEP
        estimate = MonteCarloDegreesOfFreedom(path, step, self.probes, self.seed)

        def score(weight: float) -> float:
            exact = exact_degrees_of_freedom(path, weight)
            freedom = estimate.at(weight) if exact is None else exact
            left = 1.0 - freedom / count
            return path.misfit(weight) / left**2 if left > LEFT else math.inf

        return least(score, weights, "the cross-validation score")
