"""Lists of a spectrometer: gradients and delays, one a line, with the unit that they are in."""

import enum
import re
from pathlib import Path

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.io.number_text import read_lines, read_rows

_DELAY = re.compile(r"([0-9.+eE-]+)\s*([a-zA-Zµ]*)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 1e-3, "ms": 1e-3, "u": 1e-6, "µ": 1e-6, "us": 1e-6, "n": 1e-9, "ns": 1e-9}


class GradientUnit(enum.Enum):
    """What the numbers of a list of gradients are; a list itself never says so."""

    GAUSS_PER_CM = "G/cm, as TopSpin's difflist"
    TESLA_PER_M = "T/m"
    PER_CENT = "per cent of the largest gradient"
    SHARE = "a share, 0 to 1, of the largest gradient, as TopSpin's gradient ramps"


_FACTOR = {
    GradientUnit.GAUSS_PER_CM: 1e-2,
    GradientUnit.TESLA_PER_M: 1.0,
    GradientUnit.PER_CENT: 1e-2,
    GradientUnit.SHARE: 1.0,
}
_RELATIVE = {GradientUnit.PER_CENT: 100.0, GradientUnit.SHARE: 1.0}


def read_gradient_list(path: Path, *, unit: GradientUnit, largest: float | None = None) -> Tensor:
    """Read gradients, one a line; lines that begin with # (also ## of JCAMP headers) are remarks.

    ``difflist`` of TopSpin holds G/cm; ramps such as ``Difframp`` hold shares of the largest gradient.

    Args:
        path: the list.
        unit: of its numbers.
        largest: the gradient that 100 % stands for, T/m; needed for relative units, and only for them.

    Returns:
        (n,), T/m, float64.

    Raises:
        UsageError: GD-189 if ``largest`` is missing, not wanted or not positive.
        InputError: GD-222 if it cannot be read; GD-256 unless it holds one finite number a line, none beyond 100 %.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "difflist"
        >>> _ = file.write_text("1.0\\n50.0\\n")
        >>> read_gradient_list(file, unit=GradientUnit.GAUSS_PER_CM).tolist()
        [0.01, 0.5]
    """
    relative = unit in _RELATIVE
    if relative != (largest is not None) or (largest is not None and not 0 < largest < float("inf")):
        raise UsageError(
            "GD-189",
            given=f"a list in {unit.value} with the largest gradient {largest}",
            allowed="the largest gradient in T/m with per cent or shares, none with G/cm or T/m",
            do="look up the calibrated gradient of the probe",
        )
    rows = read_rows(path, code="GD-256")
    values = torch.tensor([row[0] for row in rows], dtype=torch.float64)
    if any(len(row) != 1 for row in rows) or not bool(values.isfinite().all()):
        raise _odd(path, "lines of several numbers, or numbers that are not finite", "one finite number a line")
    if relative and float(values.abs().max()) > _RELATIVE[unit] * (1 + 1e-9):
        raise _odd(path, f"{float(values.abs().max()):g}", f"at most {_RELATIVE[unit]:g}: {unit.value}")
    return values * _FACTOR[unit] * (1.0 if largest is None else largest)


def read_delay_list(path: Path) -> Tensor:
    """Read delays, one a line, e.g. of TopSpin's ``vdlist``: 5u, 20m, 1.5s, or a plain number of seconds.

    Args:
        path: the list.

    Returns:
        (n,), s, float64.

    Raises:
        InputError: GD-222 if it cannot be read; GD-256 for a line that is no delay.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "vdlist"
        >>> _ = file.write_text("20m\\n1.5s\\n2\\n")
        >>> read_delay_list(file).tolist()
        [0.02, 1.5, 2.0]
    """
    found = []
    for line in read_lines(path, code="GD-256"):
        match = _DELAY.fullmatch(line)
        try:
            value = float(match.group(1)) * _SECONDS[match.group(2)] if match else -1.0
        except (KeyError, ValueError):
            value = -1.0
        if not 0 <= value < float("inf"):
            raise _odd(path, repr(line[:40]), "a number with u, m or s, one a line")
        found.append(value)
    return torch.tensor(found, dtype=torch.float64)


def _odd(path: Path, what: str, allowed: str) -> InputError:
    return InputError(
        "GD-256", given=f"{path.name} with {what}", allowed=allowed, do="check that this is the right list"
    )
