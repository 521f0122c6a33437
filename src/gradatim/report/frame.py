"""The box of a grid that a picture shows, turned so that its axes run to the patient's right, front and top."""

from dataclasses import dataclass

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from gradatim.base.grid import Grid


@dataclass(frozen=True, eq=False)
class Frame:
    """A crop of a grid in display order: axis 0 nearest to right, axis 1 to anterior, axis 2 to superior.

    Each array axis goes to the patient axis it is nearest to (one each, by the singular value decomposition of
    the direction cosines), and is reversed where it points the other way. Values are never interpolated: an
    oblique scan keeps its own slices, and :attr:`tilt_degrees` says how far they lean.

    Args:
        grid: the stored grid.
        start: first stored voxel of the crop, one per array axis.
        stop: voxel after the last, one per array axis.

    Example:
        >>> flipped = Grid((2, 3, 4), (1.0, 1.0, 1.0), ((-1, 0, 0, 9), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)))
        >>> frame = Frame(flipped, (0, 0, 0), flipped.shape)
        >>> frame.affine[0].tolist()
        [1.0, 0.0, 0.0, 8.0]
    """

    grid: Grid
    start: tuple[int, ...]
    stop: tuple[int, ...]

    @classmethod
    def around(cls, grid: Grid, mask: np.ndarray | None, margin_mm: float) -> "Frame":
        """The box around a mask with a margin in mm; the whole grid where the mask is None or empty."""
        if mask is None or not mask.any():
            return cls(grid, (0, 0, 0), grid.shape)
        start, stop = [], []
        for axis in range(3):
            inside = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
            margin = int(np.ceil(margin_mm / grid.spacing[axis]))
            start.append(max(0, int(inside[0]) - margin))
            stop.append(min(grid.shape[axis], int(inside[-1]) + 1 + margin))
        return cls(grid, tuple(start), tuple(stop))

    @property
    def _orientation(self) -> np.ndarray:
        return io_orientation(self.grid.matrix)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """An array of the stored grid (spatial axes x, y, z first), cropped and turned."""
        box = tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return apply_orientation(values[box], self._orientation)

    @property
    def stored(self) -> np.ndarray:
        """4×4 matrix of integers: voxel of the frame → voxel of the stored grid."""
        size = [b - a for a, b in zip(self.start, self.stop, strict=True)]
        shift = np.eye(4)
        shift[:3, 3] = self.start
        return shift @ inv_ornt_aff(self._orientation, size)

    @property
    def affine(self) -> np.ndarray:
        """4×4 matrix: voxel of the frame → RAS mm."""
        return self.grid.matrix @ self.stored

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edge along each axis of the frame, mm."""
        x, y, z = (float(v) for v in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along each axis of the frame."""
        sizes = np.abs(np.linalg.inv(self.stored[:3, :3])) @ np.subtract(self.stop, self.start)
        x, y, z = (round(float(v)) for v in sizes)
        return x, y, z

    @property
    def tilt_degrees(self) -> float:
        """Largest angle between an axis of the frame and the patient axis it is named after, degrees."""
        cosines = np.diag(self.affine)[:3] / self.spacing
        return float(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)).max()))
