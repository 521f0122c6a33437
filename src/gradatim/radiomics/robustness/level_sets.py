"""Regions as signed distances, and label images made of levels."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from gradatim.base.nouns import Regions
from gradatim.radiomics.boxes import Box, boxes

Spacing = tuple[float, float, float]
Distance = Callable[[np.ndarray, Spacing], np.ndarray]

_FAR_MM = 1e9


def border_distance(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Distance of each voxel's centre from a mask's border in mm, positive inside.

    √Σ ((nᵢ − ½)·eᵢ)² over the axes with nᵢ > 0, nᵢ voxels of edge eᵢ away from the nearest centre on the other side:
    the distance from that voxel's box. So a voxel that touches the border has half of the edge across it, which for
    thick slices is more than half of an edge in the plane.

    Args:
        mask: (x, y, z), bool; where it is set, or unset, everywhere, the border is taken to be very far away.
        spacing: voxel edges, mm.

    Example:
        >>> line = np.array([0, 0, 1, 1, 0], bool).reshape(5, 1, 1)
        >>> border_distance(line, (2.0, 2.0, 2.0)).ravel().tolist()
        [-3.0, -1.0, 1.0, 1.0, -1.0]
    """
    if mask.all() or not mask.any():
        return np.where(mask, _FAR_MM, -_FAR_MM)
    return _from_boxes(mask, spacing) - _from_boxes(~mask, spacing)


def centre_distance(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Distance of each voxel's centre from the nearest centre on the other side in mm, positive inside.

    Args:
        mask: (x, y, z), bool; where it is set, or unset, everywhere, the other side is taken to be very far away.
        spacing: voxel edges, mm.

    Example:
        >>> line = np.array([0, 0, 1, 1, 0], bool).reshape(5, 1, 1)
        >>> centre_distance(line, (2.0, 2.0, 2.0)).ravel().tolist()
        [-4.0, -2.0, 2.0, 2.0, -2.0]
    """
    if mask.all() or not mask.any():
        return np.where(mask, _FAR_MM, -_FAR_MM)
    inside, outside = (distance_transform_edt(side, sampling=spacing) for side in (mask, ~mask))
    return np.asarray(inside - outside)


def _from_boxes(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    nearest = distance_transform_edt(mask, sampling=spacing, return_distances=False, return_indices=True)
    squared = np.zeros(mask.shape)
    for axis, (n, edge) in enumerate(zip(mask.shape, spacing, strict=True)):
        own = np.arange(n).reshape([-1 if other == axis else 1 for other in range(3)])
        squared += np.square(np.maximum(np.abs(own - nearest[axis]) - 0.5, 0) * edge)
    return np.sqrt(squared)


def distances(regions: Regions, margin_mm: float, measure: Distance) -> Iterator[tuple[int, Box, np.ndarray]]:
    """Label, box and signed distance of every region, in a box that reaches beyond it.

    Where a region touches the image's border, it is taken to go on beyond.

    Args:
        regions: the regions.
        margin_mm: how far the box reaches beyond the region, mm, as far as the grid goes.
        measure: which distance.
    """
    spacing = regions.grid.spacing
    for label, box in boxes(regions.labels).items():
        pads = [int(np.ceil(margin_mm / edge)) + 1 for edge in spacing]
        wide = tuple(
            slice(max(0, part.start - pad), min(n, part.stop + pad))
            for part, pad, n in zip(box, pads, regions.grid.shape, strict=True)
        )
        mask = (regions.labels[wide] == label).cpu().numpy()
        framed = measure(np.pad(mask, 1, mode="edge"), spacing)[1:-1, 1:-1, 1:-1]
        yield label, (wide[0], wide[1], wide[2]), framed


def highest_level(levels: Iterable[tuple[int, np.ndarray]], shape: tuple[int, ...], least: float) -> Tensor:
    """The label image in which each voxel has the label whose level is highest there.

    Args:
        levels: label and level (x, y, z) of each region.
        shape: sizes of the label image.
        least: the level from which on a voxel belongs to a region; below, it has label 0.

    Returns:
        (x, y, z), int64; of equal levels the first counts.
    """
    labels, best = np.zeros(shape, np.int64), np.full(shape, -np.inf)
    for label, level in levels:
        higher = (level >= least) & (level > best)
        labels[higher] = label
        best[higher] = level[higher]
    return torch.from_numpy(labels)


def relabelled(regions: Regions, levels: Iterable[tuple[int, Box, np.ndarray]]) -> Tensor:
    """The label image of new levels, 0 and above inside, each given in a box; the type is the old one's.

    Args:
        regions: the old regions.
        levels: label, box and level of each.
    """

    def whole() -> Iterator[tuple[int, np.ndarray]]:
        for label, box, level in levels:
            field = np.full(regions.grid.shape, -np.inf)
            field[box] = level
            yield label, field

    return highest_level(whole(), regions.grid.shape, 0.0).to(regions.labels)
