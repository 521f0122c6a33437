"""Reading a DICOM series as one volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradatim.base.errors import InputError, ResourceError, UsageError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.base.optional import pydicom
from gradatim.io.dicom_elements import damaged, decoding, element, items, numbers, unread
from gradatim.io.dicom_file import is_dicom, pixel_array, read_dataset
from gradatim.io.dicom_plane import frame_groups, in_groups, order_and_affine, planes_of
from gradatim.io.memory import default_budget_bytes
from gradatim.io.volume_nouns import Volume

_NOT_IMAGES = {"Segmentation Storage", "Label Map Segmentation Storage", "RT Structure Set Storage"}
_UNITS = {"BQML": "Bq/mL", "GML": "g/mL", "CNTS": "counts", "PROPCNTS": "counts", "HU": "HU", "CPS": "1/s"}
"""Units of PET (0054,1001) and of Rescale Type (0028,1054) → as a table shows them; others stay unstated."""
_HOUNSFIELD = {"", "HU", "HU_MOD", "US"}
"""Rescale Types of CT that are CT numbers, "unspecified" among them; not so an effective Z or an electron density."""


@dataclass(frozen=True, eq=False)
class _Image:
    path: Path
    series: str
    modality: str
    frame_of_reference: str
    unit: str
    dataset: Any


def read_dicom(path: Path | str, *, series: str = "", budget_bytes: int | None = None) -> Volume:
    """Read one series from a folder, or one file of one or more frames.

    Slices are sorted by their position along the normal; DICOM's LPS becomes RAS. Values are
    slope·stored + intercept, each frame with its own, computed in float64 and kept as float32; those of CT are
    HU, unless it states that they are something else. Files that are no DICOM images are left out. Source: DICOM
    PS3.3, sections C.7.6.2, C.7.6.16 and C.11.1.

    Args:
        path: a folder, which is not searched further down, or one file.
        series: SeriesInstanceUID of the series that is wanted; not needed if there is only one.
        budget_bytes: the most bytes the volume may take; by default an eighth of the free memory.

    Raises:
        UsageError: GD-146 if no series has that identifier.
        InputError: GD-324 if there is no image; GD-289 for a damaged file; GD-290 for several series; GD-209,
            GD-291 to GD-294 for slices that make no regular volume; GD-295 for colour, for CT that is not rescaled
            to HU and for look-up tables.
        UnsafeInputError: GD-401 for pixels beyond the budget; GD-432 for a deflated file.
        ResourceError: GD-501 if pydicom, or a decoder, is not installed; GD-505 for a volume beyond the budget.
    """
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    path = Path(path)
    images = _one_series(_images(path, budget), series, path.name)
    planes_by_image = [planes_of(image.dataset, image.path.name) for image in images]
    planes = [plane for some in planes_by_image for plane in some]
    order, affine = order_and_affine(planes, path.name)
    if len({image.frame_of_reference for image in images}) > 1:
        raise InputError(
            "GD-293",
            given=f"{path.name} has images of several frames of reference",
            allowed="images of one patient position",
            do="move the images of each into a folder of their own",
        )
    shape = (*planes[0].shape, len(planes))
    if 4 * int(np.prod(shape, dtype=object)) > budget:
        given = f"{path.name} makes a volume of {shape}"
        do = "use a machine with more memory, or raise the size budget"
        raise ResourceError("GD-505", given=given, allowed=f"at most {budget} bytes", do=do)
    values = np.empty(shape, np.float32)
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    begin = 0
    for image, some in zip(images, planes_by_image, strict=True):
        frames = _rescaled(image.path, budget)
        if frames.shape[0] != len(some) or frames.shape[:0:-1] != shape[:2]:
            raise damaged(image.path.name, "it changed while it was read")
        values[:, :, place[begin : begin + len(some)]] = frames.transpose(2, 1, 0)
        begin += len(some)
    units = {image.unit for image in images}
    unit = next(iter(units)) if len(units) == 1 else ""
    return Volume(
        torch.from_numpy(values),
        Grid.from_affine(shape, affine),
        True,
        unit,
        images[0].frame_of_reference,
        _not_finite(values, path.name),
    )


def _images(path: Path, budget: int) -> list[_Image]:
    """The images among the files, their pixels unread."""
    files = sorted(entry for entry in path.iterdir() if is_dicom(entry)) if path.is_dir() else [path]
    found = [image for file in files for image in [_image(file, budget)] if image is not None]
    if not found:
        raise InputError(
            "GD-324",
            given=f"{path.name}: {len(files)} DICOM file(s), none of them an image",
            allowed="a folder that holds the images of a series",
            do="give the folder of the image files; folders in it, and files without DICOM's mark, are left out",
        )
    return found


def _image(path: Path, budget: int) -> _Image | None:
    dataset, name = read_dataset(path, pixels=False, budget_bytes=budget), path.name
    with decoding(name):
        stored = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
        kind = pydicom().uid.UID(str(stored or "")).name
        stated = "Rows" in dataset
        modality, series, frame = (
            str(dataset.get(key, "")) for key in ("Modality", "SeriesInstanceUID", "FrameOfReferenceUID")
        )
        stated_unit = str(dataset.get("Units", "") or dataset.get("RescaleType", "")).upper()
    if not kind:
        raise damaged(name, "it does not say what it is")
    if kind in _NOT_IMAGES or not (stated or kind.endswith("Image Storage")):
        return None
    if not series:
        raise damaged(name, "it does not say to which series it belongs")
    unit = "HU" if modality == "CT" and stated_unit in _HOUNSFIELD else _UNITS.get(stated_unit, "")
    return _Image(path, series, modality, frame, unit, dataset)


def _one_series(images: Sequence[_Image], wanted: str, name: str) -> list[_Image]:
    groups: dict[str, list[_Image]] = {}
    for image in images:
        groups.setdefault(image.series, []).append(image)
    listed = "; ".join(
        f"{uid[:64]!r} ({group[0].modality[:16]}, {len(group)} files)" for uid, group in sorted(groups.items())
    )
    if wanted and wanted not in groups:
        raise UsageError("GD-146", given=f"series {wanted!r}", allowed=f"one of {listed}", do="give one of these")
    if not wanted and len(groups) > 1:
        raise InputError(
            "GD-290",
            given=f"{name} holds {len(groups)} series: {listed}",
            allowed="one series, or its SeriesInstanceUID beside the folder",
            do="say which series is meant, or move it into a folder of its own",
        )
    return groups[wanted] if wanted else next(iter(groups.values()))


def _rescaled(path: Path, budget: int) -> np.ndarray:
    """Values of a file's frames, float32, (frame, row, column)."""
    dataset, name = read_dataset(path, pixels=True, budget_bytes=budget), path.name
    if items(dataset, "ModalityLUTSequence", name):
        raise unread(name, "a look-up table for its values", "values rescaled by a slope and an intercept")
    groups = frame_groups(dataset, name) or [[dataset]]
    lines = np.array([_line(dataset, group, name) for group in groups])
    stored = pixel_array(dataset, name=name, budget_bytes=budget)
    if len(lines) != len(stored):
        raise damaged(name, "it has another number of frames than it describes")
    values = np.empty(stored.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for frame, (slope, intercept) in enumerate(lines):
            values[frame] = stored[frame].astype(np.float64) * slope + intercept
    return values


def _line(dataset: Any, groups: list[Any], name: str) -> tuple[float, float]:
    """Slope and intercept of one frame."""
    own = in_groups(groups, "PixelValueTransformationSequence", name) if groups[0] is not dataset else None
    stated = dataset if own is None else own
    missing = element(stated, "RescaleSlope", name) is None or element(stated, "RescaleIntercept", name) is None
    if missing:
        if str(element(dataset, "Modality", name)) == "CT":
            raise unread(name, "no rescale slope and intercept, although it is CT", "CT that is rescaled to HU")
        return 1.0, 0.0
    slope, intercept = (float(numbers(stated, key, 1, name)[0]) for key in ("RescaleSlope", "RescaleIntercept"))
    if slope == 0:
        raise unread(name, "a rescale slope of 0", "a slope that is not 0")
    return slope, intercept


def _not_finite(values: np.ndarray, name: str) -> tuple[Finding, ...]:
    bad = int((~np.isfinite(values)).sum())
    if not bad:
        return ()
    what = f"{bad} of {values.size} values are not finite"
    return (Finding("GD-217", Severity.WARN, name, what, "finite values", "find out what wrote them"),)
