"""Sixteen features of how often a grey level has a size: of runs, of zones, and of the zones' distances."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.record import FeatureRecord, Unit

SPARE = 1 << 16
"""Cells that are cheaper to count in a full table than to sort, whatever the number of entries."""


@dataclass(frozen=True, eq=False)
class LevelBySize:
    """A batch of sparse matrices n(i, j): how often grey level i has size j. Differentiable in the counts.

    Args:
        matrix: (entry,), int64, which matrix of the batch the entry belongs to.
        level: (entry,), int64, grey level i ≥ 1.
        size: (entry,), int64, size j ≥ 1; no two entries agree in matrix, level and size.
        count: (entry,), float64, n > 0.
        voxels: (batch,), float64, how many voxels each matrix was counted from; a voxel counts once a direction.
    """

    matrix: Tensor
    level: Tensor
    size: Tensor
    count: Tensor
    voxels: Tensor

    def total(self, values: Tensor) -> Tensor:
        """Sum over the entries of each matrix (batch,), of values (entry,)."""
        return torch.zeros_like(self.voxels).index_add(0, self.matrix, values)

    @cached_property
    def number(self) -> Tensor:
        """How many there are, N = Σ n (batch,)."""
        return self.total(self.count)

    @cached_property
    def i(self) -> Tensor:
        """The grey levels (entry,), float64."""
        return self.level.to(torch.float64)

    @cached_property
    def j(self) -> Tensor:
        """The sizes (entry,), float64."""
        return self.size.to(torch.float64)

    def mean(self, values: Tensor) -> Tensor:
        """Σ n·value / N (batch,), of values (entry,)."""
        return self.total(self.count * values) / self.number

    def variance(self, values: Tensor) -> Tensor:
        """Σ n·(value − mean)² / N (batch,), of values (entry,)."""
        return self.mean((values - self.mean(values)[self.matrix]) ** 2)

    def non_uniformity(self, values: Tensor) -> Tensor:
        """Σ over the values of (how many have it)² / N (batch,), of values (entry,), int64."""
        span = int(values.max()) + 1
        place, merged = _merged(self.matrix * span + values, len(self.voxels) * span, self.count)
        squares = torch.zeros_like(self.voxels).index_add(0, place // span, merged**2)
        return squares / self.number

    @cached_property
    def entropy(self) -> Tensor:
        """−Σ p·log₂ p (batch,), p = n/N."""
        p = self.count / self.number[self.matrix]
        return self.total(torch.special.entr(p)) / torch.log(torch.tensor(2.0, dtype=p.dtype))


def level_by_size(
    *, matrix: Tensor, level: Tensor, size: Tensor, count: Tensor | None = None, voxels: Tensor
) -> LevelBySize:
    """Add up what has the same matrix, level and size; matrices without an entry are left out.

    Args:
        matrix: (item,), int64, ≥ 0.
        level: (item,), int64, ≥ 1.
        size: (item,), int64, ≥ 1.
        count: (item,), float64, how often; None for once each.
        voxels: (item,), float64, how many voxels the item stands for.

    Example:
        >>> two = torch.tensor([2, 2])
        >>> level_by_size(matrix=two, level=two, size=two, voxels=two.double()).count.tolist()
        [2.0]
    """
    present = torch.bincount(matrix) > 0
    matrix = (torch.cumsum(present, 0) - 1)[matrix]
    batch, levels, sizes = int(present.sum()), int(level.max()) + 1, int(size.max()) + 1
    times = torch.ones_like(voxels) if count is None else count
    place, merged = _merged((matrix * levels + level) * sizes + size, batch * levels * sizes, times)
    return LevelBySize(
        matrix=place // (levels * sizes),
        level=place // sizes % levels,
        size=place % sizes,
        count=merged,
        voxels=torch.zeros(batch, dtype=torch.float64, device=voxels.device).index_add(0, matrix, voxels),
    )


def _merged(place: Tensor, places: int, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The places that occur, increasing, and the sum of the weights at each."""
    if places <= SPARE + 4 * len(place):  # a full table, and no sorting
        occurs = torch.bincount(place, minlength=places).nonzero()[:, 0]
        return occurs, torch.zeros(places, dtype=weight.dtype, device=weight.device).index_add(0, place, weight)[occurs]
    occurs, index = torch.unique(place, return_inverse=True)
    return occurs, torch.zeros(len(occurs), dtype=weight.dtype, device=weight.device).index_add(0, index, weight)


_FORMULAS: tuple[tuple[str, Callable[[LevelBySize], Tensor]], ...] = (
    ("Σ n/{j}² / N", lambda m: m.mean(m.j**-2)),
    ("Σ n·{j}² / N", lambda m: m.mean(m.j**2)),
    ("Σ n/i² / N", lambda m: m.mean(m.i**-2)),
    ("Σ n·i² / N", lambda m: m.mean(m.i**2)),
    ("Σ n/(i²·{j}²) / N", lambda m: m.mean((m.i * m.j) ** -2)),
    ("Σ n·i²/{j}² / N", lambda m: m.mean((m.i / m.j) ** 2)),
    ("Σ n·{j}²/i² / N", lambda m: m.mean((m.j / m.i) ** 2)),
    ("Σ n·i²·{j}² / N", lambda m: m.mean((m.i * m.j) ** 2)),
    ("Σᵢ (Σ_{j} n)² / N", lambda m: m.non_uniformity(m.level)),
    ("Σᵢ (Σ_{j} n)² / N²", lambda m: m.non_uniformity(m.level) / m.number),
    ("Σ_{j} (Σᵢ n)² / N", lambda m: m.non_uniformity(m.size)),
    ("Σ_{j} (Σᵢ n)² / N²", lambda m: m.non_uniformity(m.size) / m.number),
    ("N / N_v", lambda m: m.number / m.voxels),
    ("Σ n·(i − Σ n·i/N)² / N", lambda m: m.variance(m.i)),
    ("Σ n·({j} − Σ n·{j}/N)² / N", lambda m: m.variance(m.j)),
    ("−Σ n/N·log₂(n/N)", lambda m: m.entropy),
)
"""What is the same in the three families, in the order of the IBSI manual; {j} stands for the family's letter."""


def sixteen(letter: str, entries: tuple[tuple[str, str, str], ...]) -> tuple[FeatureRecord, ...]:
    """A family's sixteen records.

    Args:
        letter: what the family calls the size.
        entries: IBSI name, IBSI code and source of each, in the order of the manual.

    Raises:
        ValueError: if there are not sixteen.
    """
    # Grey levels are pure numbers and sizes are counted in voxels, so no feature has a unit.
    return tuple(
        FeatureRecord(_id(name), name, code, Unit(), formula.replace("{j}", letter), compute, source)
        for (name, code, source), (formula, compute) in zip(entries, _FORMULAS, strict=True)
    )


def _id(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
