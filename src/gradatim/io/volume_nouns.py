"""What the readers of volumes and of regions give, whatever the format was."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.findings import Finding
from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions


@dataclass(frozen=True, eq=False)
class Volume:
    """One real image in three dimensions.

    Args:
        data: (x, y, z), float32; slope and intercept are applied.
        grid: where the voxels lie.
        oriented: whether the file gave the orientation; otherwise ``grid`` only has the right voxel edges.
        unit: unit of the values as the file states it, e.g. ``"HU"``; empty where it does not.
        frame_of_reference: DICOM's identifier of the patient space, empty where the format has none. It ties regions
            to images and is never printed or written.
        notes: warnings and conversions.
    """

    data: Tensor
    grid: Grid
    oriented: bool
    unit: str
    frame_of_reference: str
    notes: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class RegionSet:
    """All regions of a file, on the image's grid.

    A label image cannot hold two regions in one voxel, so regions that overlap come in several layers. A label
    stands for the same region in whichever layer it lies, and lies in one only.

    Args:
        layers: one or more label images; one where no regions overlap.
        notes: warnings and conversions.
    """

    layers: tuple[Regions, ...]
    notes: tuple[Finding, ...]


def layered(grid: Grid, regions: Iterable[tuple[int, str, np.ndarray]]) -> tuple[Regions, ...]:
    """Put regions into as few label images as their order allows: each goes into the first where it has room.

    Args:
        grid: where the voxels lie.
        regions: label > 0, name and mask (x, y, z) of each; masks are taken one by one, and none is kept.

    Returns:
        The label images, int32; none if there was no region.

    Example:
        >>> import numpy as np
        >>> whole, part = np.ones((2, 1, 1), bool), np.array([[[True]], [[False]]])
        >>> [layer.present for layer in layered(Grid((2, 1, 1), (1.0, 1.0, 1.0)), [(1, "a", whole), (2, "b", part)])]
        [(1,), (2,)]
    """
    layers: list[np.ndarray] = []
    names: list[dict[int, str]] = []
    for label, name, mask in regions:
        free = next((i for i, layer in enumerate(layers) if not layer[mask].any()), len(layers))
        if free == len(layers):
            layers.append(np.zeros(grid.shape, np.int32))
            names.append({})
        layers[free][mask] = label
        names[free][label] = name
    return tuple(Regions(torch.from_numpy(a), grid, n) for a, n in zip(layers, names, strict=True))
