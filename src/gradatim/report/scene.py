"""What the viewer shows: volumes and label overlays on one grid."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """One image of the viewer.

    Args:
        name: what it shows, e.g. ``"Susceptibility"``; unique within a scene.
        unit: unit of its values, empty for arbitrary ones.
        values: (x, y, z), real; array or CPU/CUDA tensor. Non-finite values show as "undefined".
        grid: where its voxels lie.
        window: the values shown black and white, in ``unit``, low < high.
        mask: (x, y, z), bool, where the values mean something; outside they are stored as undefined.
            None: everywhere.

    Raises:
        UsageError: GD-103 if shapes disagree; GD-101 if the window is not two increasing finite numbers.

    Example:
        >>> Volume("Field", "Hz", np.zeros((4, 4, 2)), Grid((4, 4, 2), (1.0, 1.0, 2.0)), (-50.0, 50.0)).unit
        'Hz'
    """

    name: str
    unit: str
    values: np.ndarray
    grid: Grid
    window: tuple[float, float]
    mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _array(self.values, self.grid, f"volume {self.name!r}"))
        if self.mask is not None:
            object.__setattr__(self, "mask", _array(self.mask, self.grid, f"mask of {self.name!r}").astype(bool))
        low, high = self.window
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise UsageError(
                "GD-101", given=f"window {self.window}", allowed="finite (low, high), low < high", do="give both ends"
            )


@dataclass(frozen=True, eq=False)
class Overlay:
    """Labels drawn over the volumes: one label as an outline, several as coloured areas.

    Args:
        name: e.g. ``"Brain mask"`` or ``"Regions"``.
        labels: (x, y, z), integer or bool, 0 is nothing; array or tensor.
        grid: where its voxels lie.
        names: label → name; a label without a name is called by its number.

    Raises:
        UsageError: GD-103 if shapes disagree; GD-101 if the labels are not integers.
    """

    name: str
    labels: np.ndarray
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = _array(self.labels, self.grid, f"overlay {self.name!r}")
        if labels.dtype.kind not in "bui":
            raise UsageError(
                "GD-101", given=f"labels of type {labels.dtype}", allowed="integers or bool", do="round them first"
            )
        object.__setattr__(self, "labels", labels)


@dataclass(frozen=True, eq=False)
class Scene:
    """What the viewer shows: volumes and overlays on one grid, the most important volume first.

    Args:
        volumes: in order of importance; the last are left out when the page would grow too large.
        overlays: drawn over every volume.
        crop: (x, y, z), bool; the page keeps the box around it. None: the whole grid.
        margin_mm: what the box keeps beyond the mask on each side, mm, ≥ 0.

    Raises:
        UsageError: GD-103 if grids disagree; GD-101 if there is no volume, two share a name, or the margin is negative.
    """

    volumes: tuple[Volume, ...]
    overlays: tuple[Overlay, ...] = ()
    crop: np.ndarray | None = None
    margin_mm: float = 5.0

    def __post_init__(self) -> None:
        names = [volume.name for volume in self.volumes]
        if not names or len(set(names)) < len(names) or not self.margin_mm >= 0:
            raise UsageError(
                "GD-101",
                given=f"volumes {names}, margin {self.margin_mm} mm",
                allowed="at least one volume, distinct names, a margin of at least 0 mm",
                do="name each volume once",
            )
        members: tuple[Volume | Overlay, ...] = (*self.volumes, *self.overlays)
        for other in members:
            if not self.grid.same_space(other.grid):
                raise UsageError(
                    "GD-103",
                    given=f"{other.name!r} on another grid than {names[0]!r}",
                    allowed="one grid for all volumes and overlays of a viewer",
                    do="resample it first",
                )
        if self.crop is not None:
            object.__setattr__(self, "crop", _array(self.crop, self.grid, "crop mask").astype(bool))

    @property
    def grid(self) -> Grid:
        """The grid all volumes share."""
        return self.volumes[0].grid


def _array(values: Any, grid: Grid, what: str) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor, wherever it lives
        values = values.detach().cpu()
    array = np.asarray(values)
    if array.shape != grid.shape or array.dtype.kind not in "buif":
        raise UsageError(
            "GD-103",
            given=f"{what}: shape {array.shape}, type {array.dtype}",
            allowed=f"real numbers of shape {grid.shape}",
            do="give one real value a voxel",
        )
    return array
