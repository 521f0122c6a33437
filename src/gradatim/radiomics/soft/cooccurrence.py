"""Soft co-occurrence: how much of two grey levels lies side by side."""

from collections.abc import Iterator

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.soft.assignment import SoftLevels
from gradatim.radiomics.soft.region import SoftRegion


def soft_pair_counts(levels: SoftLevels, first: Tensor, second: Tensor, group: Tensor) -> Tensor:
    """Expected counts of level i beside level j in either order, M = N + Nᵀ, N = Σ wᵢ(first)·wⱼ(second).

    Differentiable in the shares. Each pair adds to four entries, so that cost and memory do not grow with the
    number of grey levels.

    Args:
        levels: of the intensities.
        first: (pairs,), int64, which intensity.
        second: (pairs,), int64, the one beside it.
        group: (pairs,), int64, 0 …; groups are counted apart.

    Returns:
        Counts (groups, n, n), float64, symmetric; n the highest level.

    Example:
        >>> levels = SoftLevels(torch.tensor([1, 1]), torch.tensor([0.0, 0.5]))
        >>> soft_pair_counts(levels, torch.tensor([0]), torch.tensor([1]), torch.tensor([0])).tolist()
        [[[1.0, 0.5], [0.5, 0.0]]]
    """
    n = levels.n_levels
    side, groups = n + 1, int(group.max()) + 1  # one level more, to which nothing belongs, takes the shares of 0
    code = (group * side + levels.lower[first] - 1) * side + levels.lower[second] - 1
    a, b = levels.share[first], levels.share[second]
    table = a.new_zeros(groups * side**2)
    for step, amount in ((0, (1 - a) * (1 - b)), (1, (1 - a) * b), (side, a * (1 - b)), (side + 1, a * b)):
        table = table.index_add(0, code + step, amount)
    counts = table.view(groups, side, side)[:, :n, :n]
    return counts + counts.mT


def soft_matrices(region: SoftRegion, levels: SoftLevels, aggregation: Aggregation) -> Iterator[Tensor]:
    """The soft co-occurrence matrices that an aggregation asks for.

    Args:
        region: who is whose neighbour.
        levels: the region's soft levels.
        aggregation: directions, and which matrices are kept apart.

    Yields:
        Counts (batch, n, n), float64; matrices without a single pair are left out.
    """
    merged = []
    group = region.groups(aggregation)
    for offset in aggregation.directions:
        partner = region.partner(offset)
        first = (partner >= 0).nonzero().squeeze(1)
        if len(first) == 0:
            continue
        counts = soft_pair_counts(levels, first, partner[first], group[first])
        if aggregation.per_direction:
            yield counts[counts.detach().sum((-2, -1)) > 0]
        else:
            merged.append(torch.nn.functional.pad(counts, (0, 0, 0, 0, 0, int(group.max()) + 1 - len(counts))))
    if merged:
        total = torch.stack(merged).sum(0)
        yield total[total.detach().sum((-2, -1)) > 0]
