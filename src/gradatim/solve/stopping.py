"""When to stop: rules that see the history and may be combined with ``|``."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from gradatim.base.errors import UsageError
from gradatim.solve.solution import Progress, Stop


class StoppingRule(ABC):
    """Looks at the history after each iteration; gives the reason to stop, or None to go on.

    Example:
        >>> rule = IterationBound(3) | RelativeChange(1e-3)
        >>> rule.check([Progress(change=1e-4)])
        <Stop.CHANGE: 'the iterate changed by less than the tolerance'>
    """

    @abstractmethod
    def check(self, history: Sequence[Progress]) -> Stop | None:
        """The reason to stop after the last entry of a non-empty history, or None."""

    @property
    def reads_gap(self) -> bool:
        """Whether it looks at the gap, which a method then measures now and again at the cost of an iteration."""
        return False

    def __or__(self, other: "StoppingRule") -> "StoppingRule":
        return Either(self, other)


@dataclass(frozen=True)
class Either(StoppingRule):
    """Stops when one of two rules holds; where both do, quality goes before the bound.

    Args:
        first: one rule.
        second: another rule.
    """

    first: StoppingRule
    second: StoppingRule

    def check(self, history: Sequence[Progress]) -> Stop | None:
        found = [reason for rule in (self.first, self.second) if (reason := rule.check(history)) is not None]
        quality = (reason for reason in found if reason not in (Stop.BOUND, Stop.TIME))
        return next(quality, found[0] if found else None)

    @property
    def reads_gap(self) -> bool:
        return self.first.reads_gap or self.second.reads_gap


@dataclass(frozen=True)
class IterationBound(StoppingRule):
    """Stops after ``count`` iterations. Says nothing about quality.

    Args:
        count: ≥ 1.

    Raises:
        UsageError: GD-101 if ``count`` < 1.
    """

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(
                "GD-101", given=f"iteration bound {self.count}", allowed="at least 1", do="allow some iterations"
            )

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.BOUND if len(history) >= self.count else None


@dataclass(frozen=True)
class TimeBound(StoppingRule):
    """Stops at the end of the iteration in which the time is up, counted from the end of the first.

    Says nothing about quality, and where it stops depends on the machine. Each run that it
    watches sets its clock again; two runs at once need two of it.

    Args:
        seconds: > 0, s.

    Raises:
        UsageError: GD-101 if the time is not positive.
    """

    seconds: float
    _began: list[float] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_positive(self.seconds, "time bound")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        if len(history) == 1 or not self._began:
            self._began[:] = [time.monotonic()]
        return Stop.TIME if time.monotonic() - self._began[0] >= self.seconds else None


@dataclass(frozen=True)
class RelativeChange(StoppingRule):
    """Stops when ‖x_k − x_{k−1}‖ ≤ tolerance·‖x_k‖.

    It measures speed, not distance: it is fooled by a method that creeps, and by momentum, whose iterate
    stands still for a moment at the turning point of an overshoot.

    Args:
        tolerance: > 0, without unit.

    Raises:
        UsageError: GD-101 if the tolerance is not positive.
    """

    tolerance: float

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.CHANGE if measured(history[-1].change, "change") <= self.tolerance else None


@dataclass(frozen=True)
class SmallResidual(StoppingRule):
    """Stops when the method's relative residual is at most the tolerance; what it is, the method says.

    Args:
        tolerance: > 0, without unit.

    Raises:
        UsageError: GD-101 if the tolerance is not positive; GD-104 on use with a method that measures
            no residual.
    """

    tolerance: float

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.RESIDUAL if measured(history[-1].residual, "residual") <= self.tolerance else None


@dataclass(frozen=True)
class Discrepancy(StoppingRule):
    """Stops when the weighted misfit reaches the noise: rms of √W·(A x − y) ≤ level.

    For iterations that regularise by being stopped early (Morozov). It needs the true noise level: weights
    that overstate the noise stop it too soon.

    Args:
        level: 1 if the weights W are inverse variances; a little more (1.05) is customary.

    Raises:
        UsageError: GD-101 if the level is not positive; GD-104 on use with a method that measures no misfit.

    Source:
        Morozov, Soviet Math Dokl 7:414-417, 1966.
    """

    level: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self.level, "level")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.DISCREPANCY if measured(history[-1].misfit, "misfit") <= self.level else None


@dataclass(frozen=True)
class SmallGap(StoppingRule):
    """Stops when a certificate puts the objective within tolerance·|F| of its minimum.

    Where a strongly convex term stands behind the identity (denoising) it cannot be fooled: it is a proof.
    Otherwise the proof is for minimisers within the certificate's radius, and a solution that is much farther from
    the iterate than the data told so far fools it. Methods look at the gap every few iterations; an iteration
    without a look does not count.

    Args:
        tolerance: > 0, without unit, relative to the objective.

    Raises:
        UsageError: GD-101 if the tolerance is not positive.
    """

    tolerance: float

    def __post_init__(self) -> None:
        require_positive(self.tolerance, "tolerance")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        return Stop.GAP if history[-1].gap <= self.tolerance else None

    @property
    def reads_gap(self) -> bool:
        return True


def measured(value: float, what: str) -> float:
    """A number of the history, refused where the method did not measure it (GD-104)."""
    if math.isnan(value):
        raise UsageError(
            "GD-104",
            given=f"a stopping rule that needs the {what}",
            allowed="a method that measures it",
            do="choose another rule for this method",
        )
    return value


def require_positive(value: float, what: str) -> None:
    """Refuse a number that is not positive and finite (GD-101)."""
    if not (math.isfinite(value) and value > 0):
        raise UsageError("GD-101", given=f"{what} {value}", allowed="a positive number", do=f"choose a {what} > 0")
