"""Where an NRRD header says its voxels lie."""

import re

import numpy as np

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.nrrd_header import NrrdHeader, damaged
from gradatim.io.orientation import Orientation, checked_affine

_TO_RAS = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
"""Space → signs that turn its coordinates to right, anterior, superior."""
_MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "μm": 1e-3}
_VECTOR = re.compile(r"\(([^()]*)\)")


def nrrd_orientation(header: NrrdHeader) -> Orientation:
    """The affine of an NRRD header, in mm.

    Columns of the affine are the ``space directions``, its last one the ``space origin`` (the centre of the first
    voxel), turned from the file's space to RAS. A space that names no anatomy, or none, gives only voxel edges.

    Args:
        header: a header that passed its checks.

    Raises:
        InputError: GD-287 for numbers that cannot be read; GD-209 for voxel edges that are not positive;
            GD-211 for an affine that is not finite, singular or sheared.
    """
    fields, name = header.fields, header.name
    factor, notes = _millimetres(header)
    if "space directions" not in fields:
        edges = np.diag([*_scaled(_spacings(header), factor), 1.0])
        return Orientation(checked_affine(edges, "spacing", name), False, notes)
    columns = _vectors(fields["space directions"], 3, "space directions", name)
    signs = _TO_RAS.get(fields.get("space", "").lower())
    affine = np.eye(4)
    affine[:3, :3] = _scaled(columns, factor).T
    if "space origin" in fields:
        affine[:3, 3] = _scaled(_vectors(fields["space origin"], 1, "space origin", name)[0], factor)
    checked = checked_affine(affine, "space", name)
    if signs is None or "space origin" not in fields:
        return Orientation(np.diag([*np.linalg.norm(checked[:3, :3], axis=0), 1.0]), False, notes)
    return Orientation(np.diag([*signs, 1.0]) @ checked, True, notes)


def _millimetres(header: NrrdHeader) -> tuple[float, tuple[Finding, ...]]:
    stated = header.fields.get("space units", header.fields.get("units", ""))
    units = set(re.findall(r'"([^"]*)"', stated))
    if len(units) > 1 or not all(unit.strip().lower() in _MM for unit in units):
        raise damaged(f"{header.name} gives lengths in {stated[:40]}", "mm, cm, m or um, the same for all axes")
    factor = _MM[next(iter(units), "").strip().lower()]
    if factor == 1.0:
        return factor, ()
    what = f"lengths in {next(iter(units))}, converted to mm"
    return factor, (Finding("GD-219", Severity.NOTE, header.name, what, "mm", "nothing, if the header is right"),)


def _spacings(header: NrrdHeader) -> np.ndarray:
    stated = header.fields.get("spacings", "1 1 1")
    edges = np.array(_numbers(stated.split(), "spacings", header.name))
    if len(edges) != 3:
        raise damaged(f"{header.name} has {len(edges)} spacings", "one for each of three axes")
    if not (np.isfinite(edges).all() and (edges > 0).all()):
        raise InputError(
            "GD-209",
            given=f"{header.name} has voxel edges {stated[:60]}",
            allowed="three positive lengths",
            do="correct the spacings in the header",
        )
    return edges


def _vectors(text: str, count: int, what: str, name: str) -> list[list[float]]:
    found = [_numbers(inside.split(","), what, name) for inside in _VECTOR.findall(text)]
    if len(found) != count or any(len(vector) != 3 for vector in found) or _VECTOR.sub("", text).strip():
        raise damaged(f"{name} has the {what} {text[:60]!r}", f"{count} vector(s) (a,b,c) of three numbers")
    return found


def _scaled(lengths: list[list[float]] | list[float] | np.ndarray, factor: float) -> np.ndarray:
    """Lengths in mm; what is too long for a number is infinite and judged later."""
    with np.errstate(over="ignore"):
        return np.array(lengths) * factor


def _numbers(texts: list[str], what: str, name: str) -> list[float]:
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise damaged(f"{name} has the {what} {' '.join(texts)[:60]!r}", "numbers") from error
