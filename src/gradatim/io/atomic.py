"""A file is either the old one or the whole new one, never a part of it."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gradatim.base.errors import ResourceError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears under its name only when the block ends well.

    Writes into a hidden temporary file of the same folder, flushes it to the disk, renames it over ``path`` and
    flushes the folder, so that a power cut leaves the old or the new file. If the block raises, or the process
    is interrupted, the temporary file is removed and ``path`` stays as it was.

    Args:
        path: the final name; its folder must exist.

    Yields:
        The temporary file, open for writing and for reading back.

    Raises:
        ResourceError: GD-502 if the disk or quota is full, GD-503 if writing is not permitted, GD-504 for any
            other failure of the operating system.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with atomic_file(target) as file:
        ...     _ = file.write(b"whole")
        >>> target.read_bytes()
        b'whole'
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        handle = os.open(temporary, _NEW_FILE, 0o666)
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
        flush_folder(path.parent)
    except OSError as error:
        raise write_refusal(error, path) from error


def require_place(path: Path) -> None:
    """Refuse, before any work, a name under which no file can appear.

    Args:
        path: the final name.

    Raises:
        ResourceError: GD-503 if its folder may not be written to, GD-504 if that does not exist or the name is a
            folder's.

    Example:
        >>> require_place(Path("a.txt"))
    """
    number = 0
    if not path.parent.is_dir():
        number = errno.ENOENT
    elif path.is_dir():
        number = errno.EISDIR
    elif not os.access(path.parent, os.W_OK):
        number = errno.EACCES
    if number:
        raise write_refusal(OSError(number, os.strerror(number)), path)


def flush_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, so that a power cut does not forget a rename."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_refusal(error: OSError, path: Path) -> ResourceError:
    """What a failure of the operating system while writing means to a user: GD-502, GD-503 or GD-504."""
    if error.errno in _FULL:
        code, allowed, do = "GD-502", "enough free space", "free some space or choose another output folder"
    elif error.errno in _FORBIDDEN:
        code, allowed, do = "GD-503", "a folder that may be written to", "choose another output folder"
    else:
        code, allowed, do = "GD-504", "an existing, writable folder", "look at the folder and its disk, then run again"
    return ResourceError(code, given=f"{path}: {error.strerror or error}", allowed=allowed, do=do)
