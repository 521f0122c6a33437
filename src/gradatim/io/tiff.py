"""Reading microscope stacks: TIFF, OME-TIFF and ImageJ hyperstacks."""

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
import torch
from torch import Tensor

from gradatim.base.errors import InputError, ResourceError, UnsafeInputError
from gradatim.base.grid import Grid
from gradatim.io.byte_source import open_source
from gradatim.io.memory import default_budget_bytes
from gradatim.io.tiff_layout import PRINTING, Layout, Spacing, agreed, imagej_spacing, is_ome, length, ome_layout

EXACT = ("uint8", "int8", "uint16", "int16", "float16", "float32")
"""Stored types that float32 holds without loss."""

_TAG_UNITS = {2: 25.4, 3: 10.0}
"""TIFF's ResolutionUnit → mm: inch and centimetre."""

_BROKEN = (tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError,
           ArithmeticError, struct.error, zlib.error, NotImplementedError, EOFError)  # fmt: skip
"""What damaged bytes make of a TIFF reader."""


@dataclass(frozen=True, eq=False)
class TiffImage:
    """A stack as it was read.

    Args:
        data: (x, y, z), (channel, x, y, z) or (time, channel, x, y, z), float32; a single plane has z = 1.
        spacing: voxel edges along x, y and z, mm; None where the file does not say.
        stored: type in the file, e.g. "uint16".
        name: the file's name.
    """

    data: Tensor
    spacing: Spacing
    stored: str
    name: str

    @property
    def grid(self) -> Grid:
        """Where the voxels lie; a single plane without thickness gets that of a pixel's edge.

        Raises:
            InputError: GD-283 if an edge is not known.
        """
        x, y, z = self.spacing
        shape = (int(self.data.shape[-3]), int(self.data.shape[-2]), int(self.data.shape[-1]))
        z = x if z is None and shape[2] == 1 else z
        if x is None or y is None or z is None:
            unknown = [axis for axis, edge in zip("xyz", (x, y, z), strict=True) if edge is None]
            raise InputError(
                "GD-283",
                given=f"{self.name} states no size of a voxel along {', '.join(unknown)}",
                allowed="a pixel size along each axis",
                do="export it as OME-TIFF with physical sizes",
            )
        return Grid(shape, (x, y, z))


def read_tiff(path: Path | str, *, budget_bytes: int | None = None) -> TiffImage:
    """Read a stack. On disk the axes are (…, z, y, x); here (…, x, y, z).

    OME-XML and ImageJ's description name the axes and the pixel size; pages of a plain TIFF are taken as planes
    along z. The description is refused, not parsed, if it declares entities; other files that it names are never
    opened. The chain of directories is walked and sizes are judged before a pixel is decoded.

    Args:
        path: the file.
        budget_bytes: the most bytes the image may unpack to; by default an eighth of the free memory.

    Returns:
        Values as stored, in float32.

    Raises:
        InputError: GD-216 for colour or complex values, GD-217 for values that are not finite, GD-220 for 32-bit
            integers or float64 that float32 does not hold, GD-222, and GD-280 to GD-286.
        UnsafeInputError: GD-401 if a compressed image would exceed its budget; GD-404.
        ResourceError: GD-505 if a plain one exceeds it.

    Example:
        >>> import tempfile
        >>> from gradatim.io.tiff_write import write_tiff
        >>> file = Path(tempfile.mkdtemp()) / "beads.ome.tif"
        >>> write_tiff(file, torch.ones(6, 5, 4), Grid((6, 5, 4), (1e-4, 1e-4, 2.5e-4)))
        >>> image = read_tiff(file)
        >>> tuple(image.data.shape), image.grid.spacing
        ((6, 5, 4), (0.0001, 0.0001, 0.00025))
    """
    path, budget = Path(path), default_budget_bytes() if budget_bytes is None else budget_bytes
    with open_source(path) as source, _coded(path.name):
        walk_directories(source.file, path.name, source.size)
        source.file.seek(0)
        with tifffile.TiffFile(source.file, name=path.name, is_ome=False, _multifile=False) as file:
            layout = _layout(file, path.name)
            _judge(file, path.name, budget)
            stored = np.stack([page.asarray() for page in file.pages]) if layout else file.series[0].asarray()
            axes = layout.axes + "YX" if layout else file.series[0].axes
            if layout:
                stored = stored.reshape(*layout.sizes, *stored.shape[-2:])
            spacing = layout.spacing if layout else _spacing(file, path.name)
    return TiffImage(
        torch.from_numpy(_turned(_exact(stored, path.name), axes, path.name)), spacing, str(stored.dtype), path.name
    )


def walk_directories(file: BinaryIO, name: str, size: int) -> int:
    """How many pages a TIFF's chain of directories has.

    Raises:
        InputError: GD-280 for a file that is no TIFF; GD-281 if the chain is circular or leaves the file.
    """
    start = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    version = struct.unpack(f"{order}H", start[2:4])[0] if order and len(start) >= 8 else 0
    if version not in (42, 43) or (version == 43 and len(start) < 16):
        raise _damaged(name, "it does not begin as a TIFF file does")
    count, entry, link = ("H", 12, "I") if version == 42 else ("Q", 20, "Q")
    offset = struct.unpack(f"{order}{link}", start[4:8] if version == 42 else start[8:16])[0]
    seen: set[int] = set()
    while offset:
        if offset in seen or offset + struct.calcsize(count) > size:
            what = "returns to itself" if offset in seen else f"leads to byte {offset} of {size}"
            raise InputError(
                "GD-281",
                given=f"{name}: its chain of directories {what}",
                allowed="a chain that ends inside the file",
                do="get the file again from its source",
            )
        seen.add(offset)
        file.seek(offset)
        entries = struct.unpack(f"{order}{count}", file.read(struct.calcsize(count)))[0]
        file.seek(offset + struct.calcsize(count) + entry * entries)
        following = file.read(struct.calcsize(link))
        if len(following) < struct.calcsize(link):
            raise _damaged(name, "a directory is cut")
        offset = struct.unpack(f"{order}{link}", following)[0]
    if not seen:
        raise _damaged(name, "it has no page")
    return len(seen)


