"""How far repeated measurements of one subject lie apart, with confidence intervals."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from gradatim.base.errors import UsageError
from gradatim.radiomics.robustness.icc import Reliability
from gradatim.radiomics.undefined import reasoned


@dataclass(frozen=True)
class WithinCaseDeviation:
    """Standard deviation of a subject's measurements, pooled over n subjects of k measurements, in the feature's unit.

    wSD = √(Σᵢ sᵢ²/n), sᵢ² the variance of subject i with k − 1 degrees of freedom. The interval follows from
    χ² with n·(k − 1) degrees of freedom. Defined for one subject. Source: Raunig et al., Stat Methods Med Res
    24:27 (2015).

    Args:
        level: coverage of the interval, between 0 and 1.

    Raises:
        UsageError: GD-148 for another level.

    Example:
        >>> round(WithinCaseDeviation()(np.array([[1.0, 3.0], [2.0, 2.0]])).estimate, 3)
        1.0
    """

    level: float = 0.95
    name = "within-case SD"

    def __post_init__(self) -> None:
        _require_level(self.level)

    def __call__(self, values: np.ndarray) -> Reliability:
        """The deviation of a table (subject, measurement), float64."""
        table = _complete(values)
        return table if isinstance(table, Reliability) else _pooled(table.std(axis=1, ddof=1), table, self.level)


@dataclass(frozen=True)
class WithinCaseVariation:
    """Standard deviation of a subject's measurements as a share of their mean, pooled over subjects.

    wCV = √(Σᵢ (sᵢ/mᵢ)²/n), mᵢ the mean of subject i. It says something of features that have a zero of their own,
    as a volume or an energy has; that of a mean of CT numbers depends on where HU is zero. The interval, from χ² with
    n·(k − 1) degrees of freedom, holds for values below about 0.3. Source: Raunig et al., Stat Methods Med Res 24:27
    (2015).

    Args:
        level: coverage of the interval, between 0 and 1.

    Raises:
        UsageError: GD-148 for another level.

    Example:
        >>> round(WithinCaseVariation()(np.array([[1.0, 3.0], [2.0, 2.0]])).estimate, 3)
        0.5
    """

    level: float = 0.95
    name = "within-case CV"

    def __post_init__(self) -> None:
        _require_level(self.level)

    def __call__(self, values: np.ndarray) -> Reliability:
        """The coefficient of variation of a table (subject, measurement), float64."""
        table = _complete(values)
        if isinstance(table, Reliability):
            return table
        if not ((table > 0).all(axis=1) | (table < 0).all(axis=1)).all():
            sentence = "values of a case are 0 or change sign, so that their spread is no share of their mean"
            return _undefined("GD-740", sentence, table)
        return _pooled(table.std(axis=1, ddof=1) / np.abs(table.mean(axis=1)), table, self.level)


def _complete(values: np.ndarray) -> np.ndarray | Reliability:
    """The subjects that have all values; or why there are none."""
    table = np.asarray(values, np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if n < 1 or k < 2:
        given = f"{n} subject(s) with a value in each of {k} measurement(s), at least 1 of 2 is needed"
        return _undefined("GD-731", given, table)
    return table


def _pooled(spread: np.ndarray, table: np.ndarray, level: float) -> Reliability:
    n, k = table.shape
    freedom = n * (k - 1)
    estimate = float(np.sqrt(np.square(spread).mean()))
    low, high = (estimate * math.sqrt(freedom / chi2.ppf(part, freedom)) for part in ((1 + level) / 2, (1 - level) / 2))
    return Reliability(estimate, float(low), float(high), n, k, "")


def _undefined(code: str, why: str, table: np.ndarray) -> Reliability:
    n, k = table.shape
    return Reliability(math.nan, math.nan, math.nan, n, k, reasoned(code, why))


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise UsageError("GD-148", given=f"level {level}", allowed="between 0 and 1", do="give 0.95 for 95 %")
