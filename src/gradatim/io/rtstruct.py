"""Reading the regions of a DICOM structure set (RTSTRUCT), drawn onto the slices of its image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.io.contour_fill import inside_contours
from gradatim.io.dicom_elements import damaged, element, in_words, items, numbers, reading, whole
from gradatim.io.dicom_file import read_dataset
from gradatim.io.volume_nouns import RegionSet, Volume, layered

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
SLICE_TOLERANCE = 0.1
"""How far a point of a contour may lie from the middle of its slice, as a share of the distance between slices."""

_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
_MAX_POINTS = 1_000_000


@dataclass(frozen=True, eq=False)
class _Structure:
    number: int
    name: str
    contours: list[Any]


def read_structures(path: Path | str, *, like: Volume, budget_bytes: int | None = None) -> RegionSet:
    """Draw the regions of a structure set onto the grid of its image.

    A voxel belongs to a region if its centre lies inside an odd number of the region's contours on its slice
    (:func:`~gradatim.io.contour_fill.inside_contours`). Points are turned from LPS to voxel indices by the inverse
    affine, so that oblique series need nothing else. Nothing is interpolated between slices: a region that cannot
    be drawn as it stands is left out with a warning (GD-297), and slices that it skips stay empty. Source: DICOM
    PS3.3, section C.8.8.6.

    Args:
        path: an RTSTRUCT file.
        like: the image.
        budget_bytes: the largest file that is read; by default an eighth of the free memory.

    Returns:
        Regions with the structure set's numbers as labels and its names; notes hold GD-296 if the image's format
        has no frame of reference to compare, and GD-297.

    Raises:
        InputError: GD-222, GD-289 for a missing or damaged file; GD-296 for another frame of reference;
            GD-299 if it is no structure set; GD-701 if no region could be drawn.
        UnsafeInputError: GD-431 for contours beyond any drawing; GD-432 for a deflated file.
        ResourceError: GD-501 if pydicom is not installed; GD-505 for a file beyond its budget.
    """
    path = Path(path)
    dataset = read_dataset(path, pixels=True, budget_bytes=budget_bytes)
    if str(element(dataset, "SOPClassUID", path.name)) != SOP_CLASS:
        raise InputError(
            "GD-299",
            given=f"{path.name} is no structure set",
            allowed="an RTSTRUCT file",
            do="give the file of the structure set, not of the images",
        )
    notes = list(require_same_frame(_frames(dataset, path.name), like, path.name))
    layers = layered(like.grid, _drawn(_structures(dataset, path.name), like.grid, path.name, notes))
    if not layers:
        why = notes[-1].what if notes else "it holds no structure"
        raise InputError(
            "GD-701",
            given=f"{path.name}: no region could be drawn; {why}",
            allowed="closed contours on the slices of the image",
            do="give the series on which the regions were drawn",
        )
    return RegionSet(layers, tuple(notes))


def require_same_frame(frames: set[str], like: Volume, name: str) -> tuple[Finding, ...]:
    """Refuse regions of another patient space; say so where it cannot be told.

    Args:
        frames: the frames of reference that the regions state.
        like: the image.
        name: how messages call the file.

    Raises:
        InputError: GD-296 if the image's is not among them.
    """
    do = "give the series on which the regions were drawn, or the regions of this series"
    if frames and like.frame_of_reference and frames != {like.frame_of_reference}:
        raise InputError(
            "GD-296",
            given=f"{name} has regions in another frame of reference than the image",
            allowed="regions and image in one frame of reference",
            do=do,
        )
    if frames and like.frame_of_reference:
        return ()
    what = "one of regions and image states no frame of reference; they are taken to share it"
    return (Finding("GD-296", Severity.WARN, name, what, "a DICOM series with its own regions", do),)


def _frames(dataset: Any, name: str) -> set[str]:
    def taken() -> set[str]:
        stated = [str(item.get("ReferencedFrameOfReferenceUID", "")) for item in structures]
        return {frame for frame in stated if frame}

    structures = items(dataset, "StructureSetROISequence", name)
    return reading(taken, name)


def _structures(dataset: Any, name: str) -> list[_Structure]:
    names: dict[int, str] = {}
    for item in items(dataset, "StructureSetROISequence", name):
        number = whole(item, "ROINumber", name, least=0)
        if number in names:
            raise damaged(name, "two structures have the same number")
        names[number] = in_words(item, "ROIName", name) or f"ROI {number}"
    kept = all(1 <= number <= 65535 for number in names)
    label_of = {number: number if kept else label for label, number in enumerate(names, 1)}
    twice = {title for title in names.values() if list(names.values()).count(title) > 1}
    found: dict[int, _Structure] = {}
    for item in items(dataset, "ROIContourSequence", name):
        number = whole(item, "ReferencedROINumber", name, least=0)
        if number not in names or number in found:
            raise damaged(name, "contours refer to no structure, or twice to the same")
        shown = f"{names[number]} (ROI {number})" if names[number] in twice else names[number]
        found[number] = _Structure(label_of[number], shown, items(item, "ContourSequence", name))
    return [found[number] for number in names if number in found]


def _drawn(
    structures: list[_Structure], grid: Grid, name: str, notes: list[Finding]
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Label, name and mask of each structure that can be drawn; notes are added for the others."""
    for structure in structures:
        slices, problem = _by_slice(structure, grid, name)
        if not problem:
            mask = np.zeros(grid.shape, bool)
            for index, contours in slices.items():
                mask[:, :, index] = inside_contours(grid.shape[:2], contours)
            used = sorted(slices)
            skipped = used[-1] - used[0] + 1 - len(used)
            problem = "" if mask.any() else "its contours hold no voxel centre"
            if not problem:
                if skipped:
                    what = f"region {structure.name!r} skips {skipped} slice(s) between its first and its last"
                    fix = "draw or interpolate the missing slices if the region has no gap"
                    notes.append(Finding("GD-297", Severity.WARN, name, what, "a contour on every slice", fix))
                empty = sum(not mask[:, :, index].any() for index in used)
                if empty:
                    what = f"region {structure.name!r} holds no voxel centre on {empty} of its {len(used)} slices"
                    fix = "look there: a contour is very small, or there twice, which cuts it out"
                    notes.append(Finding("GD-297", Severity.WARN, name, what, "voxels on every slice", fix))
                yield structure.number, structure.name, mask
                continue
        what = f"region {structure.name!r} is left out: {problem}"
        fix = "give the series on which it was drawn, or draw it again on the slices of this one"
        notes.append(Finding("GD-297", Severity.WARN, name, what, "closed contours on slices of the image", fix))