def _layout(file: tifffile.TiffFile, name: str) -> Layout | None:
    """What OME-XML says; None for other files."""
    description = str(file.pages.first.description or "")
    if not is_ome(description):
        return None
    layout = ome_layout(description, name)
    if math.prod(layout.sizes) != len(file.pages):
        raise InputError(
            "GD-282",
            given=f"{name} declares {layout.axes} of {layout.sizes} and has {len(file.pages)} pages",
            allowed="as many pages as declared",
            do="get the file again, or export it as one stack",
        )
    return Layout(layout.axes, layout.sizes, agreed(layout.spacing, _tag_spacing(file), name))


def _judge(file: tifffile.TiffFile, name: str, budget: int) -> None:
    first = file.pages.first
    kinds = {(page.shape, str(page.dtype)) for page in file.pages}
    if len(kinds) != 1 and not file.is_imagej:
        raise InputError(
            "GD-282",
            given=f"{name} has pages of {len(kinds)} shapes or types",
            allowed="pages of one shape and type",
            do="store one stack a file",
        )
    if first.samplesperpixel != 1 or first.dtype is None or first.dtype.kind not in "uif":
        raise InputError(
            "GD-216",
            given=f"{name} holds {first.samplesperpixel} value(s) a pixel of type {first.dtype}",
            allowed="one real grey value a pixel",
            do="split colours into channels first",
        )
    packed = any(page.compression != 1 for page in file.pages)
    needed = sum(level.nbytes for level in file.series) if file.is_imagej else first.nbytes * len(file.pages)
    if needed > budget:
        family, code = (UnsafeInputError, "GD-401") if packed else (ResourceError, "GD-505")
        raise family(
            code,
            given=f"{name} unpacks to {needed} bytes",
            allowed=f"up to {budget} bytes",
            do="crop it, or free memory",
        )
    if any(0 in page.databytecounts for page in file.pages):
        raise _damaged(name, "a page has no data")


def _spacing(file: tifffile.TiffFile, name: str) -> Spacing:
    if len(file.series) > 1:
        raise InputError(
            "GD-282", given=f"{name} holds {len(file.series)} images", allowed="one", do="store one stack a file"
        )
    if file.is_imagej:
        return imagej_spacing(file.imagej_metadata or {}, _resolution(file), name)
    return _tag_spacing(file)


def _tag_spacing(file: tifffile.TiffFile) -> Spacing:
    """Pixel size in TIFF's own tags, which know x and y; None where none is stated, or one for printing."""
    unit = file.pages.first.tags.get("ResolutionUnit")
    edge = _TAG_UNITS.get(int(unit.value)) if unit is not None else None
    if edge is None:
        return None, None, None
    x, y = (length(1.0 / n, edge, "resolution") if n > edge / PRINTING else None for n in _resolution(file))
    return x, y, None


def _resolution(file: tifffile.TiffFile) -> tuple[float, float]:
    values = []
    for tag in ("XResolution", "YResolution"):
        found = file.pages.first.tags.get(tag)
        over, under = found.value if found is not None else (0, 1)
        values.append(over / under if under else 0.0)
    return values[0], values[1]


def _turned(values: np.ndarray, axes: str, name: str) -> np.ndarray:
    """Any order of (T, C, Z, Y, X) as (…, x, y, z); unnamed page axes are z."""
    named = axes if "Z" in axes else axes.replace("I", "Z").replace("Q", "Z")
    if len(set(named)) != len(named) or not set("YX") <= set(named) <= set("TCZYX"):
        raise InputError(
            "GD-282", given=f"{name} has the axes {axes}", allowed="t, c, z, y, x", do="store one stack a file"
        )
    for axis in "TCZ":
        if axis not in named:
            values, named = values[None], axis + named
    turned = np.transpose(values, [named.index(axis) for axis in "TCXYZ"])
    while turned.ndim > 3 and turned.shape[0] == 1:
        turned = turned[0]
    return np.ascontiguousarray(turned)


def _exact(stored: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = stored.astype(np.float32)
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        bad = int((~np.isfinite(stored)).sum())
        raise InputError(
            "GD-217", given=f"{name} has {bad} values that are not finite", allowed="finite values", do="replace them"
        )
    if stored.dtype.name not in EXACT and not np.array_equal(values.astype(np.float64), stored.astype(np.float64)):
        raise InputError(
            "GD-220",
            given=f"{name} holds {stored.dtype} values that float32 does not",
            allowed="8 or 16 bits, float32, or values that float32 holds exactly",
            do="store it as 16 bits or float32, saying how it was scaled",
        )
    return values


@contextmanager
def _coded(name: str) -> Iterator[None]:
    """Whatever a TIFF reader trips over becomes one refusal."""
    try:
        yield
    except _BROKEN as error:
        raise _damaged(name, f"{type(error).__name__}: {error}") from error


def _damaged(name: str, what: str) -> InputError:
    return InputError(
        "GD-280",
        given=f"{name}: {what}",
        allowed="a whole TIFF file, plain, or packed by deflate or PackBits",
        do="copy or export the file again",
    )
