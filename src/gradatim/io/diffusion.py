"""Diffusion series in and out: an image with its weightings, as directions or as whole b-matrices."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.errors import InputError
from gradatim.base.findings import Finding
from gradatim.base.grid import Grid
from gradatim.io.atomic import atomic_file
from gradatim.io.fsl_gradients import PER_SQUARE_MM, read_fsl_gradients
from gradatim.io.nifti import NiftiImage, read_image, read_mask
from gradatim.io.number_text import read_rows


@dataclass(frozen=True, eq=False)
class LoadedDiffusion:
    """A series as it was read.

    Args:
        series: the images with their b-matrices.
        notes: warnings and conversions.
    """

    series: DiffusionSeries
    notes: tuple[Finding, ...]


def read_diffusion(
    image: Path | str, bval: Path | str, bvec: Path | str, *, mask: Path | None = None
) -> DiffusionSeries:
    """Read a diffusion series with the files of FSL, dcm2niix or BIDS.

    B = b·g·gᵀ, s/m², along the array's axes: FSL's directions are along the image's axes, x mirrored where the
    affine's determinant is positive, and are turned back here.

    Args:
        image: NIfTI, volumes last.
        bval: b-values, s/mm².
        bvec: directions, three rows or three columns.
        mask: NIfTI, 0 outside; by default every voxel with signal in some volume.

    Raises:
        InputError: GD-215 unless four-dimensional; GD-247 if volumes and weightings differ in number; GD-311 for a
            mask on another grid; GD-843 for a series without signal; as
            :func:`~gradatim.io.fsl_gradients.read_fsl_gradients`, :func:`~gradatim.io.nifti.read_image` and
            :func:`~gradatim.io.nifti.read_mask`.

    Example:
        >>> import tempfile
        >>> from gradatim.io.nifti_write import write_nifti
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_nifti(folder / "dwi.nii.gz", torch.ones(2, 4, 4, 2), Grid((4, 4, 2), (2.0, 2.0, 2.0)))
        >>> _ = (folder / "dwi.bval").write_text("0 1000")
        >>> _ = (folder / "dwi.bvec").write_text("0 1\\n0 0\\n0 0")
        >>> read_diffusion(folder / "dwi.nii.gz", folder / "dwi.bval", folder / "dwi.bvec").weighting.tolist()
        [0.0, 1000000000.0]
    """
    return load_diffusion(image, bval, bvec, mask=mask).series


def load_diffusion(
    image: Path | str, bval: Path | str, bvec: Path | str, *, mask: Path | None = None
) -> LoadedDiffusion:
    """As :func:`read_diffusion`, with what was noticed on the way.

    Args:
        image: NIfTI, volumes last.
        bval: b-values, s/mm².
        bvec: directions.
        mask: NIfTI, 0 outside.
    """
    found = read_image(image)
    gradients = read_fsl_gradients(Path(bval), Path(bvec))
    direction = array_directions(gradients.direction, found.grid)
    b = gradients.b[:, None, None] * direction[:, :, None] * direction[:, None, :]
    series = _series(found, b, mask, Path(image).name, Path(bval).name)
    return replace(series, notes=found.notes + gradients.notes + series.notes)


def read_diffusion_matrices(image: Path | str, matrices: Path | str, *, mask: Path | None = None) -> DiffusionSeries:
    """Read a diffusion series with a b-matrix a volume, imaging gradients included.

    Args:
        image: NIfTI, volumes last.
        matrices: text, as :func:`read_b_matrices`.
        mask: NIfTI, 0 outside; by default every voxel with signal in some volume.

    Raises:
        InputError: as :func:`read_diffusion` and :func:`read_b_matrices`.
    """
    return load_diffusion_matrices(image, matrices, mask=mask).series


def load_diffusion_matrices(image: Path | str, matrices: Path | str, *, mask: Path | None = None) -> LoadedDiffusion:
    """As :func:`read_diffusion_matrices`, with what was noticed on the way.

    Args:
        image: NIfTI, volumes last.
        matrices: text, as :func:`read_b_matrices`.
        mask: NIfTI, 0 outside.
    """
    found, b = read_image(image), read_b_matrices(Path(matrices))
    series = _series(found, b, mask, Path(image).name, Path(matrices).name)
    return replace(series, notes=found.notes + series.notes)


def array_directions(direction: Tensor, grid: Grid) -> Tensor:
    """FSL's directions along the array's axes: x changes sign where the affine's determinant is positive.

    Args:
        direction: (n, 3), as in a file of FSL.
        grid: of the image.

    Example:
        >>> right_handed = Grid((2, 2, 2), (1.0, 1.0, 1.0))
        >>> array_directions(torch.tensor([[1.0, 2.0, 3.0]]), right_handed).tolist()
        [[-1.0, 2.0, 3.0]]
    """
    matrix = torch.as_tensor(grid.matrix, dtype=torch.float64)[:3, :3]
    sign = -1.0 if float(torch.linalg.det(matrix)) > 0 else 1.0
    return direction * direction.new_tensor([sign, 1.0, 1.0])


def read_b_matrices(path: Path) -> Tensor:
    """b-matrices from text: one row a volume, Bxx Byy Bzz Bxy Bxz Byz in s/mm² along the array's axes, or all nine.

    Args:
        path: the file.

    Returns:
        (n, 3, 3), s/m².

    Raises:
        InputError: GD-222 if it cannot be read; GD-255 unless each row has six or each nine numbers, or a matrix is
            not symmetric; GD-803, when a series is made of them, if a weighting is negative.
    """
    rows = read_rows(path, code="GD-255")
    sizes = {len(row) for row in rows}
    values = torch.tensor(rows, dtype=torch.float64) if sizes in ({6}, {9}) else torch.empty(0, 0)
    if sizes == {6}:
        values = values[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]]
    found = values.reshape(-1, 3, 3) * PER_SQUARE_MM
    if not len(found) or not torch.allclose(found, found.mT, rtol=1e-6, atol=1e-3) or not bool(found.isfinite().all()):
        raise InputError(
            "GD-255",
            given=f"{path.name} with rows of {', '.join(map(str, sorted(sizes)))} numbers",
            allowed="six finite numbers a row (xx yy zz xy xz yz), or the nine of a symmetric matrix, in s/mm²",
            do="write one row a volume",
        )
    return 0.5 * (found + found.mT)


def write_b_matrices(path: Path, b: Tensor) -> None:
    """Write b-matrices as :func:`read_b_matrices` reads them, with all digits.

    Args:
        path: the file; its folder must exist.
        b: (n, 3, 3), s/m².

    Raises:
        ResourceError: GD-502 to GD-504 if it cannot be written.
    """
    places = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    rows = [" ".join(repr(float(each[i, j]) / PER_SQUARE_MM) for i, j in places) for each in b.double()]
    with atomic_file(path) as file:
        file.write(("# Bxx Byy Bzz Bxy Bxz Byz in s/mm^2\n" + "\n".join(rows) + "\n").encode())


def _series(image: NiftiImage, b: Tensor, mask: Path | None, name: str, said: str) -> LoadedDiffusion:
    if image.data.ndim != 4:
        raise InputError(
            "GD-215",
            given=f"{name} with {image.data.ndim} dimensions",
            allowed="four, the volumes last",
            do="give the whole series in one file",
        )
    if len(image.data) != len(b):
        raise InputError(
            "GD-247",
            given=f"{len(image.data)} volumes in {name}, {len(b)} weightings in {said}",
            allowed="one weighting a volume",
            do="give the files of one series",
        )
    inside, notes = _inside(image, mask)
    return LoadedDiffusion(DiffusionSeries(image.data, b, inside, image.grid), notes)


def _inside(image: NiftiImage, mask: Path | None) -> tuple[Tensor, tuple[Finding, ...]]:
    if mask is None:
        inside = image.data.isfinite().all(0) & (image.data > 0).any(0)
        if not bool(inside.any()):
            raise InputError("GD-843", given="a series without signal", allowed="values above 0", do="check the file")
        return inside, ()
    found = read_mask(mask)
    together = image.oriented and found.oriented
    if not (found.grid.same_space(image.grid) if together else found.grid.shape == image.grid.shape):
        raise InputError(
            "GD-311",
            given=f"{mask.name} on a grid of {found.grid.shape}, the series on {image.grid.shape} or turned",
            allowed="a mask on the series' grid",
            do="resample it to the series with nearest neighbours",
        )
    return found.data, found.notes
