"""The file a user can send us when gradatim itself fails: versions and line numbers, nothing of a patient."""

import os
import platform
import sysconfig
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path

from gradatim.base.optional import parts

_OURS = Path(__file__).parents[2]
"""The folder that holds gradatim, in a checkout as when installed."""


def write_bug_report(error: BaseException, command: str) -> Path | None:
    """Write the report into the temporary folder.

    It leaves out what may name a patient: the arguments, every exception's message, paths outside installed
    packages, environment and local variables.

    Args:
        error: the exception that nobody expected.
        command: name of the command that ran.

    Returns:
        The file's path, None if no file could be written.
    """
    lines = [
        f"gradatim {version('gradatim')}, command {command}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        ", ".join(f"{name} {number}" for name, number in sorted(parts()[""].items())),
        *_frames(error),
    ]
    try:
        handle, name = tempfile.mkstemp(prefix="gradatim-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return None
    return Path(name)


def _frames(error: BaseException) -> list[str]:
    """One line a frame for the exception and those that caused it, the innermost last."""
    cause = error.__cause__ or error.__context__
    before = [*_frames(cause), "which led to"] if cause is not None else []
    return [*before, *(_place(frame) for frame in traceback.extract_tb(error.__traceback__)), type(error).__name__]


def _place(frame: traceback.FrameSummary) -> str:
    """Where a frame stands, from its package on; nothing of a file outside installed packages."""
    places = sysconfig.get_paths()
    for root in (_OURS, places["purelib"], places["platlib"], places["stdlib"]):
        if Path(frame.filename).is_relative_to(root):
            return f"  {Path(frame.filename).relative_to(root)}:{frame.lineno} {frame.name}"
    return "  (elsewhere)"
