"""λ from the size of the noise: Morozov's discrepancy principle."""

import math
from dataclasses import dataclass

from scipy.optimize import brentq

from gradatim.base.errors import UsageError
from gradatim.solve.criterion import Choice, Criterion
from gradatim.solve.regularisation_path import RegularisationPath

CLOSE = 0.01
"""λ is found to this relative accuracy; the misfit's own noise, σ/√(2N), leaves it more uncertain."""


@dataclass(frozen=True)
class DiscrepancyPrinciple(Criterion):
    """The λ at which the data are fitted to the noise and no better: ‖√W(A x − y)‖² = level²·σ²·N.

    The misfit grows with λ, so this is the search for a root, a dozen solves at most, each from a near
    solution. The criterion of the curve is the root mean square of √W(A x − y) over level·σ; 1 is wanted.

    It over-smooths: the true image has the misfit σ, but the best estimate has less, because part of the
    noise lies where the prior allows it. On pictures it costs half a decibel against the best λ; use
    :class:`~gradatim.solve.sure.Sure` for the best error, this one where no more than the noise may be removed.

    Args:
        sigma: standard deviation of the noise of data of weight 1, unit of y (of its real and imaginary part
            each); 1 where W are inverse variances.
        level: how many σ.

    Raises:
        UsageError: GD-101 if either is not positive.

    Source:
        Morozov, Soviet Math Dokl 7:414-417, 1966.

    Example:
        >>> DiscrepancyPrinciple(0.05).level
        1.0
    """

    sigma: float = 1.0
    level: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.sigma < math.inf and 0 < self.level < math.inf):
            raise UsageError(
                "GD-101",
                given=f"noise {self.sigma}, level {self.level}",
                allowed="positive numbers",
                do="estimate the noise first",
            )

    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        """The λ of that misfit, or the edge of the range nearest to it."""
        curve: dict[float, float] = {}

        def excess(log_weight: float) -> float:
            weight = math.exp(log_weight)
            curve[weight] = math.sqrt(path.misfit(weight)) / (self.level * self.sigma)
            return math.log(max(curve[weight], 1e-300))

        low = math.log(weights[0])
        best, message = low, ""
        if excess(low) >= 0:
            message = "even the least λ does not fit to the noise: is the noise understated?"
        else:
            for weight in weights[1:]:  # up by the grid's steps, so that each solve starts near the last
                below, best = best, math.log(weight)
                if excess(best) >= 0:
                    best = brentq(excess, below, best, xtol=CLOSE)
                    break
            else:
                message = "even the largest λ fits better than the noise allows: is the noise overstated?"
        weight = min(curve, key=lambda known: abs(math.log(known) - best))
        ordered = tuple(sorted(curve))
        return Choice(weight, ordered, tuple(curve[w] for w in ordered), bool(message), message)
