"""One way in and out for pictures, stacks and volumes: axes, grids and bit depth come back."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.any_image import read_any, write_any
from gradatim.io.nifti import read_image
from gradatim.io.nifti_write import write_nifti
from gradatim.io.picture import Picture, read_picture
from gradatim.io.picture_write import write_picture
from gradatim.io.tiff import read_tiff
from gradatim.io.tiff_write import write_tiff

GRID = Grid(
    (6, 5, 4),
    (1.0, 0.5, 2.0),
    ((0.0, -0.5, 0.0, 7.0), (1.0, 0.0, 0.0, -3.0), (0.0, 0.0, 2.0, 1.0), (0.0, 0.0, 0.0, 1.0)),
)


def test_a_picture_keeps_depth_and_opacity(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(torch.full((3, 4, 5), 9.0), 8, torch.arange(20.0).view(4, 5)))
    image = read_any(tmp_path / "a.png")
    assert (image.family, image.spacing, image.shape) == ("picture", (1.0, 1.0), (4, 5))
    assert write_any(tmp_path / "b.png", image.data + 1.0, image) == ()
    found = read_picture(tmp_path / "b.png")
    assert found.data.unique().tolist() == [10.0]
    assert found.alpha is not None
    assert torch.equal(found.alpha, torch.arange(20.0).view(4, 5))


def test_a_larger_picture_has_its_opacity_enlarged(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(torch.zeros(2, 2), 8, torch.tensor([[0.0, 50.0], [100.0, 255.0]])))
    image = read_any(tmp_path / "a.png")
    write_any(tmp_path / "b.png", torch.zeros(4, 6), image)
    alpha = read_picture(tmp_path / "b.png").alpha
    assert alpha is not None
    assert alpha[:, 0].tolist() == [0.0, 0.0, 100.0, 100.0]
    assert alpha[0].tolist() == [0.0, 0.0, 0.0, 50.0, 50.0, 50.0]


def test_a_volume_keeps_its_grid_and_a_finer_one_its_field_of_view(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", torch.rand(GRID.shape), GRID)
    image = read_any(tmp_path / "a.nii.gz")
    assert image.spacing == pytest.approx(GRID.spacing)
    write_any(tmp_path / "b.nii.gz", image.data - 5.0, image)
    assert read_image(tmp_path / "b.nii.gz").grid.same_space(GRID)
    write_any(tmp_path / "c.nii.gz", torch.zeros(12, 10, 4), image)
    fine = read_image(tmp_path / "c.nii.gz").grid
    corner = torch.tensor([-0.5, -0.5, -0.5, 1.0]).double().numpy()
    far = torch.tensor([11.5, 9.5, 3.5, 1.0]).double().numpy()
    old = torch.tensor([5.5, 4.5, 3.5, 1.0]).double().numpy()
    assert fine.matrix @ corner == pytest.approx(GRID.matrix @ corner, abs=1e-5)
    assert fine.matrix @ far == pytest.approx(GRID.matrix @ old, abs=1e-5)


def test_a_stack_comes_back_unclipped(tmp_path: Path) -> None:
    grid = Grid((6, 5, 4), (1e-4, 1e-4, 3e-4))
    write_tiff(tmp_path / "a.ome.tif", torch.full(grid.shape, 100.0).to(torch.uint16), grid)
    image = read_any(tmp_path / "a.ome.tif")
    assert image.family == "TIFF stack"
    write_any(tmp_path / "b.ome.tif", image.data - 100.5, image)
    found = read_tiff(tmp_path / "b.ome.tif")
    assert found.data.unique().tolist() == [-0.5]
    assert found.grid.spacing == pytest.approx(grid.spacing)


def test_a_single_plane_has_two_axes(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", torch.rand(6, 5, 1), Grid((6, 5, 1), (1.0, 1.0, 3.0)))
    image = read_any(tmp_path / "a.nii")
    assert image.shape == (5, 6)
    write_any(tmp_path / "b.nii", image.data, image)
    assert read_image(tmp_path / "b.nii").grid.spacing == (1.0, 1.0, 3.0)
    assert torch.equal(read_image(tmp_path / "b.nii").data, read_image(tmp_path / "a.nii").data)


def test_a_plane_has_the_rows_and_columns_of_a_picture(tmp_path: Path) -> None:
    shown = torch.arange(20.0).view(4, 5)
    write_picture(tmp_path / "a.png", Picture(shown, 8))
    tifffile.imwrite(tmp_path / "a.tif", shown.byte().numpy(), photometric="minisblack", metadata=None)
    picture, plane = read_any(tmp_path / "a.png"), read_any(tmp_path / "a.tif")
    assert torch.equal(picture.data, plane.data)
    assert picture.spacing == plane.spacing
    write_any(tmp_path / "b.tif", plane.data, plane)
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), shown.numpy())


def test_the_edges_of_a_plane_go_with_its_rows_and_columns(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", torch.zeros(6, 5, 1), Grid((6, 5, 1), (1e-4, 3e-4, 1e-4)))
    plane = read_any(tmp_path / "a.tif")
    assert plane.spacing == pytest.approx((3e-4, 1e-4))
    write_any(tmp_path / "b.tif", torch.zeros(10, 6), plane)
    assert read_tiff(tmp_path / "b.tif").grid.spacing == pytest.approx((1e-4, 1.5e-4, 1e-4))


@pytest.mark.parametrize("name", ["b.tif", "b.ome.tif"])
def test_no_pixel_size_is_made_up(tmp_path: Path, name: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4, 5), np.uint16), photometric="minisblack", metadata=None)
    stack = read_any(tmp_path / "a.tif")
    assert stack.spacing == (1.0, 1.0, 1.0)
    assert [note.code for note in stack.notes] == ["GD-283"]
    write_any(tmp_path / name, torch.zeros(10, 8, 6), stack)
    found = read_tiff(tmp_path / name)
    assert found.spacing == (None, None, None)
    assert found.data.shape == (10, 8, 6)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(torch.zeros(4, 4), 8))
    image = read_any(tmp_path / "a.png")
    with pytest.raises(UsageError, match="GD-101"):
        write_any(tmp_path / "b.nii", image.data, image)
    (tmp_path / "c.bin").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="GD-270"):
        read_any(tmp_path / "c.bin")
    with pytest.raises(InputError, match="GD-222"):
        read_any(tmp_path / "no.png")
