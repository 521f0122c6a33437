"""A folder is either the old one or the whole new one, never a part of it or a mixture."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gradatim.io.atomic import flush_folder, write_refusal


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder that appears under its name only when the block ends well.

    The block fills a hidden folder beside ``path``. At its end everything is flushed to the disk and the folder
    gets its name; an old folder of that name steps aside first and is removed last. If the block raises, or the
    process is interrupted, nothing of it stays. What a killed process left behind, :func:`recover` clears away.

    Args:
        path: the final name; missing folders above it are made.

    Yields:
        The hidden folder, empty.

    Raises:
        ResourceError: GD-502 to GD-504 if the folder cannot be made or renamed.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "sub-01"
        >>> with atomic_folder(target) as folder:
        ...     _ = (folder / "a.txt").write_text("whole")
        >>> [file.name for file in target.iterdir()]
        ['a.txt']
    """
    made = _missing_above(path)
    temporary = path.with_name(f"{_mark(path)}{secrets.token_hex(8)}.part")
    try:
        with _of_the_system(path):
            temporary.mkdir(parents=True)
        yield temporary
        with _of_the_system(path):
            _flush_tree(temporary)
            _swap(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # another subject's output may have come to lie there
                folder.rmdir()
        raise


def recover(path: Path) -> None:
    """Clear away what a killed :func:`atomic_folder` left beside ``path``; an old folder gets its name back.

    Only for who holds the lock of the output (:mod:`gradatim.io.lock`): it would take the ground from a run at work.

    Args:
        path: the final name that the killed process was to give.

    Raises:
        ResourceError: GD-502 to GD-504 if something cannot be renamed or removed.
    """
    with _of_the_system(path):
        aside = _aside(path)
        if aside.exists() and not path.exists():
            aside.rename(path)
        for left in [aside, *path.parent.glob(f"{_mark(path)}*.part")]:
            if left.exists():
                shutil.rmtree(left)


def _swap(temporary: Path, path: Path) -> None:
    aside = _aside(path)
    if path.exists():
        path.rename(aside)
    try:
        temporary.rename(path)
    except BaseException:
        if aside.exists():
            aside.rename(path)
        raise
    flush_folder(path.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _flush_tree(folder: Path) -> None:
    """Files were flushed when they were written; their names lie in the folders."""
    for place, _, _ in os.walk(folder, topdown=False):
        flush_folder(Path(place))


def _missing_above(path: Path) -> list[Path]:
    """The folders above that do not exist yet, the innermost first."""
    return [folder for folder in path.parents if not folder.exists()]


def _mark(path: Path) -> str:
    """How hidden names beside ``path`` begin: of fixed length, so that the longest allowed name has room."""
    return f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}."


def _aside(path: Path) -> Path:
    return path.with_name(f"{_mark(path)}old")


@contextmanager
def _of_the_system(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_refusal(error, path) from error
