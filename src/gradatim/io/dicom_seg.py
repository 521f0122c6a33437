"""Reading the regions of a DICOM segmentation (SEG) on the grid of its image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.io.dicom_elements import damaged, element, in_words, items, whole
from gradatim.io.dicom_file import pixel_array, read_dataset
from gradatim.io.dicom_plane import Plane, frame_groups, in_groups, planes_of
from gradatim.io.rtstruct import require_same_frame
from gradatim.io.volume_nouns import RegionSet, Volume, layered

SOP_CLASSES = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"}
FRACTION = 0.5
"""From which share on a voxel of a fractional segment belongs to its region."""

_PLACE_TOLERANCE = 0.02
"""How far a frame's pixels may lie beside the image's voxels, in voxels."""


def read_segmentation(path: Path | str, *, like: Volume, budget_bytes: int | None = None) -> RegionSet:
    """Read the segments of a segmentation, binary, fractional or as a label map, onto the grid of its image.

    Frames are placed by their own position and orientation, in whatever order they come; they may be cropped,
    mirrored or turned by right angles, but each pixel must be a voxel of the image. Nothing is resampled. A voxel
    of a fractional segment belongs to its region from half of the largest value on. Source: DICOM PS3.3, sections
    A.51 and C.8.20.

    Args:
        path: a SEG file.
        like: the image.
        budget_bytes: the largest file, and the most bytes its frames may unpack to; by default an eighth of the
            free memory.

    Returns:
        Regions with the segments' numbers as labels and their names; segments without a voxel are left out with
        the note GD-297.

    Raises:
        InputError: GD-222, GD-289 for a missing or damaged file; GD-296 for another frame of reference; GD-298
            for another grid; GD-299 if it is no segmentation; GD-701 if no segment has a voxel.
        UnsafeInputError: GD-401 for pixels beyond the budget; GD-432 for a deflated file.
        ResourceError: GD-501 if pydicom, or a decoder, is not installed; GD-505 for a file beyond its budget.
    """
    path = Path(path)
    dataset, name = read_dataset(path, pixels=True, budget_bytes=budget_bytes), path.name
    if str(element(dataset, "SOPClassUID", name)) not in SOP_CLASSES:
        raise InputError(
            "GD-299", given=f"{name} is no segmentation", allowed="a SEG file", do="give the file of the segmentation"
        )
    stated = element(dataset, "FrameOfReferenceUID", name)
    notes = list(require_same_frame({str(stated)} - {"None"}, like, name))
    kind = str(element(dataset, "SegmentationType", name))
    names = _segments(dataset, name)
    planes = planes_of(dataset, name)
    groups = frame_groups(dataset, name)
    if len(groups) != len(planes):
        raise damaged(name, "its frames have no positions of their own")
    frames = pixel_array(dataset, name=name, budget_bytes=budget_bytes)
    if len(frames) != len(planes):
        raise damaged(name, "it has another number of frames than it describes")
    if kind == "FRACTIONAL":
        largest = whole(dataset, "MaximumFractionalValue", name)
        frames = frames.astype(np.float32) >= FRACTION * largest
        what = f"fractional segments; a voxel belongs to its region from {FRACTION:g} on"
        notes.append(Finding("GD-274", Severity.NOTE, name, what, "binary segments", "nothing, if that is meant"))
    parts = _parts(kind, groups, planes, frames, name)
    layers = layered(like.grid, _masks(parts, names, like.grid, name, notes))
    if not layers:
        raise InputError(
            "GD-701", given=f"{name} without a voxel in any segment", allowed="one region or more", do="draw a region"
        )
    return RegionSet(layers, tuple(notes))


def _segments(dataset: Any, name: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for item in items(dataset, "SegmentSequence", name):
        number = whole(item, "SegmentNumber", name, least=0)
        if number in names or number > 65535:
            raise damaged(name, "its segments' numbers are not unique numbers up to 65535")
        names[number] = in_words(item, "SegmentLabel", name) or f"segment {number}"
    names.pop(0, None)
    twice = {title for title in names.values() if list(names.values()).count(title) > 1}
    return {number: f"{title} (segment {number})" if title in twice else title for number, title in names.items()}


def _parts(
    kind: str, groups: list[list[Any]], planes: list[Plane], frames: np.ndarray, name: str
) -> dict[int, list[tuple[Plane, np.ndarray]]]:
    """Segment's number → its planes with their pixels (row, column), bool."""
    parts: dict[int, list[tuple[Plane, np.ndarray]]] = {}
    for group, plane, frame in zip(groups, planes, frames, strict=True):
        if kind == "LABELMAP":
            for number in np.unique(frame[frame != 0]):
                parts.setdefault(int(number), []).append((plane, frame == number))
            continue
        which = in_groups(group, "SegmentIdentificationSequence", name)
        if which is None:
            raise damaged(name, "a frame does not say to which segment it belongs")
        parts.setdefault(whole(which, "ReferencedSegmentNumber", name), []).append((plane, frame != 0))
    return parts


def _masks(
    parts: dict[int, list[tuple[Plane, np.ndarray]]],
    names: dict[int, str],
    grid: Grid,
    name: str,
    notes: list[Finding],
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Label, name and mask of each segment that has a voxel; a note for the others."""
    if set(parts) - set(names):
        raise damaged(name, "a frame belongs to a segment that is not described")
    inverse = np.linalg.inv(grid.matrix)
    for number, title in names.items():
        mask = np.zeros(grid.shape, bool)
        for plane, frame in parts.get(number, []):
            row, column = np.nonzero(frame)
            if len(row):
                voxels = _voxels(inverse @ plane.matrix, column, row, grid, name)
                mask[tuple(voxels)] = True
        if mask.any():
            yield number, title, mask
            continue
        what, fix = f"segment {title!r} has no voxel and is left out", "nothing, if it is meant to be empty"
        notes.append(Finding("GD-297", Severity.NOTE, name, what, "segments with voxels", fix))


def _voxels(to_index: np.ndarray, column: np.ndarray, row: np.ndarray, grid: Grid, name: str) -> np.ndarray:
    """Indices of the voxels that a frame's pixels are, (3, pixel)."""
    place = to_index[:3, :2] @ np.vstack([column, row]) + to_index[:3, 3:]
    voxels = np.rint(place)
    square = np.abs(to_index[:3, :2] - np.rint(to_index[:3, :2])).max() <= _PLACE_TOLERANCE
    upright = (np.abs(np.rint(to_index[:3, :2])).sum(axis=0) == 1).all()
    inside = (voxels >= 0).all() and (voxels < np.array(grid.shape)[:, None]).all()
    if not (square and upright and inside and np.abs(place - voxels).max() <= _PLACE_TOLERANCE):
        raise InputError(
            "GD-298",
            given=f"{name} has frames whose pixels are not voxels of the image",
            allowed="a segmentation on the image's own grid, whole or cropped",
            do="give the series that was segmented, or resample the segmentation to this one with nearest neighbours",
        )
    return voxels.astype(np.int64)
