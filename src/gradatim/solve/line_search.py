"""How far to go along a direction of descent: the strong Wolfe conditions."""

import math
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from gradatim.solve.evaluate import Evaluated

MOST_EXPANSIONS = 40
MOST_SECTIONS = 40
GROWTH = 3.0
"""While f still falls steeply, the next trial is so many times as far."""
SAFEGUARD = 0.1
"""A trial inside a bracket keeps this part of the bracket away from both ends."""


class Trial(NamedTuple):
    """A point on the line θ + t·d.

    Attributes:
        step: t.
        value: φ(t) = f(θ + t·d).
        slope: φ'(t).
        theta: θ + t·d.
        at: f and ∇f there.
    """

    step: float
    value: float
    slope: float
    theta: Tensor
    at: Evaluated


def strong_wolfe(
    trial: Callable[[float], Trial], start: Trial, *, first: float, decrease: float, curvature: float, rounding: float
) -> Trial | None:
    """A step t with φ(t) ≤ φ(0) + c₁tφ'(0) and |φ'(t)| ≤ c₂|φ'(0)|.

    A bracket is found by going further and further, and narrowed by the minimum of the cubic through the values
    and slopes at its ends.

    Args:
        trial: evaluates a step t.
        start: t = 0, of negative slope.
        first: the first t to try, > 0.
        decrease: c₁, small.
        curvature: c₂ between c₁ and 1; a small one makes the search nearly exact.
        rounding: differences of f up to this are none.

    Returns:
        The point found; failing that, the lowest one tried, or None if none was lower than the start.

    Source:
        Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6.
    """

    def too_high(point: Trial, than: Trial) -> bool:
        line = start.value + decrease * point.step * start.slope + rounding
        return not (point.value <= line and (than.step == 0 or point.value <= than.value + rounding))

    def flat(point: Trial) -> bool:
        return abs(point.slope) <= -curvature * start.slope

    before, bracket, step = start, None, first
    for _ in range(MOST_EXPANSIONS):
        point = trial(step)
        if too_high(point, before):
            bracket = (before, point)
            break
        if flat(point):
            return point
        if point.slope >= 0:
            bracket = (point, before)
            break
        before, step = point, GROWTH * step
    if bracket is None:
        return before
    low, high = bracket
    for _ in range(MOST_SECTIONS):
        point = trial(_inside(low, high))
        if too_high(point, low):
            high = point
            continue
        if flat(point):
            return point
        low, high = point, (low if point.slope * (high.step - low.step) >= 0 else high)
    return low if low.step > 0 else None


def _inside(low: Trial, high: Trial) -> float:
    """The cubic's minimum between two points, kept off both ends; the middle where there is no cubic."""
    width = high.step - low.step
    middle = low.step + 0.5 * width
    if not (math.isfinite(high.value) and math.isfinite(high.slope)):
        return low.step + SAFEGUARD * width
    bend = low.slope + high.slope - 3.0 * (high.value - low.value) / width
    square = bend * bend - low.slope * high.slope
    if not square >= 0:
        return middle
    root = math.copysign(math.sqrt(square), width)
    below = high.slope - low.slope + 2.0 * root
    if below == 0:
        return middle
    found = high.step - width * (high.slope + root - bend) / below
    nearest, farthest = sorted((low.step + SAFEGUARD * width, high.step - SAFEGUARD * width))
    return min(max(found, nearest), farthest)
