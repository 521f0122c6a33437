"""Stopping rules that look at gradient, energy and objective, and how each of them is fooled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.solve.solution import Progress, Stop
from gradatim.solve.stopping import StoppingRule, measured, require_positive


@dataclass(frozen=True)
class SmallGradient(StoppingRule):
    """Stops when ‖∇f(x_k)‖ ≤ tolerance.

    Fooled by momentum: a heavy ball that flies through the minimum has no gradient there, and all its speed.
    On x²/2 from x = 1 with step 0.1 and momentum 0.9 it stops at a tolerance of 0.03 after 5 steps, with a
    swing to x = −0.60 still to come. Fooled by a unit as well: the tolerance is in units of f per unit of x.

    Args:
        tolerance: > 0, unit of f per unit of x.

    Raises:
        UsageError: GD-101 if the tolerance is not positive; GD-104 with a method that measures no gradient.
    """

    tolerance: float

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.GRADIENT if measured(history[-1].gradient, "gradient") <= self.tolerance else None


@dataclass(frozen=True)
class RelativeGradient(StoppingRule):
    """Stops when ‖∇f(x_k)‖ ≤ tolerance · max_j ‖∇f(x_j)‖; no unit enters.

    Fooled by momentum, as :class:`SmallGradient` is, and by a run that begins beside its solution.

    Args:
        tolerance: > 0, without unit.

    Raises:
        UsageError: GD-101 if the tolerance is not positive; GD-104 with a method that measures no gradient.
    """

    tolerance: float

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        largest = max(measured(progress.gradient, "gradient") for progress in history)
        return Stop.GRADIENT if history[-1].gradient <= self.tolerance * largest else None


@dataclass(frozen=True)
class SmallEnergy(StoppingRule):
    """Stops when energy, objective and motion together, has fallen: E_k − f* ≤ tolerance · (E_1 − f*).

    For methods with momentum: E_k = f(x_k) + β/(2α)·‖x_k − x_{k−1}‖² does not fall at a turning point, where
    f is high, nor in the middle of a swing, where the motion is fast. With a known lower bound of f as ``floor``
    the rule is a proof: f(x_k) is then within tolerance·(E_1 − floor) of the floor. Without one, f* is the least
    objective seen so far, and the rule is fooled where a method creeps: a valley so flat that the ball
    hardly rolls.

    Args:
        tolerance: > 0, without unit.
        floor: a lower bound of f, e.g. 0 for a sum of squares, unit of f; None for the least f seen.

    Raises:
        UsageError: GD-101 if the tolerance is not positive; GD-104 with a method without momentum.
    """

    tolerance: float
    floor: float | None = None

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        energy, first = measured(history[-1].energy, "energy"), history[0].energy
        floor = min(progress.objective for progress in history) if self.floor is None else self.floor
        return Stop.ENERGY if energy - floor <= self.tolerance * (first - floor) else None


@dataclass(frozen=True)
class Plateau(StoppingRule):
    """Stops when the objective is at its lowest, and the last ``window`` iterations gained next to nothing on it.

    "At" and "next to nothing" mean within tolerance times all that was gained since the first iteration; no unit
    enters. Fooled by a method that creeps, and by momentum that passes the bottom a second time within the
    window: half a swing is π/arccos √β steps and more. An objective that dances around its minimum never ends here.

    Args:
        window: iterations, ≥ 1.
        tolerance: ≥ 0, without unit.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-104 with a method that measures no objective.
    """

    window: int = 50
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        if self.window < 1 or not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise UsageError(
                "GD-101",
                given=f"window {self.window} and tolerance {self.tolerance}",
                allowed="window ≥ 1, tolerance ≥ 0",
                do="look over 50 iterations for a gain of one in a million",
            )

    def check(self, history: Sequence[Progress]) -> Stop | None:
        measured(history[-1].objective, "objective")
        if len(history) <= self.window:
            return None
        before = min(progress.objective for progress in history[: -self.window])
        now = min(progress.objective for progress in history[-self.window :])
        slack = self.tolerance * (history[0].objective - min(before, now))
        return Stop.PLATEAU if before - now <= slack and history[-1].objective - min(before, now) <= slack else None


@dataclass(frozen=True)
class Lasting(StoppingRule):
    """Stops when another rule has held at each of the last ``count`` iterations.

    The cure for rules that a swing fools for a moment: let them hold for one period, 2π/arccos √β steps for a
    heavy ball at resonance (20 steps for β = 0.9), and longer for slower swings.

    Args:
        rule: the rule that must hold.
        count: iterations in a row, ≥ 1.

    Raises:
        UsageError: GD-101 if ``count`` < 1.

    Example:
        >>> rule = Lasting(SmallGradient(0.1), 2)
        >>> calm, wild = Progress(change=1.0, gradient=0.0), Progress(change=1.0, gradient=1.0)
        >>> rule.check([wild, calm]) is None, rule.check([wild, calm, calm]).name
        (True, 'GRADIENT')
    """

    rule: StoppingRule
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError("GD-101", given=f"{self.count} iterations", allowed="at least 1", do="ask for a period")

    @property
    def reads_gap(self) -> bool:
        return self.rule.reads_gap

    def check(self, history: Sequence[Progress]) -> Stop | None:
        last = self.rule.check(history)
        if last is None or len(history) < self.count:
            return None
        earlier = (self.rule.check(history[: len(history) - back]) for back in range(1, self.count))
        return last if all(reason is not None for reason in earlier) else None
