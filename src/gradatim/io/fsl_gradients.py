"""b-values and directions as FSL, dcm2niix and BIDS write them: two text files of numbers."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.number_text import read_rows

PER_SQUARE_MM = 1e6
"""s/m² in a s/mm²."""
NEARLY_NONE = 50.0
"""s/mm²: up to here a weighting may come without a direction, and then counts as 0."""
LARGEST = 100_000.0
"""s/mm²: no scanner reaches this, so that larger numbers are s/m²."""
LEAST = 10.0
"""s/mm²: a series whose largest b is below this is in ms/µm²."""
SLACK = 0.01
"""How far a direction's length may be from 1: files are rounded to two digits and more."""


@dataclass(frozen=True, eq=False)
class FslGradients:
    """Weightings and directions of the volumes of a diffusion series, as written.

    Args:
        b: (n,), s/m².
        direction: (n, 3), unit vectors along the image's axes in FSL's sense (x mirrored where the affine has a
            positive determinant); 0 where there is no weighting.
        notes: what was changed.
    """

    b: Tensor
    direction: Tensor
    notes: tuple[Finding, ...]


def read_fsl_gradients(bval: Path, bvec: Path) -> FslGradients:
    """Read a pair of files.

    ``bval`` holds n numbers in s/mm², ``bvec`` three rows of n or n rows of three; NaN or 0 stands for no direction.
    A direction whose length is within 1 % of 1 is made a unit vector.

    Args:
        bval: b-values, s/mm².
        bvec: directions.

    Raises:
        InputError: GD-222 if a file cannot be read; GD-246 if it does not hold numbers; GD-247 if the two disagree,
            or seem to be swapped; GD-248 for a direction that is missing or no unit vector; GD-249 if the b-values
            are in another unit.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.bval").write_text("0 1000 2000")
        >>> _ = (folder / "a.bvec").write_text("0 1 0\\n0 0 0\\n0 0 1")
        >>> found = read_fsl_gradients(folder / "a.bval", folder / "a.bvec")
        >>> found.b.tolist(), found.direction[2].tolist()
        ([0.0, 1000000000.0, 2000000000.0], [0.0, 0.0, 1.0])
    """
    values, rows = _values(read_rows(bval), bval), read_rows(bvec)
    directions = _directions(rows, len(values), bval, bvec)
    _require_unit(values, bval)
    length = torch.linalg.vector_norm(directions, dim=1)
    without = ~(length > 0)
    missing = without & (values > NEARLY_NONE)
    odd = ~without & ((length - 1.0).abs() > SLACK)
    for which, what in ((missing, "no direction"), (odd, "a direction that is no unit vector")):
        if bool(which.any()):
            first = int(which.nonzero()[0])
            raise InputError(
                "GD-248",
                given=f"{bvec.name}: volume {first} (b = {values[first]:g} s/mm²) has {what}, length {length[first]:g}",
                allowed=f"unit vectors, to {100 * SLACK:g} %; none only up to b = {NEARLY_NONE:g} s/mm²",
                do="if weightings are coded in the vectors' lengths, multiply b by length² and normalise the vectors",
            )
    small = without & (values > 0)
    notes = _notes(values[small], bval)
    b = torch.where(without, 0.0, values) * PER_SQUARE_MM
    unit = torch.where(without[:, None], 0.0, directions / torch.where(without, 1.0, length)[:, None])
    return FslGradients(b, unit, notes)


def _values(rows: list[list[float]], path: Path) -> Tensor:
    single = len(rows) == 1 or all(len(row) == 1 for row in rows)
    values = torch.tensor([value for row in rows for value in row], dtype=torch.float64)
    if not single:
        sizes = sorted({len(row) for row in rows})
        raise InputError(
            "GD-247",
            given=f"{path.name} with {len(rows)} rows of {', '.join(map(str, sizes))} numbers",
            allowed="one row or one column of b-values",
            do="check that the files of b-values and directions are not swapped",
        )
    if not bool((values >= 0).all() & values.isfinite().all()):
        raise InputError(
            "GD-841",
            given=f"{path.name} holds a b-value that is negative or not finite",
            allowed="b ≥ 0 in s/mm²",
            do="check how the file was made",
        )
    return values


def _directions(rows: list[list[float]], count: int, bval: Path, bvec: Path) -> Tensor:
    """(n, 3), NaN made 0."""
    if len(rows) == 3 and all(len(row) == count for row in rows):
        found = torch.tensor(rows, dtype=torch.float64).T
    elif len(rows) == count and all(len(row) == 3 for row in rows):
        found = torch.tensor(rows, dtype=torch.float64)
    else:
        sizes = sorted({len(row) for row in rows})
        raise InputError(
            "GD-247",
            given=f"{count} b-values in {bval.name}, {len(rows)} rows of {', '.join(map(str, sizes))} in {bvec.name}",
            allowed="three rows of one number a volume, or one row of three numbers a volume",
            do="give the two files of one series, b-values first",
        )
    absent = found.isnan().all(1) | (found == 0).all(1)
    return torch.where(absent[:, None], 0.0, found)


def _require_unit(values: Tensor, path: Path) -> None:
    largest = float(values.max())
    if largest > LARGEST or 0 < largest < LEAST:
        raise InputError(
            "GD-249",
            given=f"{path.name} with b-values up to {largest:g}",
            allowed=f"s/mm², the largest between {LEAST:g} and {LARGEST:g}",
            do="divide s/m² by 1e6, multiply ms/µm² by 1000",
        )


def _notes(small: Tensor, path: Path) -> tuple[Finding, ...]:
    if not len(small):
        return ()
    what = f"{len(small)} volumes with b up to {float(small.max()):g} s/mm² have no direction; taken as b = 0"
    fix = "give the b-matrix of their imaging gradients if that much matters"
    return (Finding("GD-259", Severity.NOTE, path.name, what, "a direction", fix),)
