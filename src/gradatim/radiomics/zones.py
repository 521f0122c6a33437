"""Zones: connected voxels of one grey level, with their size and their distance to the region's border."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import PLANE, SPACE, Aggregation, Offset
from gradatim.radiomics.level_by_size import LevelBySize, level_by_size
from gradatim.radiomics.margin import Margined, margined
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True, eq=False)
class Zones:
    """The zones of a region, each with what the two zone matrices need.

    Args:
        slice: (zone,), int64, along the third array axis; 0 where zones cross slices.
        level: (zone,), int64, grey level ≥ 1.
        size: (zone,), int64, number of voxels.
        distance: (zone,), int64, the least number of face-to-face steps from one of its voxels out of the region's
            morphological mask; 1 at the border.
    """

    slice: Tensor
    level: Tensor
    size: Tensor
    distance: Tensor

    def by_size(self, aggregation: Aggregation) -> LevelBySize:
        """How often a grey level has a zone of a size."""
        return self._matrices(self.size, aggregation)

    def by_distance(self, aggregation: Aggregation) -> LevelBySize:
        """How often a grey level has a zone at a distance."""
        return self._matrices(self.distance, aggregation)

    def _matrices(self, property_of_zone: Tensor, aggregation: Aggregation) -> LevelBySize:
        return level_by_size(
            matrix=self.slice if aggregation.per_slice else torch.zeros_like(self.slice),
            level=self.level,
            size=property_of_zone,
            voxels=self.size.to(torch.float64),
        )


def find_zones(levels: Tensor, shape: Tensor, directions: tuple[Offset, ...]) -> Zones:
    """All zones of a region, by compiled kernels on the CPU, by torch elsewhere; in integers.

    Args:
        levels: (x, y, z), int64, 1 … 1024, 0 outside the region; not all 0.
        shape: (x, y, z), bool, the morphological mask, which the distances are measured in.
        directions: ``PLANE`` or ``SPACE``, which neighbours are joined; in the plane the slices are apart.

    Example:
        >>> line = torch.tensor([1, 1, 2]).view(3, 1, 1)
        >>> zones = find_zones(line, line > 0, PLANE)
        >>> zones.level.tolist(), zones.size.tolist(), zones.distance.tolist()
        ([1, 2], [2, 1], [1, 1])
    """
    laid, mask = margined(levels.to(torch.int16), directions), margined(shape, directions)
    measured = by_kernel if levels.device.type == "cpu" else by_propagation
    first, size, distance = measured(laid, mask, directions)
    return Zones(first % laid.columns, laid.values[first].to(torch.int64), size, distance)


def _faces(directions: tuple[Offset, ...]) -> tuple[Offset, ...]:
    return tuple(m for m in directions if sum(map(abs, m)) == 1)


def by_kernel(laid: Margined, mask: Margined, directions: tuple[Offset, ...]) -> Tensor:
    """The zones by the compiled kernels; arguments and result as of :func:`by_propagation`."""
    from gradatim.radiomics.zones_kernel import border_distances, measured_zones

    # The first direction is the one along which places follow each other.
    fresh = tuple(m for m in directions if sum(a * b for a, b in zip(m, directions[0], strict=True)) < 0)
    distances = border_distances(mask.values.numpy(), np.array(mask.steps(_faces(directions))))
    steps, fresh_steps = np.array(laid.steps(directions)), np.array(laid.steps(fresh))
    return torch.from_numpy(measured_zones(laid.values.numpy(), distances, steps, fresh_steps))


def by_propagation(laid: Margined, mask: Margined, directions: tuple[Offset, ...]) -> Tensor:
    """The zones by torch on any device: every voxel takes the least label around it until nothing changes.

    Args:
        laid: the levels.
        mask: the morphological mask.
        directions: ``PLANE`` or ``SPACE``.

    Returns:
        First place, number of voxels and least distance of every zone (3, zone), int64, by first place.
    """
    levels = laid.values
    label = torch.arange(len(levels), device=levels.device)
    pairs = []
    for step in laid.steps(directions):
        here = ((levels > 0) & (levels == levels.roll(step))).nonzero()[:, 0]
        pairs.append(torch.stack([here, here - step]))
    one, other = torch.cat(pairs, dim=1)
    while not label[one].equal(label[other]):
        # The lesser of two labels becomes the label of the greater, as of a voxel; then each takes its label's label.
        low, high = torch.minimum(label[one], label[other]), torch.maximum(label[one], label[other])
        label = label.scatter_reduce(0, high, low, "amin")
        label = label[label]
    inside = levels > 0
    first, zone, size = torch.unique(label[inside], return_inverse=True, return_counts=True)
    distances = by_erosion(mask, _faces(directions))[inside]
    nearest = torch.zeros_like(first).scatter_reduce(0, zone, distances, "amin", include_self=False)
    return torch.stack([first, size, nearest])


def by_erosion(mask: Margined, faces: tuple[Offset, ...]) -> Tensor:
    """City-block distance out of a mask by torch on any device: how many erosions a voxel survives, and one.

    Args:
        mask: the mask.
        faces: voxel offsets to the neighbours that share a face, pointing forwards.

    Returns:
        Distances (place,), int64, 0 outside.
    """
    left = mask.values
    distances = left.to(torch.int64)
    while bool(left.any()):
        eroded = left
        for step in mask.steps(faces):
            eroded = eroded & left.roll(step) & left.roll(-step)
        left = eroded
        distances = distances + left
    return distances


def zones_in_plane(roi: Roi) -> Zones | Undefined:
    """The zones of a region in its slices, eight neighbours a voxel."""
    return roi.levels if isinstance(roi.levels, Undefined) else find_zones(roi.levels, roi.shape, PLANE)


def zones_in_space(roi: Roi) -> Zones | Undefined:
    """The zones of a region in space, 26 neighbours a voxel."""
    return roi.levels if isinstance(roi.levels, Undefined) else find_zones(roi.levels, roi.shape, SPACE)
