"""Settings files in TOML, as plain data."""

import tomllib
from pathlib import Path
from typing import Any

from gradatim.base.errors import InputError, UsageError


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Args:
        path: the file.

    Raises:
        InputError: GD-222 if there is no such file.
        UsageError: GD-105 if it is not TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("GD-105", given=f"{path.name}: {error}", allowed="TOML", do="correct that place") from error
