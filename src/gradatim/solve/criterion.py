"""What a rule for λ is, and how the best λ of a curve is found."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from gradatim.solve.regularisation_path import RegularisationPath

REFINED = 4
"""Values of λ that are tried beside the best one of the first grid; they place it to about a tenth of a step."""

PASSED = 4
"""Steps of the grid without a better score after which the rest of it is left out."""


@dataclass(frozen=True)
class Choice:
    """A value of λ, and the curve that it was taken from.

    Args:
        weight: λ.
        weights: every λ that was tried, rising; a search need not walk the whole range.
        values: the criterion there; NaN where it is not defined.
        at_edge: whether the range, not the criterion, decided.
        message: what a reader must know about the choice; empty if all is well.
    """

    weight: float
    weights: tuple[float, ...]
    values: tuple[float, ...]
    at_edge: bool = False
    message: str = ""


class Criterion(ABC):
    """A rule that chooses λ on a path of solutions.

    Source:
        Hansen, Discrete Inverse Problems, SIAM 2010, chapter 5.
    """

    @abstractmethod
    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        """The best λ between the first and the last of ``weights``, a rising geometric grid."""


def least(score: Callable[[float], float], weights: tuple[float, ...], name: str) -> Choice:
    """The λ of the least score: the best of a grid, then steps to the vertex of the parabola through three points.

    The grid is walked from its least λ up, where the solution is near the data and soon found, and left when
    the least score lies four steps behind. The chosen λ is one at which the score was computed.

    Args:
        score: λ → criterion, inf or NaN where it is not defined; called once for each λ.
        weights: rising geometric grid of at least three values.
        name: of the criterion, for the message.

    Returns:
        The choice, ``at_edge`` where the least score of the grid is that of its first or last λ.

    Example:
        >>> import math
        >>> found = least(lambda lam: (math.log10(lam) - 0.3) ** 2, (0.1, 1.0, 10.0, 100.0), "it")
        >>> round(found.weight, 3), found.at_edge
        (1.995, False)
        >>> least(lambda lam: lam, (0.1, 1.0, 10.0), "it").message
        'it still falls at the lower edge of the range, λ = 0.1: the best λ may lie beyond'
    """

    def look(weight: float) -> None:
        found = score(weight)
        curve[weight] = math.inf if math.isnan(found) else found  # NaN would win every comparison

    curve: dict[float, float] = {}
    best = weights[0]
    for i, weight in enumerate(weights):
        look(weight)
        best = min(best, weight, key=curve.__getitem__)
        if math.isfinite(curve[best]) and i - weights.index(best) >= PASSED:
            break
    defined = [weight for weight in curve if math.isfinite(curve[weight])]
    if not defined or best in (defined[0], weights[-1]):
        edge = "upper" if best == weights[-1] else "lower"
        message = f"{name} still falls at the {edge} edge of the range, λ = {best:.3g}: the best λ may lie beyond"
        return _choice(best, curve, message)
    for _ in range(REFINED):
        known = sorted(curve)
        at = known.index(best)
        tried = _vertex([(math.log(w), curve[w]) for w in known[at - 1 : at + 2]])
        if tried is None or min(abs(tried - math.log(w)) for w in known) < 0.01:
            break
        weight = math.exp(tried)
        look(weight)
        best = min(best, weight, key=curve.__getitem__)
    return _choice(best, curve, "")


def _choice(best: float, curve: dict[float, float], message: str) -> Choice:
    weights = tuple(sorted(curve))
    return Choice(best, weights, tuple(curve[w] for w in weights), bool(message), message)


def _vertex(points: list[tuple[float, float]]) -> float | None:
    """Where the parabola through three points, the middle one lowest, has its least value; None if they lie flat."""
    (a, fa), (b, fb), (c, fc) = points
    left, right = (b - a) * (fb - fc), (b - c) * (fb - fa)
    denominator = 2.0 * (left - right)
    return b - ((b - a) * left - (b - c) * right) / denominator if denominator else None
