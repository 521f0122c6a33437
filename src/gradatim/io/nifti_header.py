"""The fixed part of a NIfTI file, read and judged before any image byte is touched."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from nibabel.nifti1 import header_dtype as nifti1_layout
from nibabel.nifti2 import header_dtype as nifti2_layout

from gradatim.base.errors import InputError, ResourceError, UnsafeInputError
from gradatim.io.byte_source import ByteSource

_LAYOUTS = {348: nifti1_layout, 540: nifti2_layout}
_SINGLE_FILE = {348: b"n+1", 540: b"n+2"}
_MAX_EXTENSION_BYTES = 16 << 20

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8", 1792: "c16",
}  # fmt: skip
_COLOUR = {128: 3, 2304: 4}
_TOO_WIDE = {1536: "128-bit float", 2048: "256-bit complex"}


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """The facts of a header that passed its checks, in the file's own axes and units.

    Args:
        name: how messages call the file.
        shape: sizes along the file's axes, 1 to 7 of them, each ≥ 1.
        dtype: how values are stored, with byte order; a colour image has a structured type.
        data_offset: where the image begins, bytes.
        slope: stored ``scl_slope``, as it is.
        intercept: stored ``scl_inter``, as it is.
        fields: the raw header record (numpy structured scalar), for orientation and units.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    data_offset: int
    slope: float
    intercept: float
    fields: np.void

    @property
    def data_bytes(self) -> int:
        """Size of the image, bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def scaled(self) -> bool:
        """Whether slope and intercept are usable and change a value."""
        return not self.unusable_scaling and (self.slope, self.intercept) != (1.0, 0.0)

    @property
    def unusable_scaling(self) -> bool:
        """Whether slope or intercept cannot be applied: not finite, or slope zero."""
        return not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope != 0)


def read_header(source: ByteSource, *, budget_bytes: int) -> NiftiHeader:
    """Read and judge the header and its extensions; afterwards the source stands at the first image byte.

    Accepts NIfTI-1 and NIfTI-2 single files of either byte order. Source: the NIfTI-1 and NIfTI-2 definitions
    (nifti.nimh.nih.gov, ``nifti1.h`` and ``nifti2.h``).

    Args:
        source: an open file.
        budget_bytes: the most bytes that offset and image together may take.

    Raises:
        InputError: GD-201 to GD-206 for a header that cannot be true, GD-207 for a damaged gzip stream.
        UnsafeInputError: GD-401 if a gzipped file declares more than the budget.
        ResourceError: GD-505 if a plain file does.
    """
    fields, size, order = _fields(source)
    header = NiftiHeader(
        source.name,
        _shape(fields, source.name),
        _dtype(fields, order, source.name),
        _offset(fields, size, source.name),
        float(fields["scl_slope"]),
        float(fields["scl_inter"]),
        fields,
    )
    _check_size(header, source, budget_bytes)
    _skip_extensions(source, header.data_offset, size, order)
    return header


def _refuse(code: str, given: str, allowed: str, do: str = "get the file again, or repair its header") -> InputError:
    return InputError(code, given=given, allowed=allowed, do=do)


def _fields(source: ByteSource) -> tuple[np.void, int, str]:
    start = source.read(4)
    if source.size == 0 or len(start) < 4:
        raise _refuse("GD-201", f"{source.name} holds {source.size} bytes", "at least a header of 348 bytes")
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for order in orders:
        size = int(np.frombuffer(start, f"{order}i4")[0])
        if size in _LAYOUTS:
            break
    else:
        raise _refuse("GD-202", f"{source.name} is not a NIfTI file", "NIfTI-1 or NIfTI-2, plain or gzipped")
    block = start + source.read(size - 4)
    if len(block) < size:
        raise _refuse("GD-201", f"{source.name} ends after {len(block)} bytes", f"a header of {size} bytes")
    fields = np.frombuffer(bytes(block), _LAYOUTS[size].newbyteorder(order))[0]
    magic = bytes(fields["magic"])[:3]
    if magic != _SINGLE_FILE[size]:
        raise _refuse(
            "GD-202",
            f"{source.name} has the mark {magic!r}",
            "the mark of a single NIfTI file, n+1 or n+2",
            "convert a .hdr/.img pair or an Analyze file to one .nii file",
        )
    return fields, size, order


def _shape(fields: np.void, name: str) -> tuple[int, ...]:
    dim = [int(n) for n in fields["dim"]]
    if not 1 <= dim[0] <= 7:
        raise _refuse("GD-203", f"{name} declares {dim[0]} dimensions", "1 to 7")
    shape = tuple(dim[1 : dim[0] + 1])
    if min(shape) < 1:
        raise _refuse("GD-203", f"{name} declares the shape {shape}", "sizes of at least 1")
    return shape


def _dtype(fields: np.void, order: str, name: str) -> np.dtype:
    code, bits = int(fields["datatype"]), int(fields["bitpix"])
    if code in _COLOUR:
        return np.dtype([(channel, "u1") for channel in "RGBA"[: _COLOUR[code]]])
    if code not in _TYPES:
        kind = _TOO_WIDE.get(code, "unknown")
        raise _refuse("GD-204", f"{name} has data type {code} ({kind})", f"one of {sorted(_TYPES)}")
    dtype = np.dtype(order + _TYPES[code])
    if bits != dtype.itemsize * 8:
        raise _refuse("GD-204", f"{name} has data type {code} with {bits} bits", f"{dtype.itemsize * 8} bits")
    return dtype


def _offset(fields: np.void, size: int, name: str) -> int:
    offset = float(fields["vox_offset"])
    first = size + 4
    if not (math.isfinite(offset) and offset == int(offset) and first <= offset <= first + _MAX_EXTENSION_BYTES):
        raise _refuse(
            "GD-205", f"{name} has the data offset {offset:g}", f"{first} to {first + _MAX_EXTENSION_BYTES} bytes"
        )
    return int(offset)


def _check_size(header: NiftiHeader, source: ByteSource, budget_bytes: int) -> None:
    need = header.data_offset + header.data_bytes
    if not source.packed and source.size < need:
        raise _refuse(
            "GD-206",
            f"{source.name} holds {source.size} bytes, its header declares {need} (shape {header.shape})",
            "as many bytes as declared",
            "copy or download the file again",
        )
    if need <= budget_bytes:
        return
    allowed, do = f"at most {budget_bytes} bytes", "use a machine with more memory, or raise the size budget"
    if source.packed:
        given = f"{source.name} would unpack from {source.size} to {need} bytes (shape {header.shape})"
        raise UnsafeInputError("GD-401", given=given, allowed=allowed, do=f"if the file is trusted, {do}")
    raise ResourceError("GD-505", given=f"{source.name} holds {need} bytes", allowed=allowed, do=do)


def _skip_extensions(source: ByteSource, data_offset: int, size: int, order: str) -> None:
    """Walk over the extensions, whose sizes must lead exactly to the image."""
    flag, position = source.read(4), size + 4
    if len(flag) < 4:
        raise _refuse("GD-201", f"{source.name} ends after its header", "an image behind the header")
    if not flag[0]:
        source.read(data_offset - position)
        return
    while position < data_offset or position == size + 4:
        head = source.read(8)
        length = int(np.frombuffer(head, f"{order}i4")[0]) if len(head) == 8 else 0
        room = data_offset - position
        if not 16 <= length <= room:
            raise _refuse(
                "GD-205",
                f"{source.name} has a header extension of {length} bytes at byte {position}",
                f"16 to {room} bytes, up to the image" if room else "none, since the image begins there",
            )
        source.read(length - 8)
        position += length
