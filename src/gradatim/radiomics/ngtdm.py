"""Neighbourhood grey tone difference: 5 features of how far voxels lie from the mean of their neighbours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import ZONAL, Aggregation
from gradatim.radiomics.neighbourhoods import tone_differences
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

_AMADASUN = "Amadasun 1989, doi:10.1109/21.44046"
_HATT = "Amadasun 1989, doi:10.1109/21.44046; denominator: Hatt 2017, doi:10.1007/s00259-016-3427-5"

COARSEST = 1e6
"""IBSI's largest coarseness, where the differences add up to less than its inverse."""


@dataclass(frozen=True, eq=False)
class ToneDifferences:
    """A batch of matrices: how many voxels a grey level has, and how far they lie from their neighbours' mean.

    Sums over pairs of grey levels take a batch × n × n array at a time. Differentiable in both where the counts
    are positive.

    Args:
        n: (batch, levels), float64, voxels with a neighbour; a row has one at least.
        s: (batch, levels), float64, Σ |level − mean level of the neighbours| over these voxels.
    """

    n: Tensor
    s: Tensor

    @cached_property
    def level(self) -> Tensor:
        """The grey levels 1 … n (levels,)."""
        return torch.arange(1, self.n.shape[-1] + 1, dtype=self.n.dtype, device=self.n.device)

    @cached_property
    def voxels(self) -> Tensor:
        """All voxels with a neighbour (batch,)."""
        return self.n.sum(-1)

    @cached_property
    def p(self) -> Tensor:
        """Probability of a grey level (batch, levels)."""
        return self.n / self.voxels[:, None]

    @cached_property
    def present(self) -> Tensor:
        """Number of grey levels with a voxel (batch,)."""
        return (self.n > 0).sum(-1)

    @cached_property
    def weighted(self) -> Tensor:
        """Σ p·s (batch,)."""
        return (self.p * self.s).sum(-1)

    @cached_property
    def gap(self) -> Tensor:
        """i − j (levels, levels)."""
        return self.level[:, None] - self.level

    def over_pairs(self, values: Tensor) -> Tensor:
        """Σ values (batch,) over the pairs of grey levels that both have a voxel, values (batch, levels, levels)."""
        there = self.n > 0
        return torch.where(there[:, :, None] & there[:, None, :], values, 0.0).sum((-2, -1))

    @cached_property
    def contrast(self) -> Tensor:
        """Variance of the levels over their number, times the mean difference (batch,); 0 for one level."""
        # Σ pᵢ·pⱼ·(i − j)² over all pairs is twice the variance.
        mean = (self.p * self.level).sum(-1, keepdim=True)
        spread = 2 * (self.p * (self.level - mean) ** 2).sum(-1)
        return spread / (self.present * (self.present - 1)).clamp(min=1) * self.s.sum(-1) / self.voxels

    @cached_property
    def busyness(self) -> Tensor:
        """Σ p·s over the differences of i·p between levels (batch,); 0 for one level."""
        moment = self.level * self.p
        across = self.over_pairs((moment[:, :, None] - moment[:, None, :]).abs())
        several = self.present > 1
        return torch.where(several, self.weighted / torch.where(several, across, 1.0), 0.0)

    @cached_property
    def complexity(self) -> Tensor:
        """Σ |i − j|·(pᵢ·sᵢ + pⱼ·sⱼ)/(pᵢ + pⱼ) over pairs and voxels (batch,)."""
        share = self.p * self.s
        both = self.p[:, :, None] + self.p[:, None, :]
        part = (share[:, :, None] + share[:, None, :]) / torch.where(both > 0, both, 1.0)
        return self.over_pairs(self.gap.abs() * part) / self.voxels

    @cached_property
    def strength(self) -> Tensor:
        """Σ (pᵢ + pⱼ)·(i − j)² over pairs, over Σ s (batch,); 0 where nothing differs."""
        total = self.s.sum(-1)
        across = self.over_pairs((self.p[:, :, None] + self.p[:, None, :]) * self.gap**2)
        return torch.where(total > 0, across / torch.where(total > 0, total, 1.0), 0.0)


def _record(
    feature: str,
    name: str,
    code: str,
    formula: str,
    compute: Callable[[ToneDifferences], Tensor],
    source: str = _AMADASUN,
    undefined: str = NOT_FINITE,
) -> FeatureRecord:
    # Grey levels are pure numbers, so the whole family has no unit.
    return FeatureRecord(feature, name, code, Unit(), formula, compute, source, undefined)


@dataclass(frozen=True)
class Ngtdm(Family):
    """Neighbourhood grey tone difference matrix, family IPET. Source: IBSI reference manual, arXiv:1612.07003.

    Neighbours have Chebyshev distance 1 and lie in the region; a voxel without any does not count. i, j: grey
    levels that have voxels, m: how many there are, p: their probability, s: sum of |level − mean level of the
    neighbours|, n: number of voxels.
    """

    id = "ngtdm"
    name = "Neighbourhood grey tone difference matrix"
    code = "IPET"
    aggregations = ZONAL
    nothing = "no two voxels with an intensity are neighbours"
    features = (
        _record(
            "coarseness",
            "Coarseness",
            "QCDE",
            "1 / Σ p·s, at most 10⁶",
            lambda m: (1 / m.weighted).clamp(max=COARSEST),
        ),
        _record(
            "contrast",
            "Contrast",
            "65HE",
            "(Σ pᵢ·pⱼ·(i − j)² / (m·(m − 1)))·(Σ s / n); 0 if m = 1",
            lambda m: m.contrast,
        ),
        _record(
            "busyness",
            "Busyness",
            "NQ30",
            "Σ p·s / Σ |i·pᵢ − j·pⱼ|; 0 if m = 1",
            lambda m: m.busyness,
            _HATT,
            "all grey levels have the same product of level and probability",
        ),
        _record(
            "complexity",
            "Complexity",
            "HDEZ",
            "(1/n) Σ |i − j|·(pᵢ·sᵢ + pⱼ·sⱼ)/(pᵢ + pⱼ)",
            lambda m: m.complexity,
        ),
        _record(
            "strength",
            "Strength",
            "1X9X",
            "Σ (pᵢ + pⱼ)·(i − j)² / Σ s; 0 if Σ s = 0",
            lambda m: m.strength,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[ToneDifferences] | Undefined:
        """The region's matrices, as :class:`ToneDifferences` batches."""
        levels = roi.levels
        if isinstance(levels, Undefined):
            return levels
        return (
            ToneDifferences(n.to(torch.float64), s)
            for n, s in tone_differences(levels, aggregation, n_levels=int(levels.max()))
        )
