"""Regions as signed distances, and label images made of levels."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from gradatim.base.nouns import Regions
from gradatim.radiomics.boxes import Box, boxes

_FAR_MM = 1e9


def signed_distance(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Distance from a mask's border in mm, positive inside.

    The distance of a voxel's centre to the nearest centre on the other side, less half of the smallest edge, by which
    the border lies between them; so a voxel that touches the border from inside has about +½ edge, from outside −½.

    Args:
        mask: (x, y, z), bool; where it is set, or unset, everywhere, the border is taken to be very far away.
        spacing: voxel edges, mm.

    Example:
        >>> line = np.array([0, 0, 1, 1, 0], bool).reshape(5, 1, 1)
        >>> signed_distance(line, (2.0, 2.0, 2.0)).ravel().tolist()
        [-3.0, -1.0, 1.0, 1.0, -1.0]
    """
    if mask.all() or not mask.any():
        return np.where(mask, _FAR_MM, -_FAR_MM)
    half = min(spacing) / 2
    inside = distance_transform_edt(mask, sampling=spacing) - half
    outside = distance_transform_edt(~mask, sampling=spacing) - half
    return np.asarray(np.where(mask, inside, -outside))


def distances(regions: Regions, margin_mm: float) -> Iterator[tuple[int, Box, np.ndarray]]:
    """Label, box and signed distance of every region, in a box that reaches beyond it.

    Where a region touches the image's border, it is taken to go on beyond.

    Args:
        regions: the regions.
        margin_mm: how far the box reaches beyond the region, mm, as far as the grid goes.
    """
    spacing = regions.grid.spacing
    for label, box in boxes(regions.labels).items():
        pads = [int(np.ceil(margin_mm / edge)) + 1 for edge in spacing]
        wide = tuple(
            slice(max(0, part.start - pad), min(n, part.stop + pad))
            for part, pad, n in zip(box, pads, regions.grid.shape, strict=True)
        )
        mask = (regions.labels[wide] == label).cpu().numpy()
        framed = signed_distance(np.pad(mask, 1, mode="edge"), spacing)[1:-1, 1:-1, 1:-1]
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
