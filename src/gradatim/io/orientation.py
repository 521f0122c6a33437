"""Where a NIfTI header says its voxels lie, and what to do when it says it twice."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.nifti_header import NiftiHeader

SHEAR_TOLERANCE = 1e-3
"""Largest scalar product of two unit voxel edges that still counts as orthogonal."""
AGREEMENT_TOLERANCE = 1e-2
"""Largest difference of unit voxel edges, and of edges as a share, within which two orientations agree."""
MAX_ANISOTROPY = 10.0

_HALF_TURN = 1e-7
"""Below this the rest of a quaternion is rounding, as in the standard's own ``nifti1_io.c``."""
_MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 1e-3}
_UNIT_NAME = {1: "metres", 3: "micrometres"}
_SECONDS_PER_UNIT = {8: 1.0, 16: 1e-3, 24: 1e-6}


class Frame(Enum):
    """Which of a header's two orientations to follow."""

    AGREED = "agreed"
    """Both must agree; a contradiction is refused. What QSM needs, since B0 follows from it."""
    SFORM = "sform"
    """sform where set, else qform; a contradiction is a warning."""
    QFORM = "qform"
    """qform where set, else sform; a contradiction is a warning."""


FRAMES = {"sform": Frame.SFORM, "qform": Frame.QFORM}
"""Word on the command line (``--frame``) → orientation to follow where a header contradicts itself."""


@dataclass(frozen=True, eq=False)
class Orientation:
    """An affine with its origin.

    Args:
        affine: 4×4, voxel → RAS mm.
        oriented: whether the header gave it; otherwise it only holds the voxel edges.
        notes: what was converted or contradicted.
    """

    affine: np.ndarray
    oriented: bool
    notes: tuple[Finding, ...]


def orient(header: NiftiHeader, *, frame: Frame) -> Orientation:
    """The affine of a header, in mm.

    sform rows are taken as they are; the qform is R(b, c, d)·diag(pixdim)·diag(1, 1, qfac) with the rotation R
    of the unit quaternion (NIfTI-1 definition, methods 2 and 3). Without either, the diagonal of the voxel edges.

    Args:
        header: a header that passed its checks.
        frame: which orientation to follow.

    Raises:
        InputError: GD-209 for voxel edges that are not positive numbers; GD-211 for an affine that is not
            finite, singular or sheared; GD-212 for a contradiction of directions or edges under ``Frame.AGREED``.
    """
    name, fields = header.name, header.fields
    factor, notes = _millimetres(fields, name)
    edges = _edges(header) * factor
    forms = {}
    if int(fields["sform_code"]) > 0:
        forms["sform"] = checked_affine(_sform(fields, factor), "sform", name)
    if int(fields["qform_code"]) > 0:
        forms["qform"] = checked_affine(_qform(fields, edges, factor), "qform", name)
    used = "qform" if "qform" in forms and (frame is Frame.QFORM or "sform" not in forms) else "sform"
    affine = forms.get(used, np.diag([*edges, 1.0]))
    notes += _contradiction(forms, used, edges, frame, name) if forms else ()
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.max() > MAX_ANISOTROPY * lengths.min():
        notes += (
            Finding(
                "GD-210",
                Severity.WARN,
                name,
                f"voxel edges {_numbers(lengths)} mm",
                f"edges that differ less than {MAX_ANISOTROPY:g} times",
                "check the slice thickness; thick slices blur fields and shapes",
            ),
        )
    return Orientation(affine, bool(forms), notes)


def volume_spacing(header: NiftiHeader) -> float | None:
    """Time between the volumes of a 4-D file, s; None where the header does not say."""
    seconds = _SECONDS_PER_UNIT.get(int(header.fields["xyzt_units"]) & 0x38)
    value = float(header.fields["pixdim"][4])
    known = seconds is not None and len(header.shape) > 3 and math.isfinite(value) and value > 0
    return value * seconds if known and seconds is not None else None


def _millimetres(fields: np.void, name: str) -> tuple[float, tuple[Finding, ...]]:
    unit = int(fields["xyzt_units"]) & 0x07
    if unit not in _UNIT_NAME:
        return 1.0, ()
    note = Finding(
        "GD-219",
        Severity.NOTE,
        name,
        f"lengths in {_UNIT_NAME[unit]}, converted to mm",
        "mm",
        "nothing, if the header is right",
    )
    return _MM_PER_UNIT[unit], (note,)


