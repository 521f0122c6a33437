"""From what a command ended with to an exit code and a message that a person can act on."""

import errno
import sys
import unicodedata

from gradatim.base.errors import GradatimError, ResourceError
from gradatim.cli.bug_report import write_bug_report

USAGE = 2
"""Exit code of a command line that says nothing we know."""

BUG = 70
"""Exit code of our own failures."""

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM, as shells give it."""

PIPE_CLOSED = 141
"""Exit code when the program that read our output went away, as shells give it."""

_OF_DISK = {
    errno.ENOSPC: "GD-502",
    errno.EDQUOT: "GD-502",
    errno.EACCES: "GD-503",
    errno.EPERM: "GD-503",
    errno.EROFS: "GD-503",
    errno.EFBIG: "GD-504",
}


def plain(text: str) -> str:
    """Text that cannot drive a terminal: control, direction-changing and undecodable characters become ``?``.

    Names from files and headers pass through messages; they must not clear a screen, hide or reverse text.

    Example:
        >>> plain("a" + chr(27) + "[2J" + chr(0x202E) + "b")
        'a?[2J?b'
    """
    return "".join("?" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in text)


def explain(error: BaseException, command: str) -> int:
    """Say on stderr why a command ended, in one paragraph, and give its exit code.

    Args:
        error: what the command raised.
        command: the command's name, for the bug report; never its arguments, which may name a patient.

    Returns:
        The exit code: 2 to 5 for errors raised on purpose, 5 for the machine's, 130 if interrupted,
        70 for anything else, which is a bug of ours.
    """
    if isinstance(error, KeyboardInterrupt):
        _tell("interrupted; nothing half-written is left, the same command can be run again")
        return INTERRUPTED
    known = known_error(error)
    if known is not None:
        _tell(str(known))
        return known.exit_code
    _tell(f"this is a bug in gradatim, not in your data ({type(error).__name__})")
    report = write_bug_report(error, command)
    if report is not None:
        _tell(f"please send {report}; it holds versions and line numbers, no data, names or paths of yours")
    return BUG


def known_error(error: BaseException) -> GradatimError | None:
    """The coded error that an exception is or, being a failure of the machine, stands for; None for a bug of ours."""
    if isinstance(error, GradatimError):
        return error
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate" in str(error):
        return ResourceError(
            "GD-507",
            given="the memory did not suffice",
            allowed="what is free on this machine",
            do="close other programs, use fewer processes, or crop the image",
        )
    if not isinstance(error, OSError) or error.errno not in _OF_DISK:
        return None
    return ResourceError(
        _OF_DISK[error.errno],
        given=f"{error.strerror}: {error.filename or 'an output file'}",
        allowed="a folder with free space that you may write to",
        do="free some space, change the permission, or choose another output folder",
    )


def _tell(message: str) -> None:
    print(f"gradatim: {plain(message)}", file=sys.stderr)
