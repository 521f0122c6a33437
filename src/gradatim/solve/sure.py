"""λ of the least error, without the truth: Stein's unbiased risk estimate."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.errors import UsageError
from gradatim.solve.criterion import Choice, Criterion, least
from gradatim.solve.degrees_of_freedom import MonteCarloDegreesOfFreedom, exact_degrees_of_freedom
from gradatim.solve.regularisation_path import RegularisationPath

STEP = 0.25
"""Size of the shift in units of σ: far above a solver's tolerance, below what changes the solution's character."""


@dataclass(frozen=True, eq=False)
class Sure(Criterion):
    """The λ of the least estimated error of the fitted data, for Gaussian noise of known σ.

    ::

        SURE(λ) = ‖√W(A x̂ − y)‖²/N − σ² + 2σ²·df(λ)/N,     df = tr ∂(A x̂)/∂y

    Over repeats of the noise its mean is that of ‖√W A(x̂ − x)‖²/N, whatever x is. For denoising that is the
    error of the image; with another A it is the *predicted* error, of A x, which says nothing about what A
    does not see. df is exact where Fourier makes all terms diagonal, else a Monte-Carlo estimate from one
    more solve a λ (and probe).

    Args:
        sigma: standard deviation of the noise of data of weight 1, unit of y (of its real and imaginary part
            each); 1 where W are inverse variances.
        probes: random shifts of the data for the estimate of df.
        seed: of the shifts.

    Raises:
        UsageError: GD-101 if σ is not positive or there is no probe.

    Source:
        Stein, Ann Stat 9:1135-1151, 1981; Ramani, Blu & Unser, IEEE Trans Image Process 17:1540-1554, 2008;
        Eldar, IEEE Trans Signal Process 57:471-481, 2009 (with an operator).

    Example:
        >>> Sure(0.05).probes
        1
    """

    sigma: float = 1.0
    probes: int = 1
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        if not (0 < self.sigma < math.inf and self.probes >= 1):
            raise UsageError(
                "GD-101",
                given=f"noise {self.sigma}, {self.probes} probes",
                allowed="σ > 0 and at least one probe",
                do="estimate the noise first, or use GeneralisedCrossValidation",
            )

    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        """The λ of the least estimate on the range."""
        variance, count = self.sigma**2, max(path.count, 1)
        estimate = MonteCarloDegreesOfFreedom(path, STEP * self.sigma, self.probes, self.seed)

        def score(weight: float) -> float:
            exact = exact_degrees_of_freedom(path, weight)
            freedom = estimate.at(weight) if exact is None else exact
            return path.misfit(weight) - variance + 2.0 * variance * freedom / count

        return least(score, weights, "the estimated error")
