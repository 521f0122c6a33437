"""Intensity histogram: 23 features of how often each grey level occurs, wherever its voxels lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.distribution import Distribution, distribution_features
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

_PURE = Unit()
_IBSI = "IBSI manual, arXiv:1612.07003"
_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"
_VAN_DIJK = "Van Dijk 2016, doi:10.1016/j.radonc.2016.07.007"
_ONE_LEVEL = "one grey level has no gradient"


@dataclass(frozen=True, eq=False)
class Histogram(Distribution):
    """How often each grey level occurs, with what several features share.

    Differentiable in the counts, but for order: extremes, percentiles, and the levels of mode and gradients.

    Args:
        counts: (n,), float64, of grey levels 1 … n; levels without a voxel included, the last has one.
    """

    counts: Tensor

    @cached_property
    def level(self) -> Tensor:
        """The grey levels 1 … n (n,)."""
        return torch.arange(1, len(self.counts) + 1, dtype=self.counts.dtype, device=self.counts.device)

    @cached_property
    def p(self) -> Tensor:
        """Probability of a grey level (n,)."""
        return self.counts / self.counts.sum()

    @cached_property
    def minimum(self) -> Tensor:
        """Lowest level with a voxel ()."""
        return self.level[self.counts > 0][0]

    @cached_property
    def maximum(self) -> Tensor:
        """Highest level with a voxel ()."""
        return self.level[self.counts > 0][-1]

    def _mean(self, values: Tensor) -> Tensor:
        return (self.counts * values).sum() / self.counts.sum()

    @cached_property
    def mean(self) -> Tensor:
        """Mean level ()."""
        return self._mean(self.level)

    def moment(self, order: int) -> Tensor:
        """Central moment () of an order."""
        return self._mean((self.level - self.mean) ** order)

    @cached_property
    def _ranks(self) -> Tensor:
        return self.counts.detach().cumsum(0)

    def percentile(self, percent: float) -> Tensor:
        """Percentile (), linear between the levels of the voxels around rank (voxels − 1)·percent/100."""
        last = float(self._ranks[-1]) - 1
        rank = max(last * percent / 100, 0.0)
        around = torch.tensor([int(rank), min(int(rank) + 1, last)], dtype=self._ranks.dtype, device=self._ranks.device)
        low, high = self.level[torch.searchsorted(self._ranks, around, right=True)]
        return torch.lerp(low, high, rank - int(rank))

    def core_distance(self) -> Tensor:
        """Mean distance () of the levels from the 10th to the 90th percentile from their own mean."""
        inside = (self.level >= self.percentile(10)) & (self.level <= self.percentile(90))
        core, level = self.counts[inside], self.level[inside]
        mean = (core * level).sum() / core.sum()
        return (core * (level - mean).abs()).sum() / core.sum()

    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance () from a centre."""
        return self._mean((self.level - centre).abs())

    @cached_property
    def mode(self) -> Tensor:
        """The most frequent level (); of several the one closest to the mean, of two as close the lower."""
        often = self.level[self.counts == self.counts.max()]
        distance = (often - self.mean).abs()
        return often[distance == distance.min()][0]

    @cached_property
    def gradient(self) -> Tensor:
        """Central difference of the counts, one-sided at both ends (n,); NaN for one level."""
        if len(self.counts) == 1:
            return torch.full_like(self.counts, torch.nan)
        return torch.gradient(self.counts)[0]

    @property
    def rise(self) -> Tensor:
        """Largest gradient ()."""
        return self.gradient.max()

    @property
    def fall(self) -> Tensor:
        """Least gradient ()."""
        return self.gradient.min()

    @property
    def entropy(self) -> Tensor:
        """−Σ p·log₂ p (), bits."""
        return torch.special.entr(self.p[self.p > 0]).sum() / torch.log(torch.tensor(2.0, dtype=self.p.dtype))

    @property
    def uniformity(self) -> Tensor:
        """Σ p² ()."""
        return self.p.square().sum()

    def steepest(self, slope: Tensor) -> Tensor:
        """The lowest level with a slope (); NaN if there is no gradient."""
        there = self.level[self.gradient == slope]
        return there[0] if len(there) else slope


_CODES = (
    *("X6K6", "CH89", "88K1", "C3I7", "WIFQ", "1PR8", "GPMT", "OZ0C"),
    *("3NCY", "WR0O", "5Z3W", "D2ZX", "WRZB", "4RNL", "CWYJ", "SLWD"),
)
_COMMON = distribution_features(_CODES, intensity=0)
_UP_TO_MAXIMUM = 9


@dataclass(frozen=True)
class IntensityHistogram(Family):
    """Intensity histogram, family ZVCW. Source: IBSI reference manual, arXiv:1612.07003.

    x: grey levels of the voxels, n: their counts, p: their probabilities, μ: mean, σ²: variance, P: percentiles.
    """

    id = "intensity_histogram"
    name = "Intensity histogram"
    code = "ZVCW"
    features = (
        *_COMMON[:_UP_TO_MAXIMUM],
        FeatureRecord(
            "mode",
            "Mode",
            "AMMC",
            _PURE,
            "most frequent level; of several the closest to μ, then the lowest",
            lambda h: h.mode,
            _IBSI,
        ),
        *_COMMON[_UP_TO_MAXIMUM:],
        FeatureRecord(
            "entropy",
            "Entropy",
            "TLU2",
            _PURE,
            "−Σ p·log₂ p",
            lambda h: h.entropy,
            _AERTS,
        ),
        FeatureRecord("uniformity", "Uniformity", "BJ5W", _PURE, "Σ p²", lambda h: h.uniformity, _AERTS),
        FeatureRecord(
            "maximum_histogram_gradient",
            "Maximum histogram gradient",
            "12CE",
            _PURE,
            "max n′, n′ᵢ = (nᵢ₊₁ − nᵢ₋₁)/2, one-sided at both ends",
            lambda h: h.rise,
            _VAN_DIJK,
            _ONE_LEVEL,
        ),
        FeatureRecord(
            "maximum_histogram_gradient_intensity",
            "Maximum histogram gradient intensity",
            "8E6O",
            _PURE,
            "lowest level of the maximum histogram gradient",
            lambda h: h.steepest(h.rise),
            _VAN_DIJK,
            _ONE_LEVEL,
        ),
        FeatureRecord(
            "minimum_histogram_gradient",
            "Minimum histogram gradient",
            "VQB3",
            _PURE,
            "min n′",
            lambda h: h.fall,
            _VAN_DIJK,
            _ONE_LEVEL,
        ),
        FeatureRecord(
            "minimum_histogram_gradient_intensity",
            "Minimum histogram gradient intensity",
            "RHQZ",
            _PURE,
            "lowest level of the minimum histogram gradient",
            lambda h: h.steepest(h.fall),
            _VAN_DIJK,
            _ONE_LEVEL,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Histogram] | Undefined:
        """The region's grey levels as one :class:`Histogram`."""
        levels = roi.levels
        if isinstance(levels, Undefined):
            return levels
        # Place 0 holds the voxels of the box without a level.
        return (Histogram(torch.bincount(levels.flatten())[1:].to(torch.float64)),)
