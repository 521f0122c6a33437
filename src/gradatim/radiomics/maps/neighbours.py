"""Tone differences and dependences in many windows at once; neighbours are those inside the window."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion
from gradatim.radiomics.neighbourhoods import BOX
from gradatim.radiomics.ngldm import Dependence
from gradatim.radiomics.ngtdm import ToneDifferences
from gradatim.radiomics.undefined import Undefined

PER_VOXEL = 80
"""Bytes a voxel of a window: levels and sums over neighbours in int16, places in int64, differences in float64."""


def _around(windows: Tensor, aggregation: Aggregation) -> Iterator[Tensor]:
    """The levels (m, a, b, c) at each of the 8 or 26 neighbours, 0 outside of the window."""
    reach = max(z for _, _, z in aggregation.directions)
    wide = torch.nn.functional.pad(windows, (1,) * 6)
    _, a, b, c = windows.shape
    for x, y, z in itertools.product((0, 1, 2), (0, 1, 2), range(1 - reach, 2 + reach)):
        if (x, y, z) != (1, 1, 1):
            yield wide[:, x : x + a, y : y + b, z : z + c]


def _matrices(region: WindowedRegion, aggregation: Aggregation) -> int:
    return region.stencil.shape[2] if aggregation.per_slice else 1


def _rows(windows: Tensor, aggregation: Aggregation, n_levels: int) -> Tensor:
    """Each voxel's row (m, a, b, c), int64, in the tables of all windows and slices, one below the other."""
    many, _, _, slices = windows.shape
    groups = slices if aggregation.per_slice else 1
    table = torch.arange(many, device=windows.device).view(-1, 1, 1, 1) * groups
    if aggregation.per_slice:
        table = table + torch.arange(slices, device=windows.device)
    return table * n_levels + windows.to(torch.int64) - 1


@dataclass(frozen=True)
class TonesInWindows:
    """How far the grey levels of many windows lie from their neighbours' mean."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window; the features compare each level with each other one."""
        n = region.n_levels
        return PER_VOXEL * region.size + 8 * (4 * n + 5 * n**2) * _matrices(region, aggregation)

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3), those without a voxel left out."""
        if isinstance(region.levels, Undefined):
            return region.levels
        windows, n = region.level_windows(region.levels, centres), region.n_levels
        # 26 neighbours of 1024 levels stay below 2¹⁵.
        neighbours, total = torch.zeros_like(windows), torch.zeros_like(windows)
        for other in _around(windows, aggregation):
            neighbours += other > 0
            total += other
        use = (windows > 0) & (neighbours > 0)
        row = _rows(windows, aggregation, n)[use]
        many = len(centres) * _matrices(region, aggregation)
        counts = torch.bincount(row, minlength=many * n).view(many, n)
        apart = (windows * neighbours - total).abs()[use].to(torch.float64) / neighbours[use]
        sums = torch.zeros(many * n, dtype=torch.float64, device=row.device).index_add(0, row, apart).view(many, n)
        rows = (counts.sum(1) > 0).nonzero()[:, 0]
        measured = ToneDifferences(counts[rows].to(torch.float64), sums[rows])
        return Counted(measured, rows, _matrices(region, aggregation))


@dataclass(frozen=True)
class DependencesInWindows:
    """How many neighbours share a voxel's grey level, in many windows."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return PER_VOXEL * region.size + 8 * 5 * BOX * region.n_levels * _matrices(region, aggregation)

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3), those without a voxel left out."""
        if isinstance(region.levels, Undefined):
            return region.levels
        windows, n = region.level_windows(region.levels, centres), region.n_levels
        alike = torch.zeros_like(windows)
        for other in _around(windows, aggregation):
            alike += other == windows
        inside = windows > 0
        place = (_rows(windows, aggregation, n) * BOX + alike)[inside]
        many = len(centres) * _matrices(region, aggregation)
        counts = torch.bincount(place, minlength=many * n * BOX).view(many, n, BOX)
        rows = (counts.sum((1, 2)) > 0).nonzero()[:, 0]
        return Counted(Dependence(counts[rows].to(torch.float64)), rows, _matrices(region, aggregation))
