"""Bytes of a plain or gzipped file, counted while they come: a bomb stops at the budget, damage is named."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gradatim.base.errors import InputError, UnsafeInputError

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
TAIL_BYTES = 1 << 20
"""How much may follow the declared data before a stream counts as a bomb."""


@dataclass(eq=False)
class ByteSource:
    """A forward-only reader over one open regular file.

    Args:
        file: the open file.
        name: how messages call it.
        size: bytes on disk.
        packed: whether the content is gzip (told by its first two bytes, not by its name).
    """

    file: BinaryIO
    name: str
    size: int
    packed: bool
    _ready: bytearray = field(default_factory=bytearray)
    _waiting: bytes = b""
    _inflater: "zlib._Decompress | None" = None
    _tail: bool = False

    def read(self, count: int) -> bytearray:
        """The next ``count`` bytes, fewer only where the content ends.

        Raises:
            InputError: GD-207 if the gzip stream is cut, damaged or fails its checksum.
        """
        while len(self._ready) < count:
            piece = self._more(count - len(self._ready))
            if not piece:
                break
            self._ready += piece
        if len(self._ready) == count:  # a whole image is handed over, not copied
            taken, self._ready = self._ready, bytearray()
            return taken
        taken = self._ready[:count]
        del self._ready[:count]
        return taken

    def finish(self) -> bool:
        """Go to the end, so that the checksum is verified; whether anything follows the image.

        Raises:
            InputError: GD-207 if the gzip stream is cut or fails its checksum.
            UnsafeInputError: GD-401 if more than ``TAIL_BYTES`` follow inside the stream.
        """
        if not self.packed:
            return len(self._ready) > 0 or bool(self.file.read(1))
        beyond = len(self._ready)
        while piece := self._more(_PIECE):
            beyond += len(piece)
            if beyond > TAIL_BYTES:
                raise UnsafeInputError(
                    "GD-401",
                    given=f"{self.name} goes on for more than {TAIL_BYTES} bytes after the declared image",
                    allowed="a stream that ends with its image",
                    do="get the file again from its source; do not unpack it",
                )
        return beyond > 0 or self._tail

    def _more(self, wanted: int) -> bytes:
        if not self.packed:
            return self.file.read(min(wanted, _PIECE))
        while True:
            inflater = self._inflater or self._next_member()
            if inflater is None:
                return b""
            if not self._waiting:
                self._waiting = self.file.read(_PIECE // 16)
            try:
                piece = inflater.decompress(self._waiting, min(wanted, _PIECE))
            except zlib.error as error:
                raise self._damaged(str(error)) from error
            cut = not self._waiting and not piece and not inflater.eof
            self._inflater = None if inflater.eof else inflater
            self._waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if cut:
                raise self._damaged("the stream ends before its end mark")
            if piece:
                return piece

    def _next_member(self) -> "zlib._Decompress | None":
        """Start the next gzip member, if one follows; anything else that follows is a tail."""
        if self._tail:
            return None
        self._waiting += self.file.read(2) if len(self._waiting) < 2 else b""
        if not self._waiting.startswith(_GZIP):
            self._tail = bool(self._waiting)
            return None
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def _damaged(self, why: str) -> InputError:
        return InputError(
            "GD-207",
            given=f"{self.name}: the gzip stream is cut or damaged ({why})",
            allowed="a whole stream with the right checksum",
            do="copy or download the file again",
        )


@contextmanager
def open_source(path: Path) -> Iterator[ByteSource]:
    """Open a regular file for forward reading; never waits on a pipe, never opens a device.

    Args:
        path: the file; a symbolic link is followed.

    Raises:
        InputError: GD-222 if the file is missing, not readable or not a regular file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        raise _unreadable(path, "not a regular file")
    with os.fdopen(handle, "rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        yield ByteSource(file, path.name, facts.st_size, packed)


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        "GD-222",
        given=f"{path}: {why}",
        allowed="a readable regular file",
        do="check the name, or fetch the file's content (datalad get) if it is a link to nowhere",
    )
