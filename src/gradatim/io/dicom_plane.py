"""The planes of DICOM images, and the grid that they make together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradatim.base.errors import InputError
from gradatim.io.dicom_elements import damaged, element, items, numbers, whole

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
POSITION_TOLERANCE = 0.01
"""Largest deviation of a slice from its place that still counts as even, as a share of the spacing."""
ROUNDING_MM = 0.02
"""What a position may be off by its rounding to text, mm."""
DIRECTION_TOLERANCE = 1e-3
"""Largest difference of unit vectors, or scalar product of orthogonal ones, that counts as rounding."""


@dataclass(frozen=True, eq=False)
class Plane:
    """One image plane, in DICOM's LPS millimetres.

    Args:
        name: how messages call its file.
        position: centre of the first pixel, mm.
        along_row: unit vector in which the column index grows.
        along_column: unit vector in which the row index grows.
        spacing: distance between columns, and between rows, mm.
        shape: number of columns, and of rows.
        thickness: distance to the next slice as the file states it, mm; 0 where it does not.
    """

    name: str
    position: np.ndarray
    along_row: np.ndarray
    along_column: np.ndarray
    spacing: tuple[float, float]
    shape: tuple[int, int]
    thickness: float

    @property
    def normal(self) -> np.ndarray:
        """Unit vector along_row × along_column."""
        return np.cross(self.along_row, self.along_column)

    @property
    def matrix(self) -> np.ndarray:
        """4×4, (column, row, distance along the normal in mm, 1) → RAS mm."""
        lps = np.eye(4)
        lps[:3, 0], lps[:3, 1] = self.along_row * self.spacing[0], self.along_column * self.spacing[1]
        lps[:3, 2], lps[:3, 3] = self.normal, self.position
        return LPS_TO_RAS @ lps


def planes_of(dataset: Any, name: str) -> list[Plane]:
    """The planes of a file: one, or one for each frame of a multi-frame file.

    Args:
        dataset: data elements; pixels are not needed.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if position, orientation or spacing is missing or impossible.
    """
    frames = frame_groups(dataset, name)
    if not frames:
        if whole(dataset, "NumberOfFrames", name, default=1) != 1:
            raise damaged(name, "it has several frames, and no position for each")
        return [_plane(dataset, [dataset], name)]
    return [_plane(dataset, groups, name) for groups in frames]


def frame_groups(dataset: Any, name: str) -> list[list[Any]]:
    """For each frame of a multi-frame file, where its own facts stand: its groups first, then the shared ones.

    Args:
        dataset: data elements.
        name: how messages call the file.

    Raises:
        InputError: GD-289 if there are not as many groups as frames.
    """
    own = items(dataset, "PerFrameFunctionalGroupsSequence", name)
    if own and len(own) != whole(dataset, "NumberOfFrames", name, default=1):
        raise damaged(name, f"it describes {len(own)} frames and has another number of them")
    shared = items(dataset, "SharedFunctionalGroupsSequence", name)
    return [[group, *shared] for group in own]


def in_groups(groups: list[Any], sequence: str, name: str) -> Any:
    """The first item of a functional group, wherever it stands.

    Args:
        groups: as :func:`frame_groups` gives them for one frame.
        sequence: the group's keyword.
        name: how messages call the file.

    Returns:
        A data set, or None.
    """
    return next((found[0] for group in groups if (found := items(group, sequence, name))), None)


def _plane(dataset: Any, groups: list[Any], name: str) -> Plane:
    if groups[0] is dataset:
        position = turn = measure = dataset
    else:
        sequences = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        position, turn, measure = (in_groups(groups, sequence, name) for sequence in sequences)
        if position is None or turn is None or measure is None:
            raise damaged(name, "a frame lacks its position, orientation or spacing")
    cosines = numbers(turn, "ImageOrientationPatient", 6, name)
    along_row, along_column = cosines[:3], cosines[3:]
    lengths = np.array([np.linalg.norm(along_row), np.linalg.norm(along_column)])
    if np.abs(lengths - 1).max() > 10 * DIRECTION_TOLERANCE or abs(along_row @ along_column) > DIRECTION_TOLERANCE:
        raise damaged(name, "its rows and columns are not orthogonal unit vectors")
    between_rows, between_columns = numbers(measure, "PixelSpacing", 2, name)
    if min(between_rows, between_columns) <= 0:
        raise InputError(
            "GD-209",
            given=f"{name} has the pixel spacing {between_rows:g}×{between_columns:g} mm",
            allowed="positive lengths",
            do="export the series again",
        )
    return Plane(
        name,
        numbers(position, "ImagePositionPatient", 3, name),
        along_row / lengths[0],
        along_column / lengths[1],
        (float(between_columns), float(between_rows)),
        (whole(dataset, "Columns", name), whole(dataset, "Rows", name)),
        _thickness(measure, name),
    )


def _thickness(measure: Any, name: str) -> float:
    for key in ("SpacingBetweenSlices", "SliceThickness"):
        if element(measure, key, name) is not None:
            return abs(float(numbers(measure, key, 1, name)[0]))
    return 0.0


def order_and_affine(planes: Sequence[Plane], name: str) -> tuple[np.ndarray, np.ndarray]:
    """The order of planes along their normal, and the affine of the volume that they make.

    Planes are sorted by position·normal. The step from one to the next must be the same everywhere and lie along the
    normal.

    Args:
        planes: at least one.
        name: how messages call the series.

    Returns:
        Indices of the planes in their order, and the affine (4×4, voxel (column, row, slice) → RAS mm).

    Raises:
        InputError: GD-291 for gaps; GD-292 for planes at one position; GD-293 for mixed sizes, spacings or
            orientations; GD-294 for slices that are sheared.
    """
    first = planes[0]
    _require_alike(planes, name)
    heights = np.array([plane.position @ first.normal for plane in planes])
    order = np.argsort(heights, kind="stable")
    if len(planes) == 1:
        if not 0 < first.thickness < np.inf:
            raise damaged(name, "a single slice states no thickness")
        step = first.normal * first.thickness
    else:
        step = (planes[order[-1]].position - planes[order[0]].position) / (len(planes) - 1)
        _require_even(heights[order], name)
        _require_upright([planes[i] for i in order], step, name)
    affine = planes[order[0]].matrix
    affine[:3, 2] = LPS_TO_RAS[:3, :3] @ step
    return order, affine


def _require_alike(planes: Sequence[Plane], name: str) -> None:
    first = planes[0]
    for plane in planes[1:]:
        turn = max(
            np.abs(plane.along_row - first.along_row).max(), np.abs(plane.along_column - first.along_column).max()
        )
        if plane.shape != first.shape:
            what = f"images of {plane.shape[0]}×{plane.shape[1]} and of {first.shape[0]}×{first.shape[1]} pixels"
        elif np.abs(np.subtract(plane.spacing, first.spacing)).max() > 1e-3 * min(first.spacing):
            what = f"pixel spacings of {plane.spacing} and of {first.spacing} mm"
        elif turn > DIRECTION_TOLERANCE:
            what = "images of different orientation"
        else:
            continue
        raise InputError(
            "GD-293",
            given=f"{name} has {what}, e.g. {plane.name}",
            allowed="images of one size, spacing and orientation",
            do="move localisers and reformatted images into folders of their own",
        )


def _require_even(heights: np.ndarray, name: str) -> None:
    gaps = np.diff(heights)
    spacing = float(np.median(gaps))
    together = gaps <= max(ROUNDING_MM / 10, POSITION_TOLERANCE * spacing)
    if together.any():
        raise InputError(
            "GD-292",
            given=f"{name} has {int(together.sum())} image(s) too many, e.g. two at {heights[:-1][together][0]:g} mm",
            allowed="one image per position",
            do="move copies, echoes, time points or energies into folders of their own",
        )
    uneven = np.abs(gaps - spacing) > max(ROUNDING_MM, POSITION_TOLERANCE * spacing)
    if uneven.any():
        places = ", ".join(f"{heights[i]:g} to {heights[i + 1]:g}" for i in np.flatnonzero(uneven)[:5])
        raise InputError(
            "GD-291",
            given=f"{name} has slices {spacing:g} mm apart, and {int(uneven.sum())} other gap(s), from {places} mm",
            allowed="the same distance between all slices",
            do="export all slices, or give one part of the series",
        )


def _require_upright(planes: Sequence[Plane], step: np.ndarray, name: str) -> None:
    first, length = planes[0], float(np.linalg.norm(step))
    tilt = np.degrees(np.arccos(np.clip(step @ first.normal / length, -1.0, 1.0)))
    along = [first.along_row @ step / length, first.along_column @ step / length]
    off = max(float(np.abs(p.position - first.position - i * step).max()) for i, p in enumerate(planes))
    if np.abs(along).max() <= DIRECTION_TOLERANCE and off <= max(2 * ROUNDING_MM, 2 * POSITION_TOLERANCE * length):
        return
    what = f"its slices lean by {tilt:.3g}°" if tilt > 0.05 else f"a slice lies {off:.3g} mm beside the others"
    raise InputError(
        "GD-294",
        given=f"{name}: {what}",
        allowed="slices straight behind each other",
        do="resample a series with gantry tilt to a grid without shear, e.g. with dcm2niix",
    )
