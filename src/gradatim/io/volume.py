"""One way in for images and for regions, told apart by what the files are: NIfTI, NRRD, DICOM."""

from dataclasses import replace
from pathlib import Path

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.io.byte_source import open_source
from gradatim.io.dicom import read_dicom
from gradatim.io.dicom_elements import element
from gradatim.io.dicom_file import is_dicom, read_dataset
from gradatim.io.dicom_seg import SOP_CLASSES, read_segmentation
from gradatim.io.nifti import read_image, read_labels
from gradatim.io.nrrd import nrrd_data_file, read_nrrd, read_nrrd_labels
from gradatim.io.rtstruct import SOP_CLASS, read_structures
from gradatim.io.volume_nouns import RegionSet, Volume

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".dcm")


def read_volume(path: Path | str, *, series: str = "", budget_bytes: int | None = None) -> Volume:
    """Read one real three-dimensional image.

    Args:
        path: a NIfTI file, an NRRD file, a folder with a DICOM series, or one DICOM file.
        series: SeriesInstanceUID of the wanted series, where a folder holds several.
        budget_bytes: the most bytes the image may unpack to; by default an eighth of the free memory.

    Raises:
        UsageError: GD-146 for a series that a folder does not hold, or beside a file that has none.
        GradatimError: as :func:`~gradatim.io.nifti.read_image`, :func:`~gradatim.io.nrrd.read_nrrd` and
            :func:`~gradatim.io.dicom.read_dicom`; GD-215 unless three-dimensional.

    Example:
        >>> import tempfile, torch
        >>> from gradatim.io.nifti_write import write_nifti
        >>> file = Path(tempfile.mkdtemp()) / "image.nii.gz"
        >>> write_nifti(file, torch.ones(4, 4, 2), Grid((4, 4, 2), (1.0, 1.0, 2.0)))
        >>> read_volume(file).grid.spacing
        (1.0, 1.0, 2.0)
    """
    path = Path(path)
    if path.is_dir() or is_dicom(path):
        return read_dicom(path, series=series, budget_bytes=budget_bytes)
    if series:
        raise UsageError(
            "GD-146",
            given=f"a series beside {path.name}, which is no DICOM",
            allowed="a series of a DICOM folder",
            do="leave the series out",
        )
    if _is_nrrd(path):
        return read_nrrd(path, budget_bytes=budget_bytes)
    image = read_image(path, budget_bytes=budget_bytes)
    if image.data.ndim != 3:
        raise InputError(
            "GD-215",
            given=f"{path.name} with {image.data.ndim} dimensions",
            allowed="one three-dimensional image",
            do="give one volume of it",
        )
    return Volume(image.data, image.grid, image.oriented, "", "", image.notes)


def read_regions(path: Path | str, *, like: Volume, budget_bytes: int | None = None) -> RegionSet:
    """Read regions on the grid of their image; nothing is ever resampled.

    Args:
        path: a label image, NIfTI or NRRD, or a DICOM structure set (RTSTRUCT) or segmentation (SEG).
        like: the image.
        budget_bytes: the most bytes the regions may unpack to; by default an eighth of the free memory.

    Returns:
        Regions in one layer, or in several where structures or segments overlap; all on ``like.grid``.

    Raises:
        InputError: GD-298 for another grid; GD-299 for DICOM files without regions; GD-701 if there is no region.
        GradatimError: as the readers of label images, of
            :func:`~gradatim.io.rtstruct.read_structures` and :func:`~gradatim.io.dicom_seg.read_segmentation`.

    Example:
        >>> import tempfile, torch
        >>> from gradatim.io.nifti_write import write_nifti
        >>> file = Path(tempfile.mkdtemp()) / "image.nii.gz"
        >>> write_nifti(file, torch.ones(4, 4, 2), Grid((4, 4, 2), (1.0, 1.0, 2.0)))
        >>> [layer.present for layer in read_regions(file, like=read_volume(file)).layers]
        [(1,)]
    """
    path = Path(path)
    if is_dicom(path):
        return _dicom_regions(path, like, budget_bytes)
    if _is_nrrd(path):
        image, found = read_nrrd_labels(path, budget_bytes=budget_bytes)
        regions, oriented, notes = found.layers[0], image.oriented, found.notes
    else:
        labels = read_labels(path, budget_bytes=budget_bytes)
        regions, oriented, notes = Regions(labels.data, labels.grid), labels.oriented, labels.notes
    if not bool(regions.labels.any()):
        given = f"{path.name} without a label above 0"
        raise InputError("GD-701", given=given, allowed="one region or more", do="draw a region")
    require_one_grid(regions.grid, like.grid, path.name, oriented=oriented and like.oriented)
    return RegionSet((replace(regions, grid=like.grid),), notes)


