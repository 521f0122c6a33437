"""Co-occurrence in many windows at once: what the features need of each matrix, and never the matrices."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.cooccurrence import pair_counts
from gradatim.radiomics.glcm import Pairs
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion
from gradatim.radiomics.undefined import Undefined

SHARED = 20
"""Numbers a grey level and matrix that the features keep at a time, float64: four counted, their shares, and terms."""


@dataclass(frozen=True, eq=False)
class WindowPairs(Pairs):
    """A batch of co-occurrence matrices by their marginals and sums.

    Args:
        histograms: (batch, 4·n), float64: how often a level occurs, a difference from 0, and a sum from 2; the last
            place is empty.
        sums: (batch, 9), float64: entries N > 0, largest, Σ c², Σ i·j·c, highest level of the window, and
            Σ c·log₂(N/c) over the entries, levels, differences and sums.
    """

    histograms: Tensor
    sums: Tensor

    def _share(self, first: int, last: int) -> Tensor:
        n = self.histograms.shape[1] // 4
        return self.histograms[:, first * n : last * n] / self.sums[:, :1]

    @property
    def n_levels(self) -> Tensor:
        """Highest grey level of the window (batch, 1)."""
        return self.sums[:, 4:5]

    @cached_property
    def row(self) -> Tensor:
        """Row marginal pᵢ (batch, n)."""
        return self._share(0, 1)

    @cached_property
    def difference(self) -> Tensor:
        """Probability of |i − j| = 0 … n − 1 (batch, n)."""
        return self._share(1, 2)

    @cached_property
    def sum(self) -> Tensor:
        """Probability of i + j = 2 … 2n (batch, 2n − 1)."""
        return self._share(2, 4)[:, :-1]

    @property
    def maximum(self) -> Tensor:
        """max p (batch,)."""
        return self.sums[:, 1] / self.sums[:, 0]

    @property
    def energy(self) -> Tensor:
        """Σ p² (batch,)."""
        return self.sums[:, 2] / self.sums[:, 0] ** 2

    @property
    def product_mean(self) -> Tensor:
        """Σ i·j·p (batch,)."""
        return self.sums[:, 3] / self.sums[:, 0]

    @property
    def joint_entropy(self) -> Tensor:
        """HXY = −Σ p·log₂ p (batch,), bits."""
        return self.sums[:, 5] / self.sums[:, 0]

    @property
    def row_entropy(self) -> Tensor:
        """HX = −Σ pᵢ·log₂ pᵢ (batch,), bits."""
        return self.sums[:, 6] / self.sums[:, 0]

    @property
    def difference_entropy(self) -> Tensor:
        """Entropy of |i − j| (batch,), bits."""
        return self.sums[:, 7] / self.sums[:, 0]

    @property
    def sum_entropy(self) -> Tensor:
        """Entropy of i + j (batch,), bits."""
        return self.sums[:, 8] / self.sums[:, 0]


@dataclass(frozen=True)
class PairsInWindows:
    """The co-occurrence of grey levels in many windows at a time."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return 8 * SHARED * matrices(region, aggregation) * max(1, region.n_levels) + 24

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3), those without a pair left out."""
        if isinstance(region.levels, Undefined):
            return region.levels
        count = _counted if centres.device.type == "cpu" else counted_twin
        histograms, sums = count(region, region.levels, centres, aggregation)
        rows = (sums[:, 0] > 0).nonzero()[:, 0]
        if len(rows) < len(sums):
            histograms, sums = histograms[rows], sums[rows]
        return Counted(WindowPairs(histograms.to(torch.float64), sums), rows, matrices(region, aggregation))


def matrices(region: WindowedRegion, aggregation: Aggregation) -> int:
    """How many matrices a window has: one, or as many as there are slices, directions or both."""
    slices = region.stencil.shape[2] if aggregation.per_slice else 1
    return slices * (len(aggregation.directions) if aggregation.per_direction else 1)


def _counted(
    region: WindowedRegion, levels: Tensor, centres: Tensor, aggregation: Aggregation
) -> tuple[Tensor, Tensor]:
    from gradatim.radiomics.maps.pairs_kernel import add_window_pairs

    ways = np.array(aggregation.directions)
    shape = (len(centres), matrices(region, aggregation))
    histograms = np.zeros((*shape, 4 * region.n_levels), np.int32)
    sums = np.zeros((*shape, 9))
    apart = np.array([aggregation.per_slice, aggregation.per_direction], np.int64)
    logs = np.log2(np.arange(2 * region.size * len(ways) + 1).clip(1))
    stencil = region.stencil.to(torch.int16).numpy()
    # A centre in the region's box is the corner of its window in the box with its margin.
    add_window_pairs(levels.numpy(), centres.numpy(), stencil, ways, apart, logs, histograms, sums)
    return torch.from_numpy(histograms).flatten(0, 1), torch.from_numpy(sums).flatten(0, 1)


def counted_twin(
    region: WindowedRegion, levels: Tensor, centres: Tensor, aggregation: Aggregation
) -> tuple[Tensor, Tensor]:
    """Histograms (m · matrices, 4·n) and sums (m · matrices, 9) by whole matrices, on any device.

    Args:
        region: the region.
        levels: its levels, with their margin.
        centres: (m, 3).
        aggregation: which matrices a window has.
    """
    n = region.n_levels
    windows = region.level_windows(levels, centres).to(torch.int64)
    highest = windows.amax((1, 2, 3))
    groups = windows.unsqueeze(1)
    if aggregation.per_slice:
        groups = windows.permute(0, 3, 1, 2).unsqueeze(-1)
    apart = groups.flatten(0, 1)
    counts = torch.stack([pair_counts(apart, way, n_levels=n) for way in aggregation.directions], dim=1)
    if not aggregation.per_direction:
        counts = counts.sum(1, keepdim=True)
    c = counts.flatten(0, 1).to(torch.float64)
    level = torch.arange(n, device=c.device)
    histograms = c.new_zeros(len(c), 4 * n)
    histograms[:, :n] = c.sum(-1)
    histograms.index_add_(1, (n + (level[:, None] - level).abs()).flatten(), c.flatten(1))
    histograms.index_add_(1, (2 * n + level[:, None] + level).flatten(), c.flatten(1))
    entries = c.sum((-2, -1))
    number = level.to(c.dtype) + 1
    product = torch.einsum("bij,i,j->b", c, number, number)
    of_window = highest.repeat_interleave(len(c) // max(1, len(windows))).to(torch.float64)
    sums = [entries, c.amax((-2, -1)), c.square().sum((-2, -1)), product, of_window]
    bits = [_bits(each, entries) for each in (c.flatten(1), *histograms.split([n, n, 2 * n], dim=1))]
    return histograms, torch.stack(sums + bits, dim=1)


def _bits(counts: Tensor, total: Tensor) -> Tensor:
    return (counts * torch.log2(total[:, None].clamp(min=1) / counts.clamp(min=1))).sum(-1)
