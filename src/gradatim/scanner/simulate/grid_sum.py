"""The exact Fourier sum over spins on a grid, one axis after the other."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradatim.scanner.simulate.single_pathway import Heard, evolved
from gradatim.scanner.simulate.spins import Spins

STEP = 1e-9
"""Positions, m, and times, s, are the same within this."""
SAME_K = 1e-6
"""And places in k-space, 1/m."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Spins at places of a rectangular grid.

    Args:
        lines: the grid's positions along x, y and z, m.
        index: (v,), each spin's place on the flat grid.
    """

    lines: tuple[Tensor, Tensor, Tensor]
    index: Tensor

    @classmethod
    def of(cls, position: Tensor) -> "Lattice":
        """The grid of all positions that occur along each axis.

        Args:
            position: (v, 3), m.
        """
        keys = (position / STEP).round().long()
        lines, places = zip(*(keys[:, axis].unique(return_inverse=True) for axis in range(3)), strict=True)
        index = (places[0] * len(lines[1]) + places[1]) * len(lines[2]) + places[2]
        first = [
            torch.zeros(len(line), dtype=position.dtype).index_copy(0, p, position[:, a])
            for a, (line, p) in enumerate(zip(lines, places, strict=True))
        ]
        return cls((first[0], first[1], first[2]), index)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Places along x, y and z."""
        return len(self.lines[0]), len(self.lines[1]), len(self.lines[2])


@dataclass(frozen=True, eq=False)
class Column:
    """Samples of one instant after the pulse and one place along an axis: all others' sum over it is shared.

    Args:
        heard: which coherence, of many alike in amplitude and dephasing time.
        time: s since the pulse.
        along: k on the axis that is summed first, 1/m.
        samples: which samples, (n,).
        k: (n, 3), 1/m.
    """

    heard: Heard
    time: float
    along: float
    samples: Tensor
    k: Tensor


def column_count(heard: list[Heard], axis: int) -> int:
    """How many :func:`columns` there are.

    Args:
        heard: the coherences of the stretches that have samples.
        axis: that is summed first.
    """
    return len(_keys(heard, axis).unique(dim=0))


def columns(heard: list[Heard], axis: int) -> list[Column]:
    """All samples, grouped by amplitude, instant, and k along an axis.

    Args:
        heard: the coherences of the stretches that have samples.
        axis: that is summed first.
    """
    k = torch.cat([each.dephasing[:3] + each.stretch.samples[:, :3] for each in heard])
    time = torch.cat([each.stretch.samples[:, 3] for each in heard])
    sample = torch.cat([each.stretch.first + torch.arange(len(each.stretch.samples)) for each in heard])
    owner = _owners(heard)
    _, number, counts = _keys(heard, axis).unique(dim=0, return_inverse=True, return_counts=True)
    found = []
    for mine in number.argsort(stable=True).split(counts.tolist()):
        one = int(mine[0])
        found.append(Column(heard[int(owner[one])], float(time[one]), float(k[one, axis]), sample[mine], k[mine]))
    return found


def _owners(heard: list[Heard]) -> Tensor:
    """Which coherence each sample hears."""
    return torch.arange(len(heard)).repeat_interleave(torch.tensor([len(each.stretch.samples) for each in heard]))


def _keys(heard: list[Heard], axis: int) -> Tensor:
    """What samples of one column have in common, (n, 4)."""
    along = torch.cat([each.dephasing[axis] + each.stretch.samples[:, axis] for each in heard])
    time = torch.cat([each.stretch.samples[:, 3] for each in heard])
    group = torch.tensor([each.group for each in heard])
    since = (torch.stack([each.dephasing[3] for each in heard]) / STEP).round().long()
    alike = torch.stack([group, since], 1)[_owners(heard)]
    return torch.cat([alike, (time / STEP).round().long()[:, None], (along / SAME_K).round().long()[:, None]], 1)


@dataclass(frozen=True, eq=False)
class GridSum:
    """s_j = Σ_v ρ_v·F_v(t_j)·exp(2πi k_j·r_v) for spins on a grid, exact.

    For every column (one instant, one place along the first axis) the spins' magnetisation is made once, summed along
    that axis, and the plane that is left is summed along the two others for all lines at once: no interpolation in
    space, no segments in time.

    Args:
        spins: ρ, T2, Δf, T2'.
        lattice: where they are.
        axis: that is summed first.
    """

    spins: Spins
    lattice: Lattice
    axis: int

    def __call__(self, column: Column) -> Tensor:
        """The samples of a column, (n,), without the voxel's shape and the coherence's phase."""
        if torch.is_grad_enabled() and column.heard.amplitude.requires_grad:
            plane = checkpoint(self._plane, column, use_reentrant=False)
        else:
            plane = self._plane(column)
        others = [a for a in range(3) if a != self.axis]
        (first, at_first), (second, at_second) = (self._waves(column.k[:, a], a) for a in others)
        return (first.to(plane) @ plane @ second.to(plane).T)[at_first, at_second]

    def _plane(self, column: Column) -> Tensor:
        """Σ along the first axis, over the two others."""
        since = abs(float(column.heard.dephasing[3]) + column.time)
        values = column.heard.amplitude * (self.spins.density * torch.exp(-since / self.spins.t2_prime))
        values = values * evolved(self.spins, column.time)
        box = torch.zeros(math.prod(self.lattice.shape), dtype=values.dtype).index_add(0, self.lattice.index, values)
        wave = torch.exp(2j * math.pi * column.along * self.lattice.lines[self.axis]).to(values)
        return torch.tensordot(wave, box.reshape(self.lattice.shape), dims=([0], [self.axis]))

    def _waves(self, k: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """exp(2πi k·r) for each different k, (k, r), and which of them each sample has."""
        different, which = (k / SAME_K).round().long().unique(return_inverse=True)
        exact = torch.zeros(len(different), dtype=k.dtype).index_copy(0, which, k)
        return torch.exp(2j * math.pi * exact[:, None] * self.lattice.lines[axis].to(k)), which