def require_one_grid(grid: Grid, image: Grid, name: str, *, oriented: bool) -> None:
    """Refuse regions on another grid than their image's.

    Args:
        grid: the regions' grid.
        image: the image's grid.
        name: how messages call the regions' file.
        oriented: whether both files state an orientation; otherwise sizes and voxel edges must agree.

    Raises:
        InputError: GD-298.
    """
    if oriented and grid.same_space(image):
        return
    alike = all(abs(a - b) <= 1e-3 * b for a, b in zip(grid.spacing, image.spacing, strict=True))
    if not oriented and grid.shape == image.shape and alike:
        return
    if grid.shape != image.shape:
        what = f"{grid.shape} voxels, the image {image.shape}"
    elif not alike:
        what = f"voxel edges {_edges(grid)} mm, the image {_edges(image)} mm"
    else:
        what = "the image's size, at another place or turned"
    raise InputError(
        "GD-298",
        given=f"{name} has {what}",
        allowed="regions on the image's own grid",
        do="give the image that the regions were drawn on, or resample the regions to it with nearest neighbours",
    )


def volume_name(path: Path) -> str:
    """The name of an image without the ending of its format; of a folder, the folder's own.

    Args:
        path: file or folder, which may be ``.``.

    Example:
        >>> volume_name(Path("scan.nii.gz")), volume_name(Path("CT"))
        ('scan', 'CT')
    """
    name = path.resolve().name if path.is_dir() else path.name
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def sidecar_beside(path: Path) -> Path:
    """Where a JSON file that speaks of an image lies, if there is one.

    Args:
        path: the image's file or folder.

    Example:
        >>> sidecar_beside(Path("scan.nii.gz")).name
        'scan.json'
    """
    return path.parent / f"{volume_name(path)}.json"


def image_data_file(path: Path) -> Path | None:
    """The file beside a header that holds its image; None where header and image are one file.

    Args:
        path: a readable file.

    Raises:
        GradatimError: as :func:`~gradatim.io.nrrd.read_nrrd` for its header.
    """
    return nrrd_data_file(path) if _is_nrrd(path) else None


def _is_nrrd(path: Path) -> bool:
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        return True
    with open_source(path) as source:
        return source.file.read(4) == b"NRRD"


def _dicom_regions(path: Path, like: Volume, budget_bytes: int | None) -> RegionSet:
    kind = str(element(read_dataset(path, pixels=False), "SOPClassUID", path.name))
    if kind == SOP_CLASS:
        return read_structures(path, like=like, budget_bytes=budget_bytes)
    if kind in SOP_CLASSES:
        return read_segmentation(path, like=like, budget_bytes=budget_bytes)
    raise InputError(
        "GD-299",
        given=f"{path.name} is a DICOM file without regions",
        allowed="a structure set (RTSTRUCT) or a segmentation (SEG)",
        do="give the file that holds the regions",
    )


def _edges(grid: Grid) -> str:
    return "×".join(f"{edge:g}" for edge in grid.spacing)