def _by_slice(structure: _Structure, grid: Grid, name: str) -> tuple[dict[int, list[np.ndarray]], str]:
    """Contours in pixel coordinates by slice, or why they cannot be drawn."""
    slices: dict[int, list[np.ndarray]] = {}
    inverse = np.linalg.inv(grid.matrix)
    beyond = np.array(grid.shape) - 0.5
    for contour in structure.contours:
        kind = str(element(contour, "ContourGeometricType", name))
        if kind not in _CLOSED:
            return {}, f"it has contours of the kind {kind[:20]}, which bound no area"
        points = _points(contour, name)
        if len(points) < 3:
            return {}, f"it has a contour of {len(points)} point(s)"
        index = points @ inverse[:3, :3].T + inverse[:3, 3]
        level = int(np.clip(np.rint(np.median(index[:, 2])), -1, grid.shape[2]))
        if np.abs(index[:, 2] - level).max() > SLICE_TOLERANCE:
            return {}, "it has contours between or across the slices of the image"
        if (index < -0.5 - SLICE_TOLERANCE).any() or (index > beyond + SLICE_TOLERANCE).any():
            return {}, "it reaches beyond the image"
        slices.setdefault(level, []).append(index[:, :2])
    return (slices, "") if slices else ({}, "it has no contours")


def _points(contour: Any, name: str) -> np.ndarray:
    """Points of a contour, (point, 3), RAS mm."""
    count = whole(contour, "NumberOfContourPoints", name)
    if count > _MAX_POINTS:
        raise damaged(name, f"a contour states {count} points")
    return numbers(contour, "ContourData", 3 * count, name).reshape(count, 3) * np.array([-1.0, -1.0, 1.0])
