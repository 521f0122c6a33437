"""Runs and zones in many windows at once: laid out side by side in one volume, and counted as in any other."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from gradatim.radiomics import runs, zones
from gradatim.radiomics.aggregation import PLANE, Aggregation
from gradatim.radiomics.level_by_size import LevelBySize, level_by_size
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion
from gradatim.radiomics.margin import Margined, crosses_slices, margined
from gradatim.radiomics.undefined import Undefined

PER_ENTRY = 160
"""Bytes a matrix entry: level, size, count, its place, and what the features share, eight each."""

PER_PLACE = 60
"""Bytes a voxel of a window laid out: levels, mask, distances, and the pointers of its zones."""


def interleaved(windows: Tensor, aggregation: Aggregation) -> Margined:
    """Windows (m, a, b, c) with a margin, each place of all of them after another, so that runs stay in their own."""
    deep = int(crosses_slices(aggregation.directions))
    many = len(windows)
    laid = pad(windows, (deep, deep, 1, 1, 1, 1)).permute(1, 2, 3, 0).contiguous()
    _, b, c, _ = laid.shape
    return Margined(laid.flatten(), many * (1 if deep else c), (b * c * many, c * many, deep * many))


@dataclass(frozen=True)
class RunsInWindows:
    """The run length matrices of many windows."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        directions, slices = len(aggregation.directions), region.stencil.shape[2]
        apart = slices if aggregation.directions == PLANE else 1
        table = region.n_levels * max(region.stencil.shape)
        matrices = (slices if aggregation.per_slice else 1) * (directions if aggregation.per_direction else 1)
        entries = min(directions * region.size, matrices * table)
        return 40 * region.size + 12 * directions * apart * table + PER_ENTRY * entries

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3), those without a voxel left out."""
        if isinstance(region.levels, Undefined):
            return region.levels
        windows, directions = region.level_windows(region.levels, centres), aggregation.directions
        laid = interleaved(windows, aggregation)
        count = runs.by_kernel if centres.device.type == "cpu" else runs.by_doubling
        longest = max(windows.shape[1:])
        counts = count(laid, directions, n_levels=region.n_levels, longest=longest)
        # Columns are slices of all windows, the windows of a slice after another.
        counts = counts.view(-1, len(centres), *counts.shape[1:]).transpose(0, 1)
        if not aggregation.per_slice:
            counts = counts.sum(1, keepdim=True)
        if not aggregation.per_direction:
            counts = counts.sum(2, keepdim=True)
        matrices = counts.shape[1] * counts.shape[2]
        counts = counts.flatten(0, 2)
        matrix, level, length = counts.nonzero().T
        number = counts[matrix, level, length]
        return _counted(matrix, level + 1, length + 1, number, number * (length + 1), matrices)


def found_zones(region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Tensor | Undefined:
    """Matrix, level, size and distance of every zone (4, zone), int64, in the windows around centres (m, 3).

    Args:
        region: the region.
        centres: voxels of its box.
        aggregation: which neighbours make a zone, and whether each slice has its own matrix.
    """
    if isinstance(region.levels, Undefined):
        return region.levels
    windows = region.level_windows(region.levels, centres)
    shape = region.windows(region.roi.shape, centres)
    # One plane of zeros behind each window keeps it from the next.
    laid, mask = (margined(pad(v, (0, 0, 0, 0, 0, 1)).flatten(0, 1), aggregation.directions) for v in (windows, shape))
    measure = zones.by_kernel if centres.device.type == "cpu" else zones.by_propagation
    first, size, distance = measure(laid, mask, aggregation.directions)
    matrix = (first // laid.pitch[0] - 1) // (windows.shape[1] + 1)
    if aggregation.per_slice:
        matrix = matrix * laid.columns + first % laid.columns
    return torch.stack([matrix, laid.values[first].to(torch.int64), size, distance])


def _slices(region: WindowedRegion, aggregation: Aggregation) -> int:
    return region.stencil.shape[2] if aggregation.per_slice else 1


@dataclass(frozen=True)
class SizesInWindows:
    """The size zone matrices of many windows."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window; each voxel may be a zone of its own."""
        return (PER_PLACE + PER_ENTRY) * region.size

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3)."""
        found = found_zones(region, centres, aggregation)
        if isinstance(found, Undefined):
            return found
        matrix, level, size, _ = found
        return _counted(matrix, level, size, None, size, _slices(region, aggregation))


@dataclass(frozen=True)
class DistancesInWindows:
    """The distance zone matrices of many windows; the border is that of the region inside the window."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window; each voxel may be a zone of its own."""
        return (PER_PLACE + PER_ENTRY) * region.size

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """The matrices of the windows around centres (m, 3)."""
        found = found_zones(region, centres, aggregation)
        if isinstance(found, Undefined):
            return found
        matrix, level, size, distance = found
        return _counted(matrix, level, distance, None, size, _slices(region, aggregation))


def _counted(
    matrix: Tensor, level: Tensor, size: Tensor, number: Tensor | None, voxels: Tensor, matrices: int
) -> Counted:
    times = None if number is None else number.to(torch.float64)
    batch: LevelBySize = level_by_size(
        matrix=matrix, level=level, size=size, count=times, voxels=voxels.to(torch.float64)
    )
    return Counted(batch, (torch.bincount(matrix) > 0).nonzero()[:, 0], matrices)
