"""Writing microscope stacks: whole or not at all, byte for byte the same each time, checked before they appear."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from torch import Tensor

from gradatim.base.errors import ResourceError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.atomic import atomic_file, require_place

_OME = (".ome.tif", ".ome.tiff")
_NAMES = {"uint8": "uint8", "uint16": "uint16", "int16": "int16", "float32": "float"}
"""Stored type → its name in OME."""

_BIG = 1 << 32
_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation='
    '"http://www.openmicroscopy.org/Schemas/OME/2016-06 http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">'
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{kind}" SizeX="{x}" SizeY="{y}" '
    'SizeZ="{z}" SizeC="{c}" SizeT="{t}"{sizes}>{channels}<TiffData/></Pixels></Image></OME>'
)


def write_tiff(path: Path | str, data: Tensor, grid: Grid | None) -> None:
    """Write a stack, axes (…, x, y, z) here, (…, z, y, x) on disk, values and type as they are.

    A name that ends in ``.ome.tif`` makes an OME-TIFF with the pixel size in µm; any other ``.tif`` an ImageJ
    hyperstack with unit and spacing. No value is scaled, rounded or clipped. Written atomically, read back
    before it appears; equal stacks give equal files.

    Args:
        path: final name, ending in ``.tif`` or ``.tiff``; its folder must exist.
        data: (x, y, z), (channel, x, y, z) or (time, channel, x, y, z); uint8, uint16, float32, and int16 as OME.
        grid: shape and voxel edges, mm; None where the edges are not known, and then the file states none.

    Raises:
        UsageError: GD-101 for another ending or type, or an ImageJ stack of 4 GiB; GD-103 if data and grid disagree.
        ResourceError: GD-502 to GD-504 if the file cannot be written, GD-506 if it does not read back.

    Example:
        >>> import tempfile
        >>> import torch
        >>> file = Path(tempfile.mkdtemp()) / "cell.tif"
        >>> write_tiff(file, torch.zeros(4, 3, 2), Grid((4, 3, 2), (1e-4, 1e-4, 3e-4)))
        >>> tifffile.imread(file).shape
        (2, 3, 4)
    """
    path = Path(path)
    require_tiff_name(path)
    if not 3 <= data.ndim <= 5 or (grid is not None and tuple(data.shape[-3:]) != grid.shape):
        raise UsageError(
            "GD-103",
            given=f"data of shape {tuple(data.shape)} on a grid of {None if grid is None else grid.shape}",
            allowed="(x, y, z), (channel, x, y, z) or (time, channel, x, y, z) of the grid's shape",
            do="bring both to one grid first",
        )
    values = data.detach().cpu().numpy()
    ome = path.name.endswith(_OME)
    if values.dtype.name not in _NAMES or (values.dtype.name == "int16" and not ome):
        raise _unfit(f"{values.dtype} values", f"{', '.join(_NAMES)} (int16 only as OME-TIFF)")
    if not ome and values.nbytes >= _BIG:
        raise _unfit(f"{values.nbytes} bytes", "less than 4 GiB in an ImageJ file; name it .ome.tif")
    stored = np.ascontiguousarray(values.swapaxes(-1, -3)).reshape(
        (1,) * (5 - data.ndim) + values.shape[:-3] + values.shape[:-4:-1]
    )
    with atomic_file(path) as file:
        handle = tifffile.FileHandle(file, name=path.name, mode="r+b")  # an open file's own name is a number
        (_write_ome if ome else _write_imagej)(handle, stored, grid)
        _check(file, path, stored)


def require_tiff_name(path: Path) -> None:
    """Refuse, before any work, a name that no stack can be written to.

    Args:
        path: the final name.

    Raises:
        UsageError: GD-101 for another ending than ``.tif`` or ``.tiff``.
        ResourceError: GD-503 or GD-504 if no file can appear in that folder.

    Example:
        >>> require_tiff_name(Path("cell.ome.tif"))
    """
    if not path.name.endswith((".tif", ".tiff")):
        raise _unfit(f"the file name {path.name!r}", "a name ending in .tif or .tiff")
    require_place(path)


def _write_ome(file: tifffile.FileHandle, stored: np.ndarray, grid: Grid | None) -> None:
    t, c, z, y, x = stored.shape
    edges = () if grid is None else zip("XYZ", (round(edge * 1e3, 12) for edge in grid.spacing), strict=True)
    sizes = "".join(f' PhysicalSize{axis}="{edge!r}" PhysicalSize{axis}Unit="µm"' for axis, edge in edges)
    channels = "".join(f'<Channel ID="Channel:0:{i}" SamplesPerPixel="1"/>' for i in range(c))
    kind = _NAMES[stored.dtype.name]
    text = _XML.format(kind=kind, x=x, y=y, z=z, c=c, t=t, sizes=sizes, channels=channels)
    tifffile.imwrite(
        file,
        stored.reshape(-1, y, x),
        bigtiff=stored.nbytes >= _BIG - (1 << 25),
        photometric="minisblack",
        description=text.encode(),
        metadata=None,
        software="gradatim",
    )


def _write_imagej(file: tifffile.FileHandle, stored: np.ndarray, grid: Grid | None) -> None:
    resolution: tuple[float, float] | None = None
    metadata: dict[str, object] = {"axes": "TZCYX"}
    if grid is not None:
        dx, dy, dz = (edge * 1e3 for edge in grid.spacing)
        resolution = (1.0 / dx, 1.0 / dy)
        metadata |= {"spacing": round(dz, 12), "unit": "micron"}
    tifffile.imwrite(
        file,
        stored.swapaxes(1, 2),  # ImageJ's order is t, z, c
        imagej=True,
        resolution=resolution,
        metadata=metadata,
        software="gradatim",
    )


def _check(file: BinaryIO, path: Path, stored: np.ndarray) -> None:
    """Read the pages back before the file gets its name."""
    file.flush()
    file.seek(0)
    with tifffile.TiffFile(file, name=path.name, is_ome=False, _multifile=False) as written:
        found = written.asarray()
    expected = stored if path.name.endswith(_OME) else stored.swapaxes(1, 2)
    if found.size != stored.size or not np.array_equal(
        found.reshape(-1).view(np.uint8), np.ascontiguousarray(expected).reshape(-1).view(np.uint8)
    ):
        raise ResourceError(
            "GD-506",
            given=f"{path}: what was written does not read back",
            allowed="a disk that keeps what it is given",
            do="look at the disk, then run again",
        )


def _unfit(given: str, allowed: str) -> UsageError:
    return UsageError("GD-101", given=given, allowed=f"{allowed} in a TIFF file", do="convert it first")
