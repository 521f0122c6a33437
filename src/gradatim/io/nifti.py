"""Reading NIfTI images: one way in, four purposes (image, complex image, labels, mask)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.io.byte_source import open_source
from gradatim.io.memory import default_budget_bytes
from gradatim.io.nifti_header import NiftiHeader, read_header
from gradatim.io.orientation import Frame, orient, volume_spacing

MAX_LABEL = 65535


@dataclass(frozen=True, eq=False)
class NiftiImage:
    """An image as it was read.

    Args:
        data: (x, y, z) in the file's array order; further file axes lead, e.g. (echo, x, y, z). float32,
            complex64, int32 for labels or bool for a mask; slope and intercept are applied.
        grid: where the voxels lie.
        oriented: whether the header gave the orientation; otherwise ``grid`` only has the right voxel edges.
        time_spacing: time between the volumes of a 4-D file, s; None where unknown.
        header: the header's facts, e.g. slope, intercept and stored type.
        notes: warnings and conversions.
    """

    data: Tensor
    grid: Grid
    oriented: bool
    time_spacing: float | None
    header: NiftiHeader
    notes: tuple[Finding, ...]


def read_nifti(path: Path | str, *, frame: Frame = Frame.SFORM, budget_bytes: int | None = None) -> NiftiImage:
    """Read any real or complex image of three or more dimensions.

    The header is judged before an image byte is touched; a gzip stream is counted while it inflates and its
    checksum is verified. Values are slope·stored + intercept, computed in float64 and kept as float32 or complex64.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file, NIfTI-1 or NIfTI-2.
        frame: which of the header's orientations to follow.
        budget_bytes: the most bytes the image may unpack to; by default an eighth of the free memory.

    Returns:
        The image; its notes hold GD-208 (bytes after the image), GD-210, GD-212, GD-214 (slope unusable, values
        are as stored), GD-217 (values not finite), GD-219, GD-223.

    Raises:
        InputError: GD-201 to GD-207, GD-209, GD-211, GD-212, GD-215, GD-216, GD-220, GD-222.
        UnsafeInputError: GD-401 if the image would exceed its budget.
        ResourceError: GD-505 if a plain file exceeds it.

    Example:
        >>> import tempfile
        >>> from gradatim.io.nifti_write import write_nifti
        >>> file = Path(tempfile.mkdtemp()) / "echoes.nii.gz"
        >>> write_nifti(file, torch.ones(3, 4, 4, 2), Grid((4, 4, 2), (1.0, 1.0, 2.0)))
        >>> tuple(read_nifti(file).data.shape)
        (3, 4, 4, 2)
    """
    raw, empty = _read_stored(path, frame, budget_bytes)
    if raw.dtype.names:
        raise _wrong_kind(empty.header, "colour", "real or complex values", "convert it to one grey value per voxel")
    values = _scaled(raw, empty.header, np.complex64 if raw.dtype.kind == "c" else np.float32)
    image = replace(empty, data=torch.from_numpy(values))
    return replace(image, notes=image.notes + _not_finite(image))


def read_image(path: Path | str, *, frame: Frame = Frame.SFORM, budget_bytes: int | None = None) -> NiftiImage:
    """Read a real image, (x, y, z) or (volume, x, y, z), float32.

    Args:
        path: as for :func:`read_nifti`.
        frame: as for :func:`read_nifti`.
        budget_bytes: as for :func:`read_nifti`.

    Raises:
        GradatimError: as :func:`read_nifti`; GD-215 for five or more dimensions, GD-216 for complex values.
    """
    image = read_nifti(path, frame=frame, budget_bytes=budget_bytes)
    if image.data.is_complex():
        raise _wrong_kind(image.header, "complex", "real values", "split it into magnitude and phase first")
    return _at_most_4d(image)


def read_complex(path: Path | str, *, frame: Frame = Frame.SFORM, budget_bytes: int | None = None) -> NiftiImage:
    """Read a complex image, (x, y, z) or (volume, x, y, z), complex64.

    Args:
        path: as for :func:`read_nifti`.
        frame: as for :func:`read_nifti`.
        budget_bytes: as for :func:`read_nifti`.

    Raises:
        GradatimError: as :func:`read_nifti`; GD-215 for five or more dimensions, GD-216 for real values.
    """
    image = read_nifti(path, frame=frame, budget_bytes=budget_bytes)
    if not image.data.is_complex():
        raise _wrong_kind(image.header, "real", "complex values", "give magnitude and phase as two files instead")
    return _at_most_4d(image)


def read_labels(path: Path | str, *, frame: Frame = Frame.SFORM, budget_bytes: int | None = None) -> NiftiImage:
    """Read a label image, (x, y, z), int32, values 0 to 65535.

    Args:
        path: as for :func:`read_nifti`.
        frame: as for :func:`read_nifti`.
        budget_bytes: as for :func:`read_nifti`.

    Raises:
        GradatimError: as :func:`read_nifti`; GD-215 unless three-dimensional, GD-216 for complex or colour
            values, GD-218 for values that are not whole numbers from 0 to 65535.
    """
    raw, empty = _read_stored(path, frame, budget_bytes)
    if raw.dtype.kind not in "iuf":
        raise _wrong_kind(empty.header, "complex or colour", "whole numbers", "export the labels as integers")
    if empty.header.unusable_scaling and raw.dtype.kind == "f":
        raise _refuse_labels(empty.header, "an unusable slope")
    values = _scaled(raw, empty.header, np.float64)
    good = (values >= 0) & (values <= MAX_LABEL) & (values == np.rint(np.nan_to_num(values)))
    if not good.all():
        raise _refuse_labels(empty.header, f"the value {values[~good][0]:g} in {int((~good).sum())} voxel(s) or fewer")
    return _one_volume(replace(empty, data=torch.from_numpy(values.astype(np.int32))))


def read_mask(path: Path | str, *, frame: Frame = Frame.SFORM, budget_bytes: int | None = None) -> NiftiImage:
    """Read a mask, (x, y, z), bool: 0 is outside, one other value is inside.

    Args:
        path: as for :func:`read_nifti`.
        frame: as for :func:`read_nifti`.
        budget_bytes: as for :func:`read_nifti`.

    Raises:
        GradatimError: as :func:`read_labels`; GD-224 if more than one value is not 0; GD-601 and GD-602 if the
            mask is empty or full.
    """
    image = read_labels(path, frame=frame, budget_bytes=budget_bytes)
    inside = image.data != 0
    others = torch.unique(image.data[inside])
    name, do = image.header.name, "give a mask that is 0 outside and 1 inside"
    if len(others) > 1:
        given = f"{name} has {len(others)} values beside 0"
        raise InputError("GD-224", given=given, allowed="0 and one other value", do=do)
    if len(others) == 0:
        raise InputError("GD-601", given=f"{name} is 0 everywhere", allowed="at least one voxel inside", do=do)
    if bool(inside.all()):
        raise InputError("GD-602", given=f"{name} is 0 nowhere", allowed="at least one voxel outside", do=do)
    return replace(image, data=inside)


def _read_stored(given: Path | str, frame: Frame, budget_bytes: int | None) -> tuple[np.ndarray, NiftiImage]:
    """Stored values with axes turned to (…, x, y, z), and the image they belong to, still without data."""
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    path = Path(given)
    with open_source(path) as source:
        header = read_header(source, budget_bytes=budget)
        if len(header.shape) < 3:
            raise InputError(
                "GD-215",
                given=f"{header.name} has the shape {header.shape}",
                allowed="three spatial dimensions",
                do="store a single slice as a volume one voxel thick",
            )
        orientation = orient(header, frame=frame)
        content = source.read(header.data_bytes)
        if len(content) < header.data_bytes:
            raise InputError(
                "GD-206",
                given=f"{header.name} ends after {len(content)} of {header.data_bytes} image bytes",
                allowed="as many bytes as declared",
                do="copy or download the file again",
            )
        notes = (
            orientation.notes + _file_notes(path, packed=source.packed, followed=source.finish()) + _slope_note(header)
        )
    stored = np.frombuffer(content, header.dtype).reshape(header.shape[::-1]).swapaxes(-1, -3)
    shape = (int(header.shape[0]), int(header.shape[1]), int(header.shape[2]))
    grid = Grid.from_affine(shape, orientation.affine)
    return stored, NiftiImage(torch.empty(0), grid, orientation.oriented, volume_spacing(header), header, notes)


def _scaled(raw: np.ndarray, header: NiftiHeader, kept: type[np.inexact]) -> np.ndarray:
    """slope·stored + intercept, volume by volume in double precision, kept in the given type."""
    values = np.empty(raw.shape, kept)
    sums = np.complex128 if raw.dtype.kind == "c" else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        for index in np.ndindex(*raw.shape[:-2]):
            values[index] = raw[index].astype(sums) * header.slope + header.intercept if header.scaled else raw[index]
    lost = int((~np.isfinite(values)).sum())
    if lost and lost > (int((~np.isfinite(raw)).sum()) if raw.dtype.kind in "fc" else 0):
        raise InputError(
            "GD-220",
            given=f"{header.name} holds values beyond {np.finfo(values.dtype).max:.2g}",
            allowed=f"values that {np.dtype(kept).name} can hold",
            do="check slope and intercept, or store the image in a smaller unit",
        )
    return values


def _file_notes(path: Path, *, packed: bool, followed: bool) -> tuple[Finding, ...]:
    notes: tuple[Finding, ...] = ()
    if followed:
        what = "bytes follow the image; they are ignored"
        notes += (Finding("GD-208", Severity.WARN, path.name, what, "nothing", "write the file anew to drop them"),)
    if packed is not path.name.endswith(".gz"):
        what = f"the file is {'gzipped' if packed else 'not gzipped'}, its name says otherwise"
        notes += (Finding("GD-223", Severity.WARN, path.name, what, ".nii.gz if gzipped", "rename the file"),)
    return notes


def _slope_note(header: NiftiHeader) -> tuple[Finding, ...]:
    if not header.unusable_scaling:
        return ()
    what = f"slope {header.slope:g}, intercept {header.intercept:g}; the values are taken as stored"
    fix = "write slope 1 and intercept 0 if the values need no scaling"
    return (Finding("GD-214", Severity.WARN, header.name, what, "finite numbers, slope not 0", fix),)


def _not_finite(image: NiftiImage) -> tuple[Finding, ...]:
    bad = ~torch.isfinite(image.data)
    count = int(bad.sum())
    if not count:
        return ()
    place = tuple(int(i) for i in bad.nonzero()[0])
    what = f"{count} of {bad.numel()} values are not finite, the first at {place}"
    fix = "find out what wrote them; set them to 0 outside the object"
    return (Finding("GD-217", Severity.WARN, image.header.name, what, "finite values", fix),)


def _at_most_4d(image: NiftiImage) -> NiftiImage:
    if image.data.ndim > 4:
        raise InputError(
            "GD-215",
            given=f"{image.header.name} has the shape {image.header.shape}",
            allowed="three dimensions, or four with the volumes last",
            do="split the file into one file per volume",
        )
    return image


def _one_volume(image: NiftiImage) -> NiftiImage:
    if image.data.numel() != np.prod(image.grid.shape):
        raise InputError(
            "GD-215",
            given=f"{image.header.name} has the shape {image.header.shape}",
            allowed="one volume",
            do="give one label per voxel in a three-dimensional file",
        )
    return replace(image, data=image.data.reshape(image.grid.shape))


def _wrong_kind(header: NiftiHeader, kind: str, allowed: str, do: str) -> InputError:
    return InputError("GD-216", given=f"{header.name} holds {kind} values", allowed=allowed, do=do)


def _refuse_labels(header: NiftiHeader, what: str) -> InputError:
    return InputError(
        "GD-218",
        given=f"{header.name} holds {what}",
        allowed=f"whole numbers from 0 to {MAX_LABEL}",
        do="give a label image, one whole number per voxel",
    )
