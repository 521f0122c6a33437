"""Soft tone difference: how far a voxel's grey level lies from the mean level around it."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.ngtdm import ToneDifferences
from gradatim.radiomics.soft.assignment import SoftLevels

SURE = 1 - 1e-12
"""A voxel that belongs to a level by more than this has it for certain: the logarithm of what is left ends here."""


@dataclass(frozen=True, eq=False)
class SoftTone:
    """What the records of NGTDM take, where a grey level may be present only in part.

    IBSI's sums run over the levels that have a voxel. Here each level i counts by its presence
    oᵢ = 1 − Π (1 − wᵢ), the probability that a voxel has it, and each pair by oᵢ·oⱼ, so that a level that
    disappears does so continuously. With all shares 0 or 1, presences are 0 or 1 and the features are IBSI's.

    Args:
        matrix: counts and differences, each (batch, n_levels).
        presence: (batch, n_levels), float64, 0 … 1.
    """

    matrix: ToneDifferences
    presence: Tensor

    def _over_pairs(self, values: Tensor) -> Tensor:
        return torch.einsum("bi,bj,bij->b", self.presence, self.presence, values)

    @property
    def weighted(self) -> Tensor:
        """Σ p·s (batch,)."""
        return self.matrix.weighted

    @cached_property
    def _pairs(self) -> Tensor:
        # m·(m − 1) for m levels that are all there.
        pairs = self.presence.sum(-1) ** 2 - (self.presence**2).sum(-1)
        return torch.where(pairs > 0, pairs, torch.inf)

    @cached_property
    def contrast(self) -> Tensor:
        """Variance of the levels over the pairs of them, times the mean difference (batch,); 0 for one level."""
        m = self.matrix
        mean = (m.p * m.level).sum(-1, keepdim=True)
        return 2 * (m.p * (m.level - mean) ** 2).sum(-1) / self._pairs * m.s.sum(-1) / m.voxels

    @cached_property
    def busyness(self) -> Tensor:
        """Σ p·s over the differences of i·p between levels (batch,); 0 for one level."""
        moment = self.matrix.level * self.matrix.p
        across = self._over_pairs((moment[:, :, None] - moment[:, None, :]).abs())
        return self.weighted / torch.where(self._pairs.isfinite(), across, torch.inf)

    @cached_property
    def complexity(self) -> Tensor:
        """Σ |i − j|·(pᵢ·sᵢ + pⱼ·sⱼ)/(pᵢ + pⱼ) over pairs and voxels (batch,)."""
        m = self.matrix
        share = m.p * m.s
        both = m.p[:, :, None] + m.p[:, None, :]
        part = (share[:, :, None] + share[:, None, :]) / torch.where(both > 0, both, 1.0)
        return self._over_pairs(m.gap.abs() * part) / m.voxels

    @cached_property
    def strength(self) -> Tensor:
        """Σ (pᵢ + pⱼ)·(i − j)² over pairs, over Σ s (batch,); 0 where nothing differs."""
        total = self.matrix.s.sum(-1)
        across = self._over_pairs((self.matrix.p[:, :, None] + self.matrix.p[:, None, :]) * self.matrix.gap**2)
        return across / torch.where(total > 0, total, torch.inf)


def soft_tone(levels: SoftLevels, around: Tensor, group: Tensor) -> SoftTone:
    """How much of each level has neighbours, n_i, and its tone differences, s_i; differentiable in the shares.

    n_i = Σ wᵢ(v), s_i = Σ wᵢ(v)·|i − mean of the expected levels around v|, over the voxels that have a neighbour. A
    relaxation, not IBSI's expectation: the mean around a voxel is taken before the absolute value. At an exact
    tie, |0|, the derivative is taken as 0.

    Args:
        levels: of the n intensities.
        around: (n, neighbours), int64, which intensities lie around each; −1 where there is none.
        group: (n,), int64, 0 …; groups are counted apart, and left out if none of their voxels has a neighbour.

    Example:
        >>> levels = SoftLevels(torch.tensor([1, 2]), torch.tensor([0.0, 0.5], dtype=torch.float64))
        >>> tone = soft_tone(levels, torch.tensor([[1], [0]]), torch.tensor([0, 0]))
        >>> tone.matrix.n.tolist(), tone.matrix.s.tolist(), tone.presence.round(decimals=6).tolist()
        ([[1.0, 0.5, 0.5]], [[1.5, 0.5, 1.0]], [[1.0, 0.5, 0.5]])
    """
    known = around >= 0
    has = known.any(1).nonzero().squeeze(1)
    beside = torch.where(known, levels.expected[around], torch.zeros_like(levels.share).unsqueeze(1))[has]
    mean = beside.sum(1) / known[has].sum(1)
    lower, share = levels.lower[has], levels.share[has]
    side, groups = levels.n_levels + 1, int(group.max()) + 1
    place = group[has] * side + lower - 1

    def table(below: Tensor, above: Tensor) -> Tensor:
        bins = share.new_zeros(groups * side).index_add(0, place, below).index_add(0, place + 1, above)
        return bins.view(groups, side)[met, :-1]

    met = torch.bincount(group[has], minlength=groups) > 0
    matrix = ToneDifferences(
        n=table(1 - share, share), s=table((1 - share) * (lower - mean).abs(), share * (lower + 1 - mean).abs())
    )
    absent = table(torch.log1p(-(1 - share).clamp(max=SURE)), torch.log1p(-share.clamp(max=SURE)))
    return SoftTone(matrix, -torch.expm1(absent))
