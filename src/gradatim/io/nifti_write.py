"""Writing NIfTI images: whole or not at all, byte for byte the same each time, checked before they appear."""

import gzip
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import ResourceError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.atomic import atomic_file
from gradatim.io.byte_source import ByteSource
from gradatim.io.nifti_header import read_header
from gradatim.io.orientation import Frame, orient

_SCANNER = 1
_DATA_OFFSET = 352
_LEVEL = 6
_INTEGERS = (np.uint8, np.int16, np.uint16, np.int32, np.int64)
"""Types for whole numbers, the first that holds them all is taken."""


def write_nifti(path: Path | str, data: Tensor, grid: Grid, *, description: str = "") -> None:
    """Write an image to a ``.nii`` or ``.nii.gz`` file.

    No value is scaled or rounded: float32, float64, complex64 and complex128 are stored as they are, bool as
    uint8, integers in the smallest type that holds them. sform and qform both carry the grid's affine with code 1
    (scanner), lengths are mm. The file is written atomically and its header is read back before it appears; a
    gzip stream carries no time and no name, so equal images give equal files.

    Args:
        path: final name, ending in ``.nii`` or ``.nii.gz``; its folder must exist.
        data: (x, y, z) or (volume, x, y, z); volumes go last in the file.
        grid: where the voxels lie.
        description: up to 79 bytes of ASCII for the header's free text.

    Raises:
        UsageError: GD-101 for another ending, a type or size that NIfTI-1 cannot hold, or a longer description;
            GD-103 if data and grid disagree.
        ResourceError: GD-502 to GD-504 if the file cannot be written, GD-506 if it does not read back.

    Example:
        >>> import tempfile
        >>> from gradatim.io.nifti import read_image
        >>> file = Path(tempfile.mkdtemp()) / "map.nii.gz"
        >>> write_nifti(file, torch.ones(4, 4, 2), Grid((4, 4, 2), (1.0, 1.0, 2.0)))
        >>> read_image(file).grid.spacing
        (1.0, 1.0, 2.0)
    """
    path = Path(path)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise _unfit(f"the file name {path.name!r}", "a name ending in .nii or .nii.gz")
    if data.ndim not in (3, 4) or tuple(data.shape[-3:]) != grid.shape:
        raise UsageError(
            "GD-103",
            given=f"data of shape {tuple(data.shape)} on a grid of {grid.shape}",
            allowed="(x, y, z) or (volume, x, y, z) of the grid's shape",
            do="bring both to one grid first",
        )
    values = _storable(data)
    header, stored = _header(values, grid, description), _in_file_order(values)
    with atomic_file(path) as file:
        if path.name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed:
                packed.write(header)
                packed.write(stored.data)
        else:
            file.write(header)
            file.write(stored.data)
        _check(file, path, grid, stored)


def _check(file: BinaryIO, path: Path, grid: Grid, stored: np.ndarray) -> None:
    """Read the file back, before it gets its name, and compare grid, type and every value."""
    size = file.tell()
    file.seek(0)
    source = ByteSource(file, path.name, size, packed=path.name.endswith(".gz"))
    header = read_header(source, budget_bytes=size + 2 * (stored.nbytes + _DATA_OFFSET))
    shape = tuple(int(n) for n in header.shape[:3])
    same_space = Grid.from_affine(shape, orient(header, frame=Frame.AGREED).affine).same_space(grid)  # type: ignore[arg-type]
    same_values = header.dtype == stored.dtype and source.read(header.data_bytes) == stored.data.cast("B")
    if source.finish() or not (same_space and same_values):
        raise ResourceError(
            "GD-506",
            given=f"{path}: what was written does not read back",
            allowed="a disk that keeps what it is given",
            do="look at the disk, then run again",
        )


def _storable(data: Tensor) -> np.ndarray:
    if (data.is_floating_point() and data.dtype.itemsize < 4) or data.dtype is torch.complex32:
        raise _unfit(f"{data.dtype} values", "float32, float64, complex64, complex128, integers or bool")
    values = data.detach().resolve_conj().resolve_neg().cpu().numpy()
    if values.dtype == bool:
        return values.astype(np.uint8)
    if values.dtype.kind not in "iu":
        return values
    low, high = (int(values.min()), int(values.max()))
    for kind in _INTEGERS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def _in_file_order(values: np.ndarray) -> np.ndarray:
    """Axes (…, x, y, z) turned so that C order equals the file's order, x fastest, least significant byte first."""
    return np.ascontiguousarray(values.swapaxes(-1, -3), dtype=values.dtype.newbyteorder("<"))


def _header(values: np.ndarray, grid: Grid, description: str) -> bytes:
    """Header and the four bytes that say "no extension"."""
    shape = (*grid.shape, *values.shape[:-3])
    if max(shape) > np.iinfo(np.int16).max:
        raise _unfit(f"the shape {shape}", "sizes up to 32767")
    text = description.encode("ascii", errors="replace")
    if len(text) > 79:
        raise _unfit(f"a description of {len(text)} bytes", "up to 79 bytes")
    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_shape(shape)
    header.set_data_dtype(values.dtype)
    header.set_xyzt_units("mm", "sec")
    header.set_qform(grid.matrix, code=_SCANNER)
    header.set_sform(grid.matrix, code=_SCANNER)
    header["descrip"] = text
    header["vox_offset"] = _DATA_OFFSET
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    return header.binaryblock + b"\0\0\0\0"


def _unfit(given: str, allowed: str) -> UsageError:
    return UsageError("GD-101", given=given, allowed=f"{allowed} in a NIfTI file", do="convert it first")
