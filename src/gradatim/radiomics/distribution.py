"""What intensities and grey levels have in common: the 16 features of a distribution."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.record import NOT_FINITE, FeatureRecord, Unit

_IBSI = "IBSI manual, arXiv:1612.07003"


class Distribution(ABC):
    """Values without their places: intensities one by one, or grey levels by how often each occurs."""

    @property
    @abstractmethod
    def mean(self) -> Tensor:
        """Mean ()."""

    @property
    @abstractmethod
    def minimum(self) -> Tensor:
        """Lowest value ()."""

    @property
    @abstractmethod
    def maximum(self) -> Tensor:
        """Highest value ()."""

    @abstractmethod
    def moment(self, order: int) -> Tensor:
        """Central moment () of an order."""

    @abstractmethod
    def percentile(self, percent: float) -> Tensor:
        """Percentile (), linear between the order statistics around rank (n − 1)·percent/100."""

    @abstractmethod
    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance () from a centre."""

    @abstractmethod
    def core_distance(self) -> Tensor:
        """Mean distance () of the values from the 10th to the 90th percentile from their own mean; NaN for none."""

    @cached_property
    def variance(self) -> Tensor:
        """Variance (), without bias correction."""
        return self.moment(2)

    def standard_moment(self, order: int) -> Tensor:
        """Central moment () over the power of the standard deviation; NaN for a constant."""
        return self.moment(order) / self.variance ** (order / 2)

    def between(self, low: float, high: float) -> Tensor:
        """From one percentile to another ()."""
        return self.percentile(high) - self.percentile(low)


def _zero_if_constant(values: Distribution, feature: Tensor) -> Tensor:
    return torch.where(values.variance > 0, feature, torch.zeros_like(feature))


_Row = tuple[str, str, int, str, Callable[[Distribution], Tensor], str]

_FEATURES: tuple[_Row, ...] = (
    ("mean", "Mean", 1, "μ = (1/n) Σ x", lambda d: d.mean, NOT_FINITE),
    ("variance", "Variance", 2, "σ² = (1/n) Σ (x − μ)²", lambda d: d.variance, NOT_FINITE),
    (
        "skewness",
        "Skewness",
        0,
        "(1/n) Σ (x − μ)³ / σ³; 0 if σ = 0",
        lambda d: _zero_if_constant(d, d.standard_moment(3)),
        NOT_FINITE,
    ),
    (
        "excess_kurtosis",
        "(Excess) kurtosis",
        0,
        "(1/n) Σ (x − μ)⁴ / σ⁴ − 3; 0 if σ = 0",
        lambda d: _zero_if_constant(d, d.standard_moment(4) - 3),
        NOT_FINITE,
    ),
    ("median", "Median", 1, "P₅₀", lambda d: d.percentile(50), NOT_FINITE),
    ("minimum", "Minimum", 1, "min x", lambda d: d.minimum, NOT_FINITE),
    ("percentile_10", "10th percentile", 1, "P₁₀", lambda d: d.percentile(10), NOT_FINITE),
    ("percentile_90", "90th percentile", 1, "P₉₀", lambda d: d.percentile(90), NOT_FINITE),
    ("maximum", "Maximum", 1, "max x", lambda d: d.maximum, NOT_FINITE),
    ("interquartile_range", "Interquartile range", 1, "P₇₅ − P₂₅", lambda d: d.between(25, 75), NOT_FINITE),
    ("range", "Range", 1, "max x − min x", lambda d: d.maximum - d.minimum, NOT_FINITE),
    (
        "mean_absolute_deviation",
        "Mean absolute deviation",
        1,
        "(1/n) Σ |x − μ|",
        lambda d: d.mean_distance(d.mean),
        NOT_FINITE,
    ),
    (
        "robust_mean_absolute_deviation",
        "Robust mean absolute deviation",
        1,
        "mean absolute deviation of the x in [P₁₀, P₉₀]",
        lambda d: d.core_distance(),
        "no value lies between the 10th and the 90th percentile",
    ),
    (
        "median_absolute_deviation",
        "Median absolute deviation",
        1,
        "(1/n) Σ |x − P₅₀|",
        lambda d: d.mean_distance(d.percentile(50)),
        NOT_FINITE,
    ),
    (
        "coefficient_of_variation",
        "Coefficient of variation",
        0,
        "σ / μ",
        lambda d: d.variance.sqrt() / d.mean,
        "the mean is zero",
    ),
    (
        "quartile_coefficient_of_dispersion",
        "Quartile coefficient of dispersion",
        0,
        "(P₇₅ − P₂₅) / (P₇₅ + P₂₅)",
        lambda d: d.between(25, 75) / (d.percentile(75) + d.percentile(25)),
        "the quartiles add up to zero",
    ),
)


def distribution_features(codes: tuple[str, ...], *, intensity: int) -> tuple[FeatureRecord, ...]:
    """The records of the 16 features, in the order of the IBSI manual, with a family's own codes.

    Args:
        codes: IBSI codes, one a feature.
        intensity: power of the image's unit in a value: 1 for intensities, 0 for grey levels.
    """
    return tuple(
        FeatureRecord(name, title, code, Unit(intensity=power * intensity), formula, compute, _IBSI, undefined)
        for code, (name, title, power, formula, compute, undefined) in zip(codes, _FEATURES, strict=True)
    )
