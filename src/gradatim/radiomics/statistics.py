"""Intensity statistics: the 18 features of the intensities alone, wherever they lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.distribution import Distribution, distribution_features
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined

_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"


def in_order(values: Tensor) -> Tensor:
    """Values (n,), increasing; differentiable. By NumPy, many times faster, on the CPU without a gradient."""
    if values.requires_grad or values.device.type != "cpu":
        return values.sort().values
    return torch.from_numpy(np.sort(values.numpy()))


@dataclass(frozen=True, eq=False)
class Sample(Distribution):
    """Intensities without their places, with what several features share.

    Differentiable in the intensities; percentiles and extremes move with one or two of them.

    Args:
        values: (n,), float64, n ≥ 1.
    """

    values: Tensor

    @cached_property
    def ordered(self) -> Tensor:
        """The intensities, increasing (n,)."""
        return in_order(self.values)

    @cached_property
    def minimum(self) -> Tensor:
        """Lowest intensity ()."""
        return self.ordered[0]

    @cached_property
    def maximum(self) -> Tensor:
        """Highest intensity ()."""
        return self.ordered[-1]

    @cached_property
    def mean(self) -> Tensor:
        """Mean (), taken from the lowest intensity, so that a constant sample has exactly its value and no variance."""
        return self.minimum + (self.values - self.minimum).mean()

    @cached_property
    def _powers(self) -> dict[int, Tensor]:
        deviation = self.values - self.mean
        square = deviation * deviation
        return {2: square, 3: square * deviation, 4: square * square}

    def moment(self, order: int) -> Tensor:
        """Central moment () of order 2, 3 or 4."""
        return self._powers[order].mean()

    def percentile(self, percent: float) -> Tensor:
        """Percentile (), linear between the order statistics around rank (n − 1)·percent/100."""
        rank = (self.values.numel() - 1) * percent / 100
        below = int(rank)
        above = min(below + 1, self.values.numel() - 1)
        return torch.lerp(self.ordered[below], self.ordered[above], rank - below)

    @cached_property
    def core(self) -> Tensor:
        """The intensities from the 10th to the 90th percentile, relative to the median (m,); two voxels have none."""
        ends = self.ordered.detach()
        first = torch.searchsorted(ends, self.percentile(10).detach())
        behind = torch.searchsorted(ends, self.percentile(90).detach(), right=True)
        return self.ordered[int(first) : int(behind)] - self.percentile(50)

    def core_distance(self) -> Tensor:
        """Mean distance () of the core from its own mean."""
        return (self.core - self.core.mean()).abs().mean()

    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance () from a centre."""
        return (self.values - centre).abs().mean()

    @property
    def number(self) -> int:
        """How many intensities there are."""
        return self.values.numel()

    @cached_property
    def energy(self) -> Tensor:
        """Σ x² ()."""
        return self.values.square().sum()


_CODES = (
    *("Q4LE", "ECT3", "KE2A", "IPH6", "Y12H", "1GSF", "QG58", "8DWT"),
    *("84IY", "SALO", "2OJQ", "4FUA", "1128", "N72L", "7TET", "9S40"),
)


@dataclass(frozen=True)
class Statistics(Family):
    """Intensity-based statistics, family UHIW. Source: IBSI reference manual, arXiv:1612.07003.

    x: intensities, μ: their mean, σ²: their variance, P: percentiles.
    """

    id = "statistics"
    name = "Intensity-based statistics"
    code = "UHIW"
    features = (
        *distribution_features(_CODES, intensity=1),
        FeatureRecord("energy", "Energy", "N8CA", Unit(intensity=2), "Σ x²", lambda s: s.energy, _AERTS),
        FeatureRecord(
            "root_mean_square",
            "Root mean square",
            "5ZWQ",
            Unit(intensity=1),
            "√((1/n) Σ x²)",
            lambda s: (s.energy / s.number).sqrt(),
            _AERTS,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Sample] | Undefined:
        """The region's intensities as one :class:`Sample`."""
        if roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        return (Sample(roi.intensities),)