def _edges(header: NiftiHeader) -> np.ndarray:
    edges = _doubles(header.fields["pixdim"][1:4])
    edges[len(header.shape) :] = 1.0  # axes that the image does not have
    if not (np.isfinite(edges).all() and (edges > 0).all()):
        raise InputError(
            "GD-209",
            given=f"{header.name} has voxel edges {_numbers(edges)}",
            allowed="three positive lengths",
            do="correct pixdim in the header; the right lengths stand in the scanner's original files",
        )
    return edges


def _sform(fields: np.void, factor: float) -> np.ndarray:
    rows = [_doubles(fields[f"srow_{axis}"]) * factor for axis in "xyz"]
    return np.vstack([*rows, [0.0, 0.0, 0.0, 1.0]])


def _qform(fields: np.void, edges: np.ndarray, factor: float) -> np.ndarray:
    b, c, d = (float(fields[f"quatern_{axis}"]) for axis in "bcd")
    rest = 1.0 - (b * b + c * c + d * d)
    a = math.sqrt(rest) if rest > _HALF_TURN else 0.0
    norm = math.sqrt(a * a + b * b + c * c + d * d)
    if not (math.isfinite(rest) and rest > -1e-3 and norm > 0):
        return np.full((4, 4), np.nan)
    a, b, c, d = a / norm, b / norm, c / norm, d / norm
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    flip = -1.0 if float(fields["pixdim"][0]) < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = rotation * edges * np.array([1.0, 1.0, flip])
    affine[:3, 3] = [float(fields[f"qoffset_{axis}"]) * factor for axis in "xyz"]
    return affine


def checked_affine(affine: np.ndarray, which: str, name: str) -> np.ndarray:
    """The affine itself, if it can be one.

    Args:
        affine: 4×4, voxel → mm.
        which: how messages call it, e.g. ``"sform"``.
        name: how messages call the file.

    Raises:
        InputError: GD-211 if it is not finite, singular or sheared.
    """
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not np.isfinite(lengths).all():
        fault = "not finite"
    elif not (lengths > 0).all():
        fault = "singular"
    else:
        units = affine[:3, :3] / lengths
        skew = np.abs(units.T @ units - np.eye(3)).max()
        if skew <= SHEAR_TOLERANCE:
            return affine
        fault = "singular" if abs(np.linalg.det(units)) < SHEAR_TOLERANCE else "sheared"
    raise InputError(
        "GD-211",
        given=f"{name}: the {which} is {fault}: {[[float(v) for v in row] for row in affine[:3]]}",
        allowed="a finite affine with three orthogonal voxel edges",
        do="repair the header, or resample the image to a grid without shear",
    )


def _contradiction(
    forms: dict[str, np.ndarray], used: str, edges: np.ndarray, frame: Frame, name: str
) -> tuple[Finding, ...]:
    """Whether the header's other orientation, or its voxel edges, tell another story."""
    affine, other = forms[used], forms.get("qform" if used == "sform" else "sform", forms[used])
    lengths, others = (np.linalg.norm(form[:3, :3], axis=0) for form in (affine, other))
    bend = np.abs(affine[:3, :3] / lengths - other[:3, :3] / others).max()
    turned = True
    if bend > AGREEMENT_TOLERANCE:
        what = "sform and qform have other directions"
    elif np.abs(others / lengths - 1).max() > AGREEMENT_TOLERANCE:
        what = f"the {used} has voxel edges {_numbers(lengths)} mm, the other has {_numbers(others)} mm"
    elif np.abs(edges / lengths - 1).max() > AGREEMENT_TOLERANCE:
        what = f"the {used} has voxel edges {_numbers(lengths)} mm, pixdim says {_numbers(edges)} mm"
    elif np.abs(affine - other)[:3, 3].max() > 0.5 * lengths.min():
        what, turned = "sform and qform lie more than half a voxel apart", False
    else:
        return ()
    if turned and frame is Frame.AGREED:
        raise InputError(
            "GD-212",
            given=f"{name}: {what}",
            allowed="one orientation, since the direction of B0 follows from it",
            do="say which holds for the scan, --frame sform or --frame qform",
        )
    return (
        Finding(
            "GD-212", Severity.WARN, name, f"{what}; the {used} is used", "one orientation", "check left and right"
        ),
    )


def _doubles(values: np.ndarray) -> np.ndarray:
    """A copy in double precision; numpy would warn of a signalling NaN, which is judged later like any other."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _numbers(values: np.ndarray) -> str:
    return "×".join(f"{float(v):g}" for v in values)
