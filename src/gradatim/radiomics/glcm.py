"""Grey level co-occurrence: 25 features of how often two grey levels are neighbours."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import DIRECTIONAL, Aggregation
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

_HARALICK = "Haralick 1973, doi:10.1109/TSMC.1973.4309314"
_UNSER = "Unser 1986, IEEE TPAMI 8:118"
_CLAUSI = "Clausi 2002, doi:10.5589/m02-004"
_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"
_SOH = "Soh 1999, doi:10.1109/36.752194"
_ONE_LEVEL = "all pairs have one grey level"


def _bits(p: Tensor, dims: tuple[int, ...] | int) -> Tensor:
    return torch.special.entr(p).sum(dims) / torch.log(torch.tensor(2.0, dtype=p.dtype))


class Pairs(ABC):
    """A batch of symmetric matrices of probabilities, by what the features need of them.

    Every feature is a sum over (i, j); most depend on i − j or i + j alone and are summed over those.
    """

    @property
    @abstractmethod
    def n_levels(self) -> int | Tensor:
        """Number of grey levels n, or (batch, 1)."""

    @property
    @abstractmethod
    def row(self) -> Tensor:
        """Row marginal pᵢ (batch, n)."""

    @property
    @abstractmethod
    def difference(self) -> Tensor:
        """Probability of |i − j| = 0 … n − 1 (batch, n)."""

    @property
    @abstractmethod
    def sum(self) -> Tensor:
        """Probability of i + j = 2 … 2n (batch, 2n − 1)."""

    @property
    @abstractmethod
    def maximum(self) -> Tensor:
        """max p (batch,)."""

    @property
    @abstractmethod
    def energy(self) -> Tensor:
        """Σ p² (batch,)."""

    @property
    @abstractmethod
    def product_mean(self) -> Tensor:
        """Σ i·j·p (batch,)."""

    @property
    @abstractmethod
    def joint_entropy(self) -> Tensor:
        """HXY = −Σ p·log₂ p (batch,), bits."""

    @cached_property
    def level(self) -> Tensor:
        """The grey levels 1 … n (n,)."""
        return torch.arange(1, self.row.shape[-1] + 1, dtype=self.row.dtype, device=self.row.device)

    @cached_property
    def mean(self) -> Tensor:
        """Mean grey level μ = Σ i·pᵢ (batch,)."""
        return (self.row * self.level).sum(-1)

    @cached_property
    def variance(self) -> Tensor:
        """Variance of the grey level, Σ (i − μ)²·pᵢ (batch,)."""
        return (self.row * (self.level - self.mean[:, None]) ** 2).sum(-1)

    def over_difference(self, weight: Tensor) -> Tensor:
        """Σ weight(|i − j|)·p (batch,), for a weight (n,) or (batch, n)."""
        return (self.difference * weight).sum(-1)

    @cached_property
    def gap(self) -> Tensor:
        """The differences 0 … n − 1 (n,)."""
        return self.level - 1

    @cached_property
    def mean_gap(self) -> Tensor:
        """Mean of |i − j| (batch,)."""
        return self.over_difference(self.gap)

    @cached_property
    def _off_centre(self) -> Tensor:
        total = torch.arange(2, self.sum.shape[-1] + 2, dtype=self.row.dtype, device=self.row.device)
        return total - 2 * self.mean[:, None]

    def cluster(self, order: int) -> Tensor:
        """Σ (i + j − 2μ)^order·p (batch,), of order 2, 3 or 4."""
        square = self._off_centre * self._off_centre  # many times faster than powers of 4
        rest: dict[int, Tensor | float] = {2: 1.0, 3: self._off_centre, 4: square}
        return (self.sum * square * rest[order]).sum(-1)

    @cached_property
    def row_entropy(self) -> Tensor:
        """HX = −Σ pᵢ·log₂ pᵢ (batch,), bits. For symmetric p the entropies HXY₁ and HXY₂ are both 2·HX."""
        return _bits(self.row, -1)

    @cached_property
    def difference_entropy(self) -> Tensor:
        """Entropy of |i − j| (batch,), bits."""
        return _bits(self.difference, -1)

    @cached_property
    def sum_entropy(self) -> Tensor:
        """Entropy of i + j (batch,), bits."""
        return _bits(self.sum, -1)


@dataclass(frozen=True, eq=False)
class CoOccurrence(Pairs):
    """A batch of symmetric matrices of probabilities, with the marginals that the features share.

    Differentiable in the probabilities.

    Args:
        p: (batch, n, n), float64, each adding up to 1; row i − 1 is grey level i.
    """

    p: Tensor

    @property
    def n_levels(self) -> int:
        """Number of grey levels n."""
        return self.p.shape[-1]

    @cached_property
    def row(self) -> Tensor:
        """Row marginal pᵢ (batch, n)."""
        return self.p.sum(-1)

    @cached_property
    def difference(self) -> Tensor:
        """Probability of |i − j| = 0 … n − 1 (batch, n)."""
        return self._gather((self.level[:, None] - self.level).abs(), self.n_levels)

    @cached_property
    def sum(self) -> Tensor:
        """Probability of i + j = 2 … 2n (batch, 2n − 1)."""
        return self._gather(self.level[:, None] + self.level - 2, 2 * self.n_levels - 1)

    def _gather(self, index: Tensor, size: int) -> Tensor:
        bins = self.p.new_zeros(len(self.p), size)
        return bins.index_add(1, index.flatten().to(torch.int64), self.p.flatten(1))

    @property
    def maximum(self) -> Tensor:
        """max p (batch,)."""
        return self.p.amax((-2, -1))

    @property
    def energy(self) -> Tensor:
        """Σ p² (batch,)."""
        return (self.p**2).sum((-2, -1))

    @cached_property
    def product_mean(self) -> Tensor:
        """Σ i·j·p (batch,)."""
        return torch.einsum("bij,i,j->b", self.p, self.level, self.level)

    @cached_property
    def joint_entropy(self) -> Tensor:
        """HXY = −Σ p·log₂ p (batch,), bits."""
        return _bits(self.p, (-2, -1))


def _inverse_square(gap: Tensor) -> Tensor:
    return torch.where(gap > 0, gap, torch.inf) ** -2


def _record(
    feature: str,
    name: str,
    code: str,
    formula: str,
    compute: Callable[[Pairs], Tensor],
    source: str,
    undefined: str = NOT_FINITE,
) -> FeatureRecord:
    # Grey levels are pure numbers, so the whole family has no unit.
    return FeatureRecord(feature, name, code, Unit(), formula, compute, source, undefined)


@dataclass(frozen=True)
class Glcm(Family):
    """Grey level co-occurrence matrix, family LFYI. Source: IBSI reference manual, arXiv:1612.07003.

    Neighbours have Chebyshev distance 1 and weight 1. p: probability of the pair (i, j), n: number of grey
    levels, which is the highest level in the region, μ: mean level, H: entropy in bits.
    """

    id = "glcm"
    name = "Grey level co-occurrence matrix"
    code = "LFYI"
    aggregations = DIRECTIONAL
    nothing = "no two voxels with an intensity are neighbours"
    features = (
        _record("joint_maximum", "Joint maximum", "GYBY", "max p", lambda m: m.maximum, _HARALICK),
        _record("joint_average", "Joint average", "60VM", "μ = Σ i·p", lambda m: m.mean, _UNSER),
        _record("joint_variance", "Joint variance", "UR99", "Σ (i − μ)²·p", lambda m: m.variance, _HARALICK),
        _record("joint_entropy", "Joint entropy", "TU9B", "HXY = −Σ p·log₂ p", lambda m: m.joint_entropy, _HARALICK),
        _record("difference_average", "Difference average", "TF7R", "Σ |i − j|·p", lambda m: m.mean_gap, _UNSER),
        _record(
            "difference_variance",
            "Difference variance",
            "D3YU",
            "Σ (|i − j| − difference average)²·p",
            lambda m: m.over_difference((m.gap - m.mean_gap[:, None]) ** 2),
            _HARALICK,
        ),
        _record(
            "difference_entropy",
            "Difference entropy",
            "NTRS",
            "entropy of |i − j|",
            lambda m: m.difference_entropy,
            _HARALICK,
        ),
        _record("sum_average", "Sum average", "ZGXS", "Σ (i + j)·p", lambda m: 2 * m.mean, _HARALICK),
        _record("sum_variance", "Sum variance", "OEEB", "Σ (i + j − 2μ)²·p", lambda m: m.cluster(2), _HARALICK),
        _record("sum_entropy", "Sum entropy", "P6QZ", "entropy of i + j", lambda m: m.sum_entropy, _HARALICK),
        _record(
            "angular_second_moment",
            "Angular second moment",
            "8ZQL",
            "Σ p²",
            lambda m: m.energy,
            _HARALICK,
        ),
        _record("contrast", "Contrast", "ACUI", "Σ (i − j)²·p", lambda m: m.over_difference(m.gap**2), _HARALICK),
        _record("dissimilarity", "Dissimilarity", "8S9J", "Σ |i − j|·p", lambda m: m.mean_gap, _CLAUSI),
        _record(
            "inverse_difference",
            "Inverse difference",
            "IB1Z",
            "Σ p / (1 + |i − j|)",
            lambda m: m.over_difference(1 / (1 + m.gap)),
            _CLAUSI,
        ),
        _record(
            "normalised_inverse_difference",
            "Normalised inverse difference",
            "NDRX",
            "Σ p / (1 + |i − j|/n)",
            lambda m: m.over_difference(1 / (1 + m.gap / m.n_levels)),
            _CLAUSI,
        ),
        _record(
            "inverse_difference_moment",
            "Inverse difference moment",
            "WF0Z",
            "Σ p / (1 + (i − j)²)",
            lambda m: m.over_difference(1 / (1 + m.gap**2)),
            _HARALICK,
        ),
        _record(
            "normalised_inverse_difference_moment",
            "Normalised inverse difference moment",
            "1QCO",
            "Σ p / (1 + (i − j)²/n²)",
            lambda m: m.over_difference(1 / (1 + (m.gap / m.n_levels) ** 2)),
            _CLAUSI,
        ),
        _record(
            "inverse_variance",
            "Inverse variance",
            "E8JP",
            "Σ_{i ≠ j} p / (i − j)²",
            lambda m: m.over_difference(_inverse_square(m.gap)),
            _AERTS,
        ),
        _record(
            "correlation",
            "Correlation",
            "NI2N",
            "(Σ i·j·p − μ²) / joint variance",
            lambda m: (m.product_mean - m.mean**2) / m.variance,
            _HARALICK,
            _ONE_LEVEL,
        ),
        _record("autocorrelation", "Autocorrelation", "QWB0", "Σ i·j·p", lambda m: m.product_mean, _SOH),
        _record("cluster_tendency", "Cluster tendency", "DG8W", "Σ (i + j − 2μ)²·p", lambda m: m.cluster(2), _AERTS),
        _record("cluster_shade", "Cluster shade", "7NFM", "Σ (i + j − 2μ)³·p", lambda m: m.cluster(3), _UNSER),
        _record(
            "cluster_prominence", "Cluster prominence", "AE86", "Σ (i + j − 2μ)⁴·p", lambda m: m.cluster(4), _UNSER
        ),
        _record(
            "information_correlation_1",
            "Information correlation 1",
            "R8DG",
            "(HXY − HXY₁) / HX, HXY₁ = −Σ p·log₂(pᵢ·pⱼ)",
            lambda m: (m.joint_entropy - 2 * m.row_entropy) / m.row_entropy,
            _HARALICK,
            _ONE_LEVEL,
        ),
        _record(
            "information_correlation_2",
            "Information correlation 2",
            "JN9H",
            "√(1 − exp(−2·(HXY₂ − HXY))), HXY₂ = −Σ pᵢ·pⱼ·log₂(pᵢ·pⱼ)",
            lambda m: (1 - torch.exp(-2 * (2 * m.row_entropy - m.joint_entropy).clamp(min=0))).sqrt(),
            _HARALICK,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[CoOccurrence] | Undefined:
        """The region's co-occurrence matrices, as :class:`CoOccurrence` batches."""
        levels = roi.levels
        if isinstance(levels, Undefined):
            return levels
        n_levels = int(levels.max())
        return (
            CoOccurrence(counts / counts.sum((-2, -1), keepdim=True).to(torch.float64))
            for counts in matrices(levels, aggregation, n_levels=n_levels)
        )
