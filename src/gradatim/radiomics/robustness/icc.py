"""Intraclass correlation of single measurements, with its confidence interval."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.stats import f as fisher

from gradatim.base.errors import UsageError
from gradatim.radiomics.undefined import reasoned

_ROUNDING = 1e-12
"""Differences below this share of the largest value are rounding."""


@dataclass(frozen=True)
class Reliability:
    """An intraclass correlation with its interval.

    Args:
        estimate: at most 1; 0 or below where subjects differ no more than repetitions of one; NaN if undefined.
        low: lower end of the interval; NaN if undefined.
        high: upper end of the interval; NaN if undefined.
        subjects: how many subjects it rests on: those with a finite value in every measurement.
        measurements: how many measurements of each.
        reason: why it is NaN, with the code GD-731 or GD-732; empty where it is defined.
    """

    estimate: float
    low: float
    high: float
    subjects: int
    measurements: int
    reason: str


class IntraclassCorrelation(Protocol):
    """One of the forms of the coefficient.

    Attributes:
        name: as Shrout and Fleiss write it, e.g. ``"ICC(2,1)"``.
    """

    @property
    def name(self) -> str:
        """As Shrout and Fleiss write it, e.g. ``"ICC(2,1)"``."""

    def __call__(self, values: np.ndarray) -> Reliability:
        """The coefficient of a table (subject, measurement)."""


@dataclass(frozen=True)
class OneWayRandom:
    """ICC(1,1): each subject was measured by other readers, or under other conditions, at random.

    (MSR − MSW) / (MSR + (k − 1)·MSW), with the mean squares between and within n subjects of k measurements. The
    interval follows from F = MSR/MSW with n − 1 and n·(k − 1) degrees of freedom. Source: Shrout and Fleiss,
    Psychol Bull 86:420 (1979); McGraw and Wong, Psychol Methods 1:30 (1996), ICC(1).

    Args:
        level: coverage of the interval, between 0 and 1.

    Raises:
        UsageError: GD-148 for another level; when called, for values that are no table.

    Example:
        >>> found = OneWayRandom()(np.array([[1.0, 1.2], [2.0, 2.1], [3.1, 2.9]]))
        >>> round(found.estimate, 3)
        0.984
    """

    level: float = 0.95
    name = "ICC(1,1)"

    def __post_init__(self) -> None:
        _require_level(self.level)

    def __call__(self, values: np.ndarray) -> Reliability:
        """The coefficient of a table (subject, measurement), float64."""
        squares = _mean_squares(values)
        if isinstance(squares, Reliability):
            return squares
        n, k = squares.subjects, squares.measurements
        estimate, low, high = _from_ratio(squares.rows, squares.within, k, (n - 1, n * (k - 1)), self.level)
        return Reliability(estimate, low, high, n, k, "")


@dataclass(frozen=True)
class TwoWayRandom:
    """ICC(2,1), absolute agreement: all subjects under the same conditions, which stand for others like them.

    (MSR − MSE) / (MSR + (k − 1)·MSE + k·(MSC − MSE)/n), with the mean squares of subjects, of measurements and of
    the rest. A measurement that is always larger than another lowers it. The interval uses Satterthwaite's degrees
    of freedom. Source: Shrout and Fleiss, Psychol Bull 86:420 (1979); McGraw and Wong, Psychol Methods 1:30 (1996),
    ICC(A,1), table 7.

    Args:
        level: coverage of the interval, between 0 and 1.

    Raises:
        UsageError: GD-148 for another level; when called, for values that are no table.

    Example:
        >>> found = TwoWayRandom()(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]))
        >>> round(found.estimate, 3)
        0.667
    """

    level: float = 0.95
    name = "ICC(2,1)"

    def __post_init__(self) -> None:
        _require_level(self.level)

    def __call__(self, values: np.ndarray) -> Reliability:
        """The coefficient of a table (subject, measurement), float64."""
        squares = _mean_squares(values)
        if isinstance(squares, Reliability):
            return squares
        n, k = squares.subjects, squares.measurements
        rows, columns, rest = squares.rows, squares.columns, squares.rest
        whole = rows + (k - 1) * rest + k * (columns - rest) / n
        if whole == 0:  # of two subjects under two conditions
            return _undefined("GD-732", "neither subjects nor measurements differ in their means", n, k)
        estimate = (rows - rest) / whole
        if estimate >= 1 - _ROUNDING:
            return Reliability(1.0, 1.0, 1.0, n, k, "")
        a = k * estimate / (n * (1 - estimate))
        b = 1 + k * estimate * (n - 1) / (n * (1 - estimate))
        parts = (a * columns) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
        freedom = (a * columns + b * rest) ** 2 / parts if parts > 0 else 1.0
        both = k * columns + (k * n - k - n) * rest
        upper, lower = (fisher.ppf((1 + self.level) / 2, *d) for d in ((n - 1, freedom), (freedom, n - 1)))
        low = n * (rows - upper * rest) / (upper * both + n * rows)
        high = n * (lower * rows - rest) / (both + n * lower * rows)
        return Reliability(float(estimate), float(low), float(high), n, k, "")


@dataclass(frozen=True)
class TwoWayMixed:
    """ICC(3,1), consistency: all subjects under the same conditions, and these alone are of interest.

    (MSR − MSE) / (MSR + (k − 1)·MSE): differences between measurements that are the same for all subjects do not
    count. The interval follows from F = MSR/MSE with n − 1 and (n − 1)·(k − 1) degrees of freedom. Source: Shrout
    and Fleiss, Psychol Bull 86:420 (1979); McGraw and Wong, Psychol Methods 1:30 (1996), ICC(C,1).

    Args:
        level: coverage of the interval, between 0 and 1.

    Raises:
        UsageError: GD-148 for another level; when called, for values that are no table.

    Example:
        >>> TwoWayMixed()(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])).estimate
        1.0
    """

    level: float = 0.95
    name = "ICC(3,1)"

    def __post_init__(self) -> None:
        _require_level(self.level)

    def __call__(self, values: np.ndarray) -> Reliability:
        """The coefficient of a table (subject, measurement), float64."""
        squares = _mean_squares(values)
        if isinstance(squares, Reliability):
            return squares
        n, k = squares.subjects, squares.measurements
        estimate, low, high = _from_ratio(squares.rows, squares.rest, k, (n - 1, (n - 1) * (k - 1)), self.level)
        return Reliability(estimate, low, high, n, k, "")


@dataclass(frozen=True)
class _MeanSquares:
    rows: float
    columns: float
    within: float
    rest: float
    subjects: int
    measurements: int


def _mean_squares(values: np.ndarray) -> _MeanSquares | Reliability:
    """The mean squares of the two-way table, of the subjects that have all values; or why there are none."""
    table = np.asarray(values, np.float64)
    if table.ndim != 2:
        raise UsageError(
            "GD-148",
            given=f"values of shape {table.shape}",
            allowed="a table (subject, measurement)",
            do="give one row for each subject",
        )
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        given = f"{n} subject(s) with a value in each of {k} measurement(s), at least 2 of 2 are needed"
        return _undefined("GD-731", given, n, k)
    scale = np.abs(table).max()
    table = table / scale if scale > 0 else table
    mean, rows, columns = table.mean(), table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns + mean
    sums = [k * ((rows - mean) ** 2).sum(), n * ((columns - mean) ** 2).sum(), (rest**2).sum()]
    between, among, left = (0.0 if part < table.size * _ROUNDING**2 else float(part) for part in sums)
    if between == 0 and left == 0:
        return _undefined("GD-732", "values do not differ between subjects", n, k)
    within = (among + left) / (n * (k - 1))
    return _MeanSquares(between / (n - 1), among / (k - 1), within, left / ((n - 1) * (k - 1)), n, k)


def _from_ratio(
    between: float, within: float, k: int, freedom: tuple[int, int], level: float
) -> tuple[float, float, float]:
    """Estimate and interval where the ratio of two mean squares is distributed as F."""
    if within == 0:
        return 1.0, 1.0, 1.0
    ratio = between / within
    low = ratio / fisher.ppf((1 + level) / 2, *freedom)
    high = ratio * fisher.ppf((1 + level) / 2, *freedom[::-1])
    estimate, low, high = (float((value - 1) / (value + k - 1)) for value in (ratio, low, high))
    return estimate, low, high


def _undefined(code: str, why: str, subjects: int, measurements: int) -> Reliability:
    return Reliability(math.nan, math.nan, math.nan, subjects, measurements, reasoned(code, why))


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise UsageError("GD-148", given=f"level {level}", allowed="between 0 and 1", do="give 0.95 for 95 %")
