"""Neighbouring grey level dependence: 17 features of how many neighbours share a voxel's grey level."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import ZONAL, Aggregation
from gradatim.radiomics.neighbourhoods import dependences
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

_SUN = "Sun 1983, doi:10.1016/0734-189X(83)90032-4"
_IBSI = "IBSI manual, arXiv:1612.07003"


@dataclass(frozen=True, eq=False)
class Dependence:
    """A batch of matrices of counts: grey level i against dependence j, with the marginals that features share.

    Differentiable in the counts.

    Args:
        counts: (batch, levels, dependences), float64; row i − 1 is grey level i, column j − 1 a voxel that shares
            its level with j − 1 neighbours.
    """

    counts: Tensor

    @cached_property
    def total(self) -> Tensor:
        """N = Σ s (batch,), each voxel once."""
        return self.counts.sum((-2, -1))

    @cached_property
    def p(self) -> Tensor:
        """s / N (batch, levels, dependences)."""
        return self.counts / self.total[:, None, None]

    @cached_property
    def level(self) -> Tensor:
        """The grey levels i (levels,)."""
        return self._from_one(self.counts.shape[1])

    @cached_property
    def dependence(self) -> Tensor:
        """The dependences j (dependences,)."""
        return self._from_one(self.counts.shape[2])

    def _from_one(self, size: int) -> Tensor:
        return torch.arange(1, size + 1, dtype=self.counts.dtype, device=self.counts.device)

    @cached_property
    def by_level(self) -> Tensor:
        """Probability of a level (batch, levels)."""
        return self.p.sum(2)

    @cached_property
    def by_dependence(self) -> Tensor:
        """Probability of a dependence (batch, dependences)."""
        return self.p.sum(1)

    def emphasis(self, level: int, dependence: int) -> Tensor:
        """Mean (batch,) of i^level·j^dependence."""
        return torch.einsum("bij,i,j->b", self.p, self.level**level, self.dependence**dependence)


def _variance(p: Tensor, value: Tensor) -> Tensor:
    mean = (p * value).sum(-1, keepdim=True)
    return (p * (value - mean) ** 2).sum(-1)


def _record(
    feature: str,
    name: str,
    code: str,
    formula: str,
    compute: Callable[[Dependence], Tensor],
    source: str = _IBSI,
) -> FeatureRecord:
    # Grey levels and numbers of neighbours are pure numbers, so the whole family has no unit.
    return FeatureRecord(feature, name, code, Unit(), formula, compute, source)


@dataclass(frozen=True)
class Ngldm(Family):
    """Neighbouring grey level dependence matrix, family REK0. Source: IBSI reference manual, arXiv:1612.07003.

    Neighbours have Chebyshev distance 1; they depend on a voxel if they have its grey level (α = 0). s: number of
    voxels of level i with j − 1 such neighbours, N: of all voxels, p = s/N, μ: mean.
    """

    id = "ngldm"
    name = "Neighbouring grey level dependence matrix"
    code = "REK0"
    aggregations = ZONAL
    features = (
        _record(
            "low_dependence_emphasis", "Low dependence emphasis", "SODN", "Σ p/j²", lambda m: m.emphasis(0, -2), _SUN
        ),
        _record(
            "high_dependence_emphasis", "High dependence emphasis", "IMOQ", "Σ j²·p", lambda m: m.emphasis(0, 2), _SUN
        ),
        _record(
            "low_grey_level_count_emphasis",
            "Low grey level count emphasis",
            "TL9H",
            "Σ p/i²",
            lambda m: m.emphasis(-2, 0),
        ),
        _record(
            "high_grey_level_count_emphasis",
            "High grey level count emphasis",
            "OAE7",
            "Σ i²·p",
            lambda m: m.emphasis(2, 0),
        ),
        _record(
            "low_dependence_low_grey_level_emphasis",
            "Low dependence low grey level emphasis",
            "EQ3F",
            "Σ p/(i²·j²)",
            lambda m: m.emphasis(-2, -2),
        ),
        _record(
            "low_dependence_high_grey_level_emphasis",
            "Low dependence high grey level emphasis",
            "JA6D",
            "Σ i²·p/j²",
            lambda m: m.emphasis(2, -2),
        ),
        _record(
            "high_dependence_low_grey_level_emphasis",
            "High dependence low grey level emphasis",
            "NBZI",
            "Σ j²·p/i²",
            lambda m: m.emphasis(-2, 2),
        ),
        _record(
            "high_dependence_high_grey_level_emphasis",
            "High dependence high grey level emphasis",
            "9QMG",
            "Σ i²·j²·p",
            lambda m: m.emphasis(2, 2),
        ),
        _record(
            "grey_level_non_uniformity",
            "Grey level non-uniformity",
            "FP8K",
            "(1/N) Σᵢ (Σⱼ s)²",
            lambda m: (m.by_level**2).sum(-1) * m.total,
        ),
        _record(
            "normalised_grey_level_non_uniformity",
            "Normalised grey level non-uniformity",
            "5SPA",
            "Σᵢ (Σⱼ p)²",
            lambda m: (m.by_level**2).sum(-1),
        ),
        _record(
            "dependence_count_non_uniformity",
            "Dependence count non-uniformity",
            "Z87G",
            "(1/N) Σⱼ (Σᵢ s)²",
            lambda m: (m.by_dependence**2).sum(-1) * m.total,
            _SUN,
        ),
        _record(
            "normalised_dependence_count_non_uniformity",
            "Normalised dependence count non-uniformity",
            "OKJI",
            "Σⱼ (Σᵢ p)²",
            lambda m: (m.by_dependence**2).sum(-1),
        ),
        _record(
            "dependence_count_percentage",
            "Dependence count percentage",
            "6XV8",
            "N / number of voxels, always 1: each voxel has one dependence",
            lambda m: m.total / m.total,
        ),
        _record(
            "grey_level_variance",
            "Grey level variance",
            "1PFV",
            "Σ (i − μ)²·p",
            lambda m: _variance(m.by_level, m.level),
        ),
        _record(
            "dependence_count_variance",
            "Dependence count variance",
            "DNX2",
            "Σ (j − μ)²·p",
            lambda m: _variance(m.by_dependence, m.dependence),
        ),
        _record(
            "dependence_count_entropy",
            "Dependence count entropy",
            "FCBV",
            "−Σ p·log₂ p",
            lambda m: torch.special.entr(m.p).sum((-2, -1)) / torch.log(torch.tensor(2.0, dtype=m.p.dtype)),
            _SUN,
        ),
        _record(
            "dependence_count_energy",
            "Dependence count energy",
            "CAS9",
            "Σ p²",
            lambda m: (m.p**2).sum((-2, -1)),
            _SUN,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[Dependence] | Undefined:
        """The region's matrices, as :class:`Dependence` batches."""
        levels = roi.levels
        if isinstance(levels, Undefined):
            return levels
        n_levels = int(levels.max())
        return (Dependence(counts.to(torch.float64)) for counts in dependences(levels, aggregation, n_levels=n_levels))
