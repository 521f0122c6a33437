"""Text of a gradient coil's parameters, as Siemens scanners keep it in .asc files: one name and one value a line."""

import math
import re
from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.io.number_text import read_lines

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.\[\]]{0,199})\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s/]+)\s*(//.*)?")


def read_coil_text(path: Path | str) -> dict[str, float | str]:
    """Names as they stand there, e.g. ``asGPAParameters[0].sGCParameters.flGScaleFactorX``, with numbers or text.

    Lines without ``=`` are left out, as are comments after ``#`` and ``//``; of a name that stands there twice the last
    counts.

    Args:
        path: the file, small.

    Raises:
        InputError: GD-222 if it cannot be read; GD-243 if it is no such text.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "coil.asc"
        >>> _ = file.write_text('flGSWDTauX[0] = 0.2 # ms')
        >>> read_coil_text(file)
        {'flGSWDTauX[0]': 0.2}
    """
    path, found = Path(path), {}
    for line in read_lines(path, code="GD-243"):
        if "=" not in line:
            continue
        matched = _ASSIGNMENT.fullmatch(line)
        if matched is None:
            raise _wrong(path, f"the line '{line[:60]}'")
        found[matched[1]] = _value(matched[2])
    if not found:
        raise _wrong(path, "no line with a name and a value")
    return found


def _value(word: str) -> float | str:
    """A finite number, or the text as it stands, without quotes."""
    if word[0] in "\"'":
        return word[1:-1]
    try:
        number = float(word)
    except ValueError:
        return word
    return number if math.isfinite(number) else word


def _wrong(path: Path, what: str) -> InputError:
    return InputError(
        "GD-243",
        given=f"{path.name}: {what}",
        allowed="lines of the form name = value",
        do="give the scanner's file of the gradient coil, e.g. MP_GPA_….asc",
    )
