"""Which input, by its content, and whether it is still the same."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.io.digest import file_sha256
from gradatim.io.echo_series import EchoSeries
from gradatim.pipelines.parameters import parameters_sha256


@dataclass(frozen=True)
class InputFile:
    """One input file as it was when a run began.

    Args:
        name: how outputs call it: a BIDS URI, or its role; never a path, which may name a patient.
        path: where it lies.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    path: Path
    sha256: str


def fingerprint(files: Mapping[str, Path]) -> tuple[InputFile, ...]:
    """Hash input files.

    Args:
        files: name in the outputs → path.

    Raises:
        InputError: GD-222 if a file cannot be read.
    """
    return tuple(InputFile(name, path, _sha256(path)) for name, path in files.items())


def check_unchanged(inputs: Iterable[InputFile]) -> None:
    """Refuse a result whose input changed while it was made.

    Raises:
        InputError: GD-225 if a file's content is another now; GD-222 if it is gone.
    """
    for each in inputs:
        if _sha256(each.path) != each.sha256:
            raise InputError(
                "GD-225",
                given=f"{each.path.name} changed while it was worked on",
                allowed="input that stays as it is during a run",
                do="wait until its copy or download has ended, then run again",
            )


def files_of(series: EchoSeries, root: Path) -> dict[str, Path]:
    """The image files of a scan in a data set, by their BIDS URIs."""
    paths = sorted({file.path for file in series.files})
    return {f"bids:raw:{Path(os.path.relpath(path, root)).as_posix()}": path for path in paths}


def sidecars_sha256(series: EchoSeries) -> str:
    """One SHA-256 of everything that a scan's sidecars say, inherited values included."""
    return parameters_sha256([[file.part.value, file.echo, file.volume, dict(file.sidecar)] for file in series.files])


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path.name}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
