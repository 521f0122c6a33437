"""Histograms of the grey levels of many windows at once."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.distribution import Distribution
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion
from gradatim.radiomics.undefined import Undefined

SHARED = 9
"""Numbers a grey level and window that the features keep at a time, float64."""


@dataclass(frozen=True, eq=False)
class WindowHistograms(Distribution):
    """The histograms of many windows, as :class:`gradatim.radiomics.histogram.Histogram` is that of one region.

    Args:
        counts: (m, n), float64, of grey levels 1 … n of the region; a window's own end at its highest level.
    """

    counts: Tensor

    @cached_property
    def level(self) -> Tensor:
        """The grey levels 1 … n (n,)."""
        return torch.arange(1, self.counts.shape[1] + 1, dtype=self.counts.dtype, device=self.counts.device)

    @cached_property
    def number(self) -> Tensor:
        """Voxels (m,)."""
        return self.counts.sum(-1)

    @cached_property
    def p(self) -> Tensor:
        """Probability of a grey level (m, n)."""
        return self.counts / self.number[:, None]

    @cached_property
    def minimum(self) -> Tensor:
        """Lowest level with a voxel (m,)."""
        return torch.where(self.counts > 0, self.level, torch.inf).amin(-1)

    @cached_property
    def maximum(self) -> Tensor:
        """Highest level with a voxel (m,)."""
        return torch.where(self.counts > 0, self.level, 0.0).amax(-1)

    def _mean(self, values: Tensor) -> Tensor:
        return (self.counts * values).sum(-1) / self.number

    @cached_property
    def mean(self) -> Tensor:
        """Mean level (m,)."""
        return self._mean(self.level)

    def moment(self, order: int) -> Tensor:
        """Central moment (m,) of an order."""
        return self._mean((self.level - self.mean[:, None]) ** order)

    @cached_property
    def _ranks(self) -> Tensor:
        return self.counts.cumsum(-1)

    def percentile(self, percent: float) -> Tensor:
        """Percentile (m,), linear between the levels of the voxels around rank (voxels − 1)·percent/100."""
        last = self.number - 1
        rank = last * percent / 100
        below = rank.floor()
        around = torch.stack([below, torch.minimum(below + 1, last)], dim=1)
        low, high = self.level[torch.searchsorted(self._ranks, around, right=True)].T
        return torch.lerp(low, high, rank - below)

    def core_distance(self) -> Tensor:
        """Mean distance (m,) of the levels from the 10th to the 90th percentile from their own mean; NaN for none."""
        low, high = self.percentile(10)[:, None], self.percentile(90)[:, None]
        core = torch.where((self.level >= low) & (self.level <= high), self.counts, 0.0)
        number = core.sum(-1)
        mean = (core * self.level).sum(-1) / number
        return (core * (self.level - mean[:, None]).abs()).sum(-1) / number

    def mean_distance(self, centre: Tensor) -> Tensor:
        """Mean distance (m,) from a centre (m,)."""
        return self._mean((self.level - centre[:, None]).abs())

    @cached_property
    def mode(self) -> Tensor:
        """The most frequent level (m,); of several the one closest to the mean, of two as close the lower."""
        often = self.counts == self.counts.amax(-1, keepdim=True)
        distance = torch.where(often, (self.level - self.mean[:, None]).abs(), torch.inf)
        return self._first(distance == distance.amin(-1, keepdim=True))

    def _first(self, marked: Tensor) -> Tensor:
        return torch.where(marked, self.level, torch.inf).amin(-1)

    @cached_property
    def gradient(self) -> Tensor:
        """Central difference of the counts, one-sided at a window's own ends (m, n); NaN behind, and for one level."""
        last = self.maximum[:, None]
        wide = torch.nn.functional.pad(self.counts, (1, 1))
        before, here, behind = wide[:, :-2], wide[:, 1:-1], wide[:, 2:]
        slope = torch.where(self.level == 1, behind - here, (behind - before) / 2)
        slope = torch.where(self.level == last, here - before, slope)
        return torch.where((self.level <= last) & (last > 1), slope, torch.nan)

    def _extreme(self, gradient: Tensor) -> Tensor:
        return torch.where(self.maximum > 1, gradient, torch.nan)

    @property
    def rise(self) -> Tensor:
        """Largest gradient (m,); NaN for one level."""
        return self._extreme(self.gradient.nan_to_num(nan=-torch.inf).amax(-1))

    @property
    def fall(self) -> Tensor:
        """Least gradient (m,); NaN for one level."""
        return self._extreme(self.gradient.nan_to_num(nan=torch.inf).amin(-1))

    def steepest(self, slope: Tensor) -> Tensor:
        """The lowest level (m,) with a slope (m,); NaN if there is no gradient."""
        return self._extreme(self._first(self.gradient == slope[:, None]))

    @property
    def entropy(self) -> Tensor:
        """−Σ p·log₂ p (m,), bits."""
        return torch.special.entr(self.p).sum(-1) / torch.log(torch.tensor(2.0, dtype=self.p.dtype))

    @property
    def uniformity(self) -> Tensor:
        """Σ p² (m,)."""
        return self.p.square().sum(-1)


@dataclass(frozen=True)
class HistogramsInWindows:
    """The histograms of many windows at a time."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return 18 * region.size + 8 * SHARED * (region.n_levels + 2)

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The histograms of the windows around centres (m, 3)."""
        if isinstance(region.levels, Undefined):
            return region.levels
        windows = region.level_windows(region.levels, centres).flatten(1).to(torch.int64)
        side, many = region.n_levels + 1, len(centres)
        place = windows + side * torch.arange(many, device=centres.device)[:, None]
        counts = torch.bincount(place.flatten(), minlength=many * side).view(many, side)[:, 1:]
        return Counted(WindowHistograms(counts.to(torch.float64)), torch.arange(many, device=centres.device), 1)
