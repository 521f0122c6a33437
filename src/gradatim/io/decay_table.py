"""A decay as a table: one row a measurement, b-value or gradient and signal."""

import csv
import io
import math
from pathlib import Path

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.io.number_text import read_lines

NAMES = {
    "b": ("b", "bvalue", "b_value", "b-value"),
    "gradient": ("g", "gradient"),
    "signal": ("signal", "s", "intensity", "integral"),
}
"""Headings, in any case, before an optional unit in brackets."""
UNITS = {
    "b": {"s/m2": 1.0, "s/m^2": 1.0, "s/m²": 1.0, "s/mm2": 1e6, "s/mm^2": 1e6, "s/mm²": 1e6},
    "gradient": {"t/m": 1.0, "mt/m": 1e-3, "g/cm": 1e-2},
    "signal": {},
}
"""Unit → what one of it is in SI."""


def read_decay(path: Path) -> tuple[str, Tensor, Tensor]:
    """Read a decay from CSV with a heading, e.g. ``b [s/mm2],signal`` or ``gradient [T/m],signal``.

    Columns may stand between commas, semicolons or tabs, in any order; lines behind # are remarks. The unit of
    weighting or gradient must be stated.

    Args:
        path: the table.

    Returns:
        ``"b"`` (s/m²) or ``"gradient"`` (T/m), that column, and the signal; both (n,), float64.

    Raises:
        InputError: GD-222 if it cannot be read; GD-258 if columns, a unit or numbers are missing.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "decay.csv"
        >>> _ = file.write_text("gradient [G/cm],signal\\n10,100\\n50,3")
        >>> kind, gradient, signal = read_decay(file)
        >>> kind, gradient.tolist(), signal.tolist()
        ('gradient', [0.1, 0.5], [100.0, 3.0])
    """
    lines = read_lines(path, code="GD-258")
    mark = next((each for each in "\t;," if each in lines[0]), ",")
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=mark))
    places = [_column(cell, path) for cell in rows[0]]
    kinds = [kind for kind, _ in places if kind]
    kind = "b" if "b" in kinds else "gradient"
    if sorted(kinds) != sorted([kind, "signal"]):
        raise _odd(path, f"the heading {lines[0][:60]!r}", "one column b or gradient with its unit, and one signal")
    try:
        values = {k: [float(row[i]) * scale for row in rows[1:]] for i, (k, scale) in enumerate(places) if k}
    except (ValueError, IndexError) as error:
        raise _odd(path, f"a cell that is no number ({error})", "a number in every cell of the two columns") from error
    if not values["signal"] or not all(math.isfinite(v) for column in values.values() for v in column):
        raise _odd(path, "no rows, or values that are not finite", "finite numbers")
    return kind, *(torch.tensor(values[k], dtype=torch.float64) for k in (kind, "signal"))  # type: ignore[return-value]


def _column(cell: str, path: Path) -> tuple[str, float]:
    """What a heading stands for, and its unit in SI; "" for other columns."""
    name, _, rest = cell.strip().lower().partition("[")
    unit = rest.rstrip("] ").strip()
    kind = next((kind for kind, known in NAMES.items() if name.strip() in known), "")
    if kind in {"", "signal"}:
        return kind, 1.0
    if unit not in UNITS[kind]:
        raise _odd(path, f"the heading {cell.strip()[:40]!r}", f"{kind} with one of [{'], ['.join(UNITS[kind])}]")
    return kind, UNITS[kind][unit]


def _odd(path: Path, what: str, allowed: str) -> InputError:
    return InputError(
        "GD-258",
        given=f"{path.name} with {what}",
        allowed=allowed,
        do="write a heading such as: b [s/mm2],signal   or: gradient [T/m],signal",
    )
