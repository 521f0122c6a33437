"""Intensity statistics: the 18 features of the intensities alone, wherever they lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined

_U, _U2, _PURE = Unit(intensity=1), Unit(intensity=2), Unit()
_IBSI = "IBSI manual, arXiv:1612.07003"
_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"


@dataclass(frozen=True, eq=False)
class Sample:
    """Intensities without their places, with what several features share.

    Differentiable in the intensities; percentiles and extremes move with one or two of them.

    Args:
        values: (n,), float64, n ≥ 1.
    """

    values: Tensor

    @cached_property
    def ordered(self) -> Tensor:
        """The intensities, increasing (n,)."""
        return self.values.sort().values

    @cached_property
    def mean(self) -> Tensor:
        """Mean (), taken from the lowest intensity, so that a constant sample has exactly its value and no variance."""
        return self.ordered[0] + (self.values - self.ordered[0]).mean()

    @cached_property
    def variance(self) -> Tensor:
        """Variance (), without bias correction."""
        return self.moment(2)

    def moment(self, order: int) -> Tensor:
        """Central moment () of an order."""
        return ((self.values - self.mean) ** order).mean()

    def standard_moment(self, order: int) -> Tensor:
        """Central moment () over the power of the standard deviation; NaN for a constant sample."""
        return self.moment(order) / self.variance ** (order / 2)

    def percentile(self, percent: float) -> Tensor:
        """Percentile (), linear between the order statistics around rank (n − 1)·percent/100."""
        rank = (self.values.numel() - 1) * percent / 100
        below = int(rank)
        above = min(below + 1, self.values.numel() - 1)
        return torch.lerp(self.ordered[below], self.ordered[above], rank - below)

    @cached_property
    def core(self) -> Tensor:
        """The intensities from the 10th to the 90th percentile, relative to the median (m,); two voxels have none."""
        inside = (self.values >= self.percentile(10)) & (self.values <= self.percentile(90))
        return self.values[inside] - self.percentile(50)

    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance () from a centre."""
        return (self.values - centre).abs().mean()


def _zero_if_constant(sample: Sample, value: Tensor) -> Tensor:
    return torch.where(sample.variance > 0, value, torch.zeros_like(value))


@dataclass(frozen=True)
class Statistics(Family):
    """Intensity-based statistics, family UHIW. Source: IBSI reference manual, arXiv:1612.07003.

    x: intensities, μ: their mean, σ²: their variance, P: percentiles.
    """

    id = "statistics"
    name = "Intensity-based statistics"
    code = "UHIW"
    features = (
        FeatureRecord("mean", "Mean", "Q4LE", _U, "μ = (1/n) Σ x", lambda s: s.mean, _IBSI),
        FeatureRecord("variance", "Variance", "ECT3", _U2, "σ² = (1/n) Σ (x − μ)²", lambda s: s.variance, _IBSI),
        FeatureRecord(
            "skewness",
            "Skewness",
            "KE2A",
            _PURE,
            "(1/n) Σ (x − μ)³ / σ³; 0 if σ = 0",
            lambda s: _zero_if_constant(s, s.standard_moment(3)),
            _IBSI,
        ),
        FeatureRecord(
            "excess_kurtosis",
            "(Excess) kurtosis",
            "IPH6",
            _PURE,
            "(1/n) Σ (x − μ)⁴ / σ⁴ − 3; 0 if σ = 0",
            lambda s: _zero_if_constant(s, s.standard_moment(4) - 3),
            _IBSI,
        ),
        FeatureRecord("median", "Median", "Y12H", _U, "P₅₀", lambda s: s.percentile(50), _IBSI),
        FeatureRecord("minimum", "Minimum", "1GSF", _U, "min x", lambda s: s.ordered[0], _IBSI),
        FeatureRecord("percentile_10", "10th percentile", "QG58", _U, "P₁₀", lambda s: s.percentile(10), _IBSI),
        FeatureRecord("percentile_90", "90th percentile", "8DWT", _U, "P₉₀", lambda s: s.percentile(90), _IBSI),
        FeatureRecord("maximum", "Maximum", "84IY", _U, "max x", lambda s: s.ordered[-1], _IBSI),
        FeatureRecord(
            "interquartile_range",
            "Interquartile range",
            "SALO",
            _U,
            "P₇₅ − P₂₅",
            lambda s: s.percentile(75) - s.percentile(25),
            _IBSI,
        ),
        FeatureRecord("range", "Range", "2OJQ", _U, "max x − min x", lambda s: s.ordered[-1] - s.ordered[0], _IBSI),
        FeatureRecord(
            "mean_absolute_deviation",
            "Mean absolute deviation",
            "4FUA",
            _U,
            "(1/n) Σ |x − μ|",
            lambda s: s.mean_distance(s.mean),
            _IBSI,
        ),
        FeatureRecord(
            "robust_mean_absolute_deviation",
            "Robust mean absolute deviation",
            "1128",
            _U,
            "mean absolute deviation of the x in [P₁₀, P₉₀]",
            lambda s: (s.core - s.core.mean()).abs().mean(),
            _IBSI,
            "no intensity lies between the 10th and the 90th percentile",
        ),
        FeatureRecord(
            "median_absolute_deviation",
            "Median absolute deviation",
            "N72L",
            _U,
            "(1/n) Σ |x − P₅₀|",
            lambda s: s.mean_distance(s.percentile(50)),
            _IBSI,
        ),
        FeatureRecord(
            "coefficient_of_variation",
            "Coefficient of variation",
            "7TET",
            _PURE,
            "σ / μ",
            lambda s: s.variance.sqrt() / s.mean,
            _IBSI,
            "the mean is zero",
        ),
        FeatureRecord(
            "quartile_coefficient_of_dispersion",
            "Quartile coefficient of dispersion",
            "9S40",
            _PURE,
            "(P₇₅ − P₂₅) / (P₇₅ + P₂₅)",
            lambda s: (s.percentile(75) - s.percentile(25)) / (s.percentile(75) + s.percentile(25)),
            _IBSI,
            "the quartiles add up to zero",
        ),
        FeatureRecord("energy", "Energy", "N8CA", _U2, "Σ x²", lambda s: (s.values**2).sum(), _AERTS),
        FeatureRecord(
            "root_mean_square",
            "Root mean square",
            "5ZWQ",
            _U,
            "√((1/n) Σ x²)",
            lambda s: (s.values**2).mean().sqrt(),
            _AERTS,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Sample] | Undefined:
        """The region's intensities as one :class:`Sample`."""
        if roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        return (Sample(roi.intensities),)
