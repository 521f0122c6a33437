"""One run at a time on one output: a lock that knows its owner and does not outlive it."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradatim.base.errors import ResourceError
from gradatim.io.atomic import write_refusal

try:
    import fcntl
except ImportError:  # Windows has none; there the file's existence is the lock
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Args:
        pid: process number.
        host: name of its machine.
        started: when it took the lock, ISO 8601 in UTC.
    """

    pid: int
    host: str
    started: str

    @classmethod
    def this_process(cls) -> "Owner":
        """The running process, from now on."""
        return cls(os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))


@contextmanager
def run_lock(path: Path) -> Iterator[Owner | None]:
    """Hold a lock file for the length of a block.

    The operating system keeps the lock (``flock``) and drops it when its owner ends, however that ends; the file
    says who the owner is. So the file of a process that was killed is stale and is taken over. A file left by
    another machine is believed, since not every network file system shares locks between machines.

    Args:
        path: the lock file; its folder must exist.

    Yields:
        The owner of a stale lock that was taken over, else None.

    Raises:
        ResourceError: GD-508 if another run holds the lock; GD-502 to GD-504 if the file cannot be made.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / ".lock"
        >>> with run_lock(file):
        ...     with run_lock(file):
        ...         pass
        Traceback (most recent call last):
        gradatim.base.errors.ResourceError: GD-508: ...
    """
    handle, before = _taken(path)
    try:
        text = json.dumps(asdict(Owner.this_process())).encode()
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, text, 0) if hasattr(os, "pwrite") else os.write(handle, text)
        except OSError as error:
            raise write_refusal(error, path) from error
        yield before
    finally:
        path.unlink(missing_ok=True)  # while it is still locked: nobody can have taken it
        os.close(handle)


def _taken(path: Path) -> tuple[int, Owner | None]:
    """An open, locked lock file, and who left it behind."""
    while True:
        try:
            existed = path.exists()
            exclusive = os.O_EXCL if fcntl is None else 0
            handle = os.open(path, os.O_RDWR | os.O_CREAT | exclusive | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileExistsError as error:
            raise _held(path, _owner(path.read_bytes())) from error
        except OSError as error:
            raise write_refusal(error, path) from error
        before = _owner(os.read(handle, 4096)) if existed else None
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(handle)
                raise _held(path, before) from error
        if before is not None and before.host != socket.gethostname():
            os.close(handle)
            raise _held(path, before)
        if _still_named(handle, path):
            return handle, before
        os.close(handle)  # its owner ended, and removed it, between our opening and locking it


def _still_named(handle: int, path: Path) -> bool:
    try:
        named = path.stat()
    except OSError:
        return False
    held = os.fstat(handle)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _owner(content: bytes) -> Owner | None:
    """The owner that a lock file names; None if it names none, as in the instant before its owner writes."""
    try:
        said: Any = json.loads(content)
        if isinstance(said, Mapping):
            return Owner(int(said["pid"]), str(said["host"]), str(said["started"]))
    except (ValueError, KeyError, TypeError):
        pass
    return None


def _held(path: Path, owner: Owner | None) -> ResourceError:
    if owner is None:
        who, do = "another run", "wait until it has ended"
    else:
        who = f"process {owner.pid} on {owner.host}, since {owner.started}"
        do = f"wait until it has ended; if that machine is no longer at work on it, remove {path.name}"
        if owner.host == socket.gethostname() and fcntl is not None:
            do = "wait until it has ended, or choose another output folder"
    return ResourceError(
        "GD-508", given=f"{path.parent} is being written by {who}", allowed="one run at a time on one output", do=do
    )
