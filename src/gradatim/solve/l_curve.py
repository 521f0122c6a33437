"""λ at the corner of the curve of prior over misfit: the L-curve."""

import math
from dataclasses import dataclass

from gradatim.solve.criterion import Choice, Criterion
from gradatim.solve.regularisation_path import RegularisationPath


@dataclass(frozen=True)
class LCurve(Criterion):
    """The λ where the curve (log ‖√W(A x̂ − y)‖², log R(x̂)) bends most.

    Below the corner the prior's value grows fast for little misfit won, above it the misfit grows. Needs no
    noise level and bears correlated noise, but the corner is a convention: it need not lie at the least error,
    and with ever more data it does not come to it. The criterion of the curve is the curvature
    κ = (ρ'η'' − ρ''η')/(ρ'² + η'²)^{3/2} by central differences over log λ, positive at a corner, NaN at the
    two ends of the range. A curve whose κ is greatest at the first or last place where it can be told, or
    nowhere positive, has no corner in the range, and the choice says so.

    Source:
        Hansen & O'Leary, SIAM J Sci Comput 14:1487-1503, 1993; Vogel, Inverse Problems 12:535-547, 1996 (that it
        does not converge).

    Example:
        >>> LCurve()
        LCurve()
    """

    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        """The λ of greatest curvature inside the range."""
        for weight in weights:  # in this order, so that each solve starts near the last
            path.at(weight)
        misfit = [math.log(max(path.misfit(weight), 1e-300)) for weight in weights]
        prior = [math.log(max(path.prior(weight), 1e-300)) for weight in weights]
        curvatures = curvature(misfit, prior)
        inside = range(1, len(weights) - 1)
        best = max(inside, key=lambda i: -math.inf if math.isnan(curvatures[i]) else curvatures[i])
        if not curvatures[best] > 0:
            message = "the curve has no corner in the range of λ"
        elif best in (inside[0], inside[-1]):
            edge = "lower" if best == inside[0] else "upper"
            message = f"the curve bends most at the {edge} edge of the range of λ: its corner may lie beyond"
        else:
            message = ""
        return Choice(weights[best], weights, curvatures, bool(message), message)


def curvature(across: list[float], up: list[float]) -> tuple[float, ...]:
    """Signed curvature of a plane curve at equal steps of its parameter, by central differences.

    Args:
        across: first coordinate.
        up: second coordinate.

    Returns:
        One value a point, positive where the curve turns left; NaN at both ends and where it stands still.

    Example:
        >>> import math
        >>> turn = [0.1 * i for i in range(5)]
        >>> circle = curvature([2 * math.cos(t) for t in turn], [2 * math.sin(t) for t in turn])
        >>> [round(k, 2) for k in circle[1:-1]]
        [0.5, 0.5, 0.5]
    """
    values = [math.nan] * len(across)
    for i in range(1, len(across) - 1):
        x1, y1 = (across[i + 1] - across[i - 1]) / 2, (up[i + 1] - up[i - 1]) / 2
        x2, y2 = across[i + 1] - 2 * across[i] + across[i - 1], up[i + 1] - 2 * up[i] + up[i - 1]
        speed = math.hypot(x1, y1)
        values[i] = (x1 * y2 - x2 * y1) / speed**3 if speed > 0 else math.nan
    return tuple(values)
