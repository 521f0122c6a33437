"""The text in front of an NRRD image, read and judged before an image byte is touched."""

import math
import re
from dataclasses import dataclass

import numpy as np

from gradatim.base.errors import InputError
from gradatim.io.byte_source import ByteSource

MAX_HEADER_BYTES = 1 << 20

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}  # fmt: skip
_DTYPE = {name: code for code, names in _TYPES.items() for name in names}
_ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "ascii": "ascii", "text": "ascii", "txt": "ascii"}
_ORDERS = {"little": "<", "big": ">"}
_SPATIAL_KINDS = {"domain", "space", "???", "none"}
_SAME_FIELD = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}
_FIELD = re.compile(r"([^:=]+): ?(.*)")
_KEY = re.compile(r"([^:]+):=(.*)")


@dataclass(frozen=True, eq=False)
class NrrdHeader:
    """The facts of a header that passed its checks.

    Args:
        name: how messages call the file.
        shape: sizes along the file's three axes, the first of which varies fastest.
        dtype: how values are stored, with byte order.
        encoding: ``"raw"``, ``"gzip"`` or ``"ascii"``.
        data_file: name of a detached data file in the same folder; empty where the image follows the header.
        byte_skip: bytes to leave out in front of the image.
        fields: every field as it stands, e.g. ``"space directions"``.
        keys: the free ``key:=value`` pairs.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    encoding: str
    data_file: str
    byte_skip: int
    fields: dict[str, str]
    keys: dict[str, str]

    @property
    def data_bytes(self) -> int:
        """Size of the unpacked image, bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_nrrd_header(source: ByteSource) -> NrrdHeader:
    """Read and judge the header; afterwards the source's file stands behind the blank line that ends it.

    Source: the definition of the NRRD file format, versions 1 to 5 (teem.sourceforge.net/nrrd/format.html).

    Args:
        source: an open file, at its beginning.

    Raises:
        InputError: GD-287 for a header that cannot be true; GD-288 for kinds of files that are not read;
            GD-215 unless three-dimensional; GD-216 for axes that are not spatial.
    """
    fields, keys = _lines(source)
    name = source.name
    for required in ("dimension", "type", "encoding", "sizes"):
        if required not in fields:
            raise damaged(f"{name} has no field {required!r}", "a header with dimension, type, encoding and sizes")
    encoding = _ENCODINGS.get(fields["encoding"].lower())
    if encoding is None:
        raise _unread(f"{name} has the encoding {fields['encoding'][:40]!r}", "raw, gzip or ascii")
    line_skip, byte_skip = (_whole(fields.get(f"{what} skip", "0"), f"{what} skip", name) for what in ("line", "byte"))
    if line_skip or byte_skip < 0:
        raise _unread(f"{name} has a line skip of {line_skip} and a byte skip of {byte_skip}", "0, or bytes to skip")
    return NrrdHeader(
        name,
        _shape(fields, name),
        _dtype(fields, encoding, name),
        encoding,
        fields.get("data file", ""),
        byte_skip,
        fields,
        keys,
    )


def damaged(given: str, allowed: str) -> InputError:
    """The refusal of a header that cannot be true.

    Args:
        given: what it says.
        allowed: what it might say.
    """
    return InputError("GD-287", given=given, allowed=allowed, do="get the file again, or repair its header")


def _unread(given: str, allowed: str) -> InputError:
    return InputError("GD-288", given=given, allowed=allowed, do="save it anew as a gzip-encoded .nrrd, or as NIfTI")


def _lines(source: ByteSource) -> tuple[dict[str, str], dict[str, str]]:
    start = source.file.read(MAX_HEADER_BYTES)
    if not re.match(rb"NRRD000[1-5]\r?\n", start):
        raise _unread(f"{source.name} does not begin as an NRRD file", "the mark NRRD0001 to NRRD0005")
    end = re.search(rb"\n\r?\n", start)
    if end is None and len(start) == MAX_HEADER_BYTES:
        raise damaged(f"{source.name} has a header beyond {MAX_HEADER_BYTES} bytes", "a blank line before that")
    source.file.seek(end.end() if end else len(start))
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    text = start[: end.start() if end else None].decode("utf-8", "replace")
    for line in text.splitlines()[1:]:
        if line.startswith("#") or not line.strip():
            continue
        if pair := _KEY.fullmatch(line):
            keys[pair[1]] = pair[2]
        elif field := _FIELD.fullmatch(line):
            known = field[1].strip().lower()
            known = _SAME_FIELD.get(known, known)
            if known in fields:
                raise damaged(f"{source.name} has the field {known[:40]!r} twice", "each field once")
            fields[known] = field[2].strip()
        else:
            raise damaged(f"{source.name} has the line {line[:40]!r}", "'field: value', 'key:=value' or a comment")
    if end is None and "data file" not in fields:
        raise damaged(f"{source.name} has no blank line", "a blank line between header and image")
    return fields, keys


def _whole(text: str, what: str, name: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()):
        raise damaged(f"{name} has the {what} {text[:40]!r}", "a whole number")
    return int(text)


def _shape(fields: dict[str, str], name: str) -> tuple[int, int, int]:
    count = _whole(fields["dimension"], "dimension", name)
    sizes = tuple(_whole(size, "size", name) for size in fields["sizes"].split()[:17])
    if len(sizes) != count or not sizes or min(sizes) < 1:
        raise damaged(f"{name} declares {count} dimensions of sizes {sizes}", "as many positive sizes as dimensions")
    if count != 3:
        raise InputError(
            "GD-215",
            given=f"{name} with {count} dimensions",
            allowed="one three-dimensional image",
            do="save one volume, or a segmentation without overlaps, as a file of its own",
        )
    kinds = fields.get("kinds", "").lower().split()
    if len(kinds) not in (0, 3):
        raise damaged(f"{name} declares {len(kinds)} kinds", "one for each of three axes")
    if set(kinds) - _SPATIAL_KINDS:
        raise InputError(
            "GD-216",
            given=f"{name} has axes of the kinds {', '.join(kind[:20] for kind in kinds)}",
            allowed="three axes in space",
            do="save one value per voxel",
        )
    return sizes[0], sizes[1], sizes[2]


def _dtype(fields: dict[str, str], encoding: str, name: str) -> np.dtype:
    stated = " ".join(fields["type"].lower().split())
    if stated not in _DTYPE:
        raise _unread(f"{name} has values of the type {stated[:40]!r}", "integers of 8 to 64 bits, float or double")
    dtype = np.dtype(_DTYPE[stated])
    if dtype.itemsize == 1 or encoding == "ascii":
        return dtype
    order = _ORDERS.get(fields.get("endian", "").lower())
    if order is None:
        raise damaged(f"{name} has the byte order {fields.get('endian', '')[:20]!r}", "endian: little or big")
    return np.dtype(order + _DTYPE[stated])
