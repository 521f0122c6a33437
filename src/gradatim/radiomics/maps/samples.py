"""Intensity statistics of many windows at once."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.distribution import Distribution
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion

SHARED = 9
"""Numbers a voxel of a window that the features keep at a time, float64."""


@dataclass(frozen=True, eq=False)
class WindowSamples(Distribution):
    """The intensities of many windows, as :class:`gradatim.radiomics.statistics.Sample` has those of one region.

    Args:
        ordered: (m, k), float64, each window's intensities, increasing, and infinity behind them.
        number: (m,), int64, how many each has, ≥ 1.
    """

    ordered: Tensor
    number: Tensor

    @cached_property
    def inside(self) -> Tensor:
        """Which places hold an intensity (m, k)."""
        return torch.arange(self.ordered.shape[1], device=self.number.device) < self.number[:, None]

    def _mean(self, values: Tensor) -> Tensor:
        return torch.where(self.inside, values, 0.0).sum(-1) / self.number

    @property
    def minimum(self) -> Tensor:
        """Lowest intensity (m,)."""
        return self.ordered[:, 0]

    @cached_property
    def maximum(self) -> Tensor:
        """Highest intensity (m,)."""
        return self._at(self.number - 1)

    def _at(self, place: Tensor) -> Tensor:
        return self.ordered.gather(1, place[:, None])[:, 0]

    @cached_property
    def mean(self) -> Tensor:
        """Mean (m,), taken from the lowest intensity, so that a constant window has no variance."""
        return self.minimum + self._mean(self.ordered - self.minimum[:, None])

    @cached_property
    def _deviation(self) -> Tensor:
        return torch.where(self.inside, self.ordered - self.mean[:, None], 0.0)

    def moment(self, order: int) -> Tensor:
        """Central moment (m,) of an order."""
        return (self._deviation**order).sum(-1) / self.number

    def percentile(self, percent: float) -> Tensor:
        """Percentile (m,), linear between the order statistics around rank (n − 1)·percent/100."""
        last = self.number - 1
        rank = last.to(torch.float64) * percent / 100
        below = rank.to(torch.int64)
        return torch.lerp(self._at(below), self._at(torch.minimum(below + 1, last)), rank - below)

    def core_distance(self) -> Tensor:
        """Mean distance (m,) of the values from the 10th to the 90th percentile from their own mean; NaN for none."""
        low, high = self.percentile(10)[:, None], self.percentile(90)[:, None]
        core = self.inside & (self.ordered >= low) & (self.ordered <= high)
        many = core.sum(-1)
        values = torch.where(core, self.ordered - self.percentile(50)[:, None], 0.0)
        mean = values.sum(-1) / many
        return torch.where(core, (values - mean[:, None]).abs(), 0.0).sum(-1) / many

    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance (m,) from a centre (m,)."""
        return self._mean((self.ordered - centre[:, None]).abs())

    @cached_property
    def energy(self) -> Tensor:
        """Σ x² (m,)."""
        return torch.where(self.inside, self.ordered, 0.0).square().sum(-1)


@dataclass(frozen=True)
class SamplesInWindows:
    """The intensities of many windows at a time."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return 8 * SHARED * region.size

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted:
        """The intensities of the windows around centres (m, 3)."""
        inside = region.windows(region.roi.intensity, centres).flatten(1)
        values = region.windows(torch.where(region.roi.intensity, region.roi.values, 0.0), centres).flatten(1)
        ordered = torch.where(inside, values, torch.inf).sort(dim=1).values
        return Counted(WindowSamples(ordered, inside.sum(1)), torch.arange(len(centres), device=centres.device), 1)
