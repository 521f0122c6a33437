"""An image of any kind that is read here, picture, volume or stack, and the same kind written back."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.io.atomic import require_place
from gradatim.io.byte_source import open_source
from gradatim.io.nifti import NiftiImage, read_image
from gradatim.io.nifti_write import write_nifti
from gradatim.io.picture import ENDINGS, Picture, read_picture
from gradatim.io.picture_write import write_picture
from gradatim.io.tiff import TiffImage, read_tiff
from gradatim.io.tiff_write import write_tiff

_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PICTURE_MARKS = (b"\x89PNG", b"\xff\xd8\xff")
_FAMILIES = {
    "picture": tuple(ending for endings in ENDINGS.values() for ending in endings),
    "TIFF stack": (".tif", ".tiff"),
    "NIfTI image": (".nii", ".nii.gz"),
}


@dataclass(frozen=True, eq=False)
class AnyImage:
    """An image with its spatial axes last.

    Args:
        data: (..., row, column) of a picture or a single plane, whose rows are y and columns x; (..., x, y, z) of a
            volume; channels, echoes or times lead; float32, values as stored.
        spacing: edges of a pixel or voxel, mm, one a spatial axis, in that order; 1 each for a picture or a TIFF file
            that states none.
        source: what the reader gave: it knows bit depth, opacity, grid.
        notes: warnings and conversions.
    """

    data: Tensor
    spacing: tuple[float, ...]
    source: Picture | NiftiImage | TiffImage
    notes: tuple[Finding, ...] = ()

    @property
    def family(self) -> str:
        """What kind of file it came from, in words."""
        kinds = {Picture: "picture", TiffImage: "TIFF stack", NiftiImage: "NIfTI image"}
        return kinds[type(self.source)]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the spatial axes."""
        return tuple(self.data.shape[self.data.ndim - len(self.spacing) :])


def read_any(path: Path | str, *, budget_bytes: int | None = None) -> AnyImage:
    """Read a PNG, JPEG, TIFF or NIfTI file; which it is, its first bytes say.

    Args:
        path: the file.
        budget_bytes: the most bytes the image may unpack to; by default an eighth of the free memory.

    Raises:
        GradatimError: as :func:`~gradatim.io.picture.read_picture`, :func:`~gradatim.io.tiff.read_tiff` and
            :func:`~gradatim.io.nifti.read_image`, to which everything else goes; GD-270 for a file that is nothing
            of the three by content and by name.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> _ = write_picture(file, Picture(torch.zeros(3, 4, 5), 8))
        >>> read_any(file).family, read_any(file).shape
        ('picture', (4, 5))
    """
    path = Path(path)
    with open_source(path) as opened:
        mark = opened.file.read(4)
    if mark in _TIFF_MARKS:
        return _stack(read_tiff(path, budget_bytes=budget_bytes))
    if mark.startswith(_PICTURE_MARKS) or not path.name.endswith(_FAMILIES["NIfTI image"]):
        picture = read_picture(path, budget_bytes=budget_bytes)
        return AnyImage(picture.data, (1.0, 1.0), picture, picture.notes)
    volume = read_image(path, budget_bytes=budget_bytes)
    return _flat(AnyImage(volume.data, volume.grid.spacing, volume, volume.notes))


def require_writable(path: Path | str, like: AnyImage) -> None:
    """Refuse, before any work, a name that the image cannot be written to.

    Args:
        path: the final name.
        like: what the image is made from.

    Raises:
        UsageError: GD-101 if the ending is not of the image's family, or cannot hold its bit depth.
        ResourceError: GD-503 or GD-504 if no file can appear in that folder.

    Example:
        >>> require_writable("b.jpg", AnyImage(torch.zeros(4, 4), (1.0, 1.0), Picture(torch.zeros(4, 4), 8)))
    """
    path, source = Path(path), like.source
    name = path.name.lower() if isinstance(source, Picture) else path.name  # as their readers and writers do
    if not name.endswith(_FAMILIES[like.family]):
        raise UsageError(
            "GD-101",
            given=f"{path.name!r} for what came from a {like.family}",
            allowed=f"a name ending in {', '.join(_FAMILIES[like.family])}",
            do="keep the kind of file; grid and bit depth cannot be carried over",
        )
    if isinstance(source, Picture) and source.bits == 16 and not name.endswith(ENDINGS["PNG"]):
        raise UsageError("GD-101", given=f"16 bits for {path.name!r}", allowed="16 bits as .png", do="name it .png")
    require_place(path)


def write_any(path: Path | str, data: Tensor, like: AnyImage) -> tuple[Finding, ...]:
    """Write an image to the kind of file that it was made from.

    Pictures keep their bit depth, opacity and profile, and say what did not fit. TIFF and NIfTI get float32, unclipped.
    If ``data`` has other sizes than the image it was made from, it covers the same field of view: the spacing changes.

    Args:
        path: final name; its ending must be of the same family.
        data: axes as ``like.data``.
        like: what it was made from.

    Returns:
        What was lost, as :func:`~gradatim.io.picture_write.write_picture` says it.

    Raises:
        UsageError: GD-101 for an ending of another family; GD-103 for other axes.
        ResourceError: GD-502 to GD-506 if the file cannot be written.
    """
    require_writable(path, like)
    space = tuple(data.shape[data.ndim - len(like.spacing) :])
    if isinstance(like.source, Picture):
        alpha = like.source.alpha
        if alpha is not None and space != tuple(alpha.shape):
            places = (torch.arange(n) * o // n for n, o in zip(space, alpha.shape, strict=True))
            alpha = alpha[tuple(torch.meshgrid(*places, indexing="ij"))]
        return write_picture(path, replace(like.source, data=data, alpha=alpha))
    flat = len(like.spacing) == 2
    shape = (*space[::-1], 1) if flat else space
    volume = (data.transpose(-1, -2).unsqueeze(-1) if flat else data).to(torch.float32)
    if isinstance(like.source, TiffImage):
        write_tiff(path, volume, _resized(like.source.grid, shape) if any(like.source.spacing) else None)
    else:
        write_nifti(path, volume, _resized(like.source.grid, shape))
    return ()


def _stack(stack: TiffImage) -> AnyImage:
    """A stack on its grid; where the file states no edge at all, they are taken to be equal, and that is said."""
    if any(stack.spacing):
        return _flat(AnyImage(stack.data, stack.grid.spacing, stack))
    image = _flat(AnyImage(stack.data, (1.0, 1.0, 1.0), stack))
    if len(image.spacing) == 2:
        return image
    what = f"{stack.name} states no pixel size; its voxels are taken for cubes with an edge of 1"
    fix = "export it as OME-TIFF with physical sizes if planes lie further apart than pixels"
    return replace(image, notes=(Finding("GD-283", Severity.WARN, stack.name, what, "a size along each axis", fix),))


def _flat(image: AnyImage) -> AnyImage:
    """A volume of one plane as an image of rows and columns, as a picture is: a mask or a kernel fits both."""
    if image.data.shape[-1] != 1:
        return image
    x, y, _ = image.spacing
    return replace(image, data=image.data.squeeze(-1).transpose(-1, -2).contiguous(), spacing=(y, x))


def _resized(grid: Grid, shape: tuple[int, ...]) -> Grid:
    """Another number of voxels over the same field of view."""
    ratios = np.array([old / new for old, new in zip(grid.shape, shape, strict=True)])
    affine = grid.matrix.copy()
    affine[:3, 3] += affine[:3, :3] @ (0.5 * ratios - 0.5)
    affine[:3, :3] *= ratios
    x, y, z = shape
    return Grid.from_affine((x, y, z), affine)
