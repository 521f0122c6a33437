"""Diffusion series from files: FSL's convention, units, and every mix-up that people make."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.io.diffusion import (
    array_directions,
    load_diffusion,
    read_b_matrices,
    read_diffusion,
    read_diffusion_matrices,
    write_b_matrices,
)
from gradatim.io.nifti_write import write_nifti

GRID = Grid((3, 4, 2), (2.0, 2.0, 3.0))
MIRRORED = Grid(
    (3, 4, 2),
    (2.0, 2.0, 3.0),
    ((-2.0, 0.0, 0.0, 0.0), (0.0, 2.0, 0.0, 0.0), (0.0, 0.0, 3.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
)
HALF = 0.5**0.5
BVAL = "0 1000 1000 2000"
BVEC = f"0 1 0 {HALF}\n0 0 1 {HALF}\n0 0 0 0"


def files(folder: Path, *, bval: str = BVAL, bvec: str = BVEC, grid: Grid = GRID, volumes: int = 4) -> tuple[Path, ...]:
    data = torch.arange(1.0, volumes + 1).reshape(-1, 1, 1, 1).expand(-1, *grid.shape)
    write_nifti(folder / "dwi.nii.gz", data, grid)
    (folder / "dwi.bval").write_text(bval)
    (folder / "dwi.bvec").write_text(bvec)
    return folder / "dwi.nii.gz", folder / "dwi.bval", folder / "dwi.bvec"


def outer(g: list[float], b: float) -> Tensor:
    vector = torch.tensor(g, dtype=torch.float64)
    return b * vector[:, None] * vector


@pytest.mark.parametrize(("grid", "sign"), [(GRID, -1.0), (MIRRORED, 1.0)])
def test_x_is_mirrored_where_the_affine_is_right_handed(grid: Grid, sign: float, tmp_path: Path) -> None:
    series = read_diffusion(*files(tmp_path, grid=grid))
    torch.testing.assert_close(series.b[3], outer([sign * HALF, HALF, 0.0], 2e9))
    assert series.weighting.tolist() == pytest.approx([0.0, 1e9, 1e9, 2e9])
    assert series.signal[:, 0, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert bool(series.mask.all())


def test_rows_and_columns_are_the_same(tmp_path: Path) -> None:
    turned = "\n".join(" ".join(row) for row in zip(*(line.split() for line in BVEC.splitlines()), strict=True))
    whole = read_diffusion(*files(tmp_path))
    again = read_diffusion(*files(tmp_path, bvec=turned, bval=BVAL.replace(" ", "\n")))
    assert torch.equal(whole.b, again.b)


def test_no_direction_is_none_at_a_small_weighting_and_refused_at_a_large_one(tmp_path: Path) -> None:
    loaded = load_diffusion(*files(tmp_path, bval="5 1000 1000 2000", bvec=BVEC.replace("0 1 0", "nan 1 0", 1)
                                   .replace("0 0 1", "nan 0 1", 1).replace("0 0 0 0", "nan 0 0 0")))  # fmt: skip
    assert loaded.series.weighting[0].item() == 0.0
    assert [note.code for note in loaded.notes] == ["GD-259"]
    with pytest.raises(InputError, match="GD-248"):
        read_diffusion(*files(tmp_path, bval="1000 1000 1000 2000"))


def test_a_small_weighting_with_a_direction_keeps_its_value(tmp_path: Path) -> None:
    series = read_diffusion(*files(tmp_path, bval="5 1000 1000 2000", bvec=f"0 1 0 {HALF}\n1 0 1 {HALF}\n0 0 0 0"))
    assert series.weighting[0].item() == pytest.approx(5e6)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bval": "0 1000 2000"}, "GD-247"),
        ({"bval": "0 1000 1000 2000 3000"}, "GD-247"),
        ({"volumes": 5}, "GD-247"),
        ({"bval": BVEC, "bvec": BVAL}, "GD-247"),
        ({"bval": "0 1000 1000 -5"}, "GD-841"),
        ({"bval": "0 1000 nan 2000"}, "GD-841"),
        ({"bval": "0 1e9 1e9 2e9"}, "GD-249"),
        ({"bval": "0 1 1 2"}, "GD-249"),
        ({"bval": "0 1000 b 2000"}, "GD-246"),
        ({"bval": ""}, "GD-246"),
        ({"bvec": BVEC.replace("1 0 0", "0.7 0 0", 1).replace("0 1 0", "0 0.7 0", 1)}, "GD-248"),
        ({"bvec": "0 1 0 nan\n0 0 1 1\n0 0 0 0"}, "GD-248"),
    ],
)
def test_mixed_up_weightings_are_refused(change: dict, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=code):
        read_diffusion(*files(tmp_path, **change))


def test_missing_files_and_pictures_are_refused(tmp_path: Path) -> None:
    image, bval, bvec = files(tmp_path)
    with pytest.raises(InputError, match="GD-222"):
        read_diffusion(image, tmp_path / "none.bval", bvec)
    with pytest.raises(InputError, match="GD-246"):
        read_diffusion(image, image, bvec)
    write_nifti(tmp_path / "one.nii", torch.ones(GRID.shape), GRID)
    with pytest.raises(InputError, match="GD-215"):
        read_diffusion(tmp_path / "one.nii", bval, bvec)
    write_nifti(tmp_path / "dark.nii", torch.zeros(4, *GRID.shape), GRID)
    with pytest.raises(InputError, match="GD-843"):
        read_diffusion(tmp_path / "dark.nii", bval, bvec)


def test_a_mask_is_taken_from_its_own_grid_only(tmp_path: Path) -> None:
    names = files(tmp_path)
    inside = torch.zeros(GRID.shape, dtype=torch.bool)
    inside[1, 2, 1] = True
    write_nifti(tmp_path / "mask.nii", inside, GRID)
    assert torch.equal(read_diffusion(*names, mask=tmp_path / "mask.nii").mask, inside)
    write_nifti(tmp_path / "other.nii", inside, MIRRORED)
    with pytest.raises(InputError, match="GD-311"):
        read_diffusion(*names, mask=tmp_path / "other.nii")


def test_b_matrices_read_back_bit_by_bit(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    q = torch.randn(4, 3, 3, generator=random, dtype=torch.float64)
    b = 1e9 * q @ q.mT
    b = 0.5 * (b + b.mT)
    write_b_matrices(tmp_path / "b.txt", b)
    torch.testing.assert_close(read_b_matrices(tmp_path / "b.txt"), b, rtol=1e-15, atol=0.0)
    series = read_diffusion_matrices(files(tmp_path)[0], tmp_path / "b.txt")
    torch.testing.assert_close(series.b, b, rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 4 5 6\n1 2 3", "0 1 0 2 0 0 0 0 0", "nan 0 0 0 0 0", "a b c d e f"])
def test_what_is_no_b_matrix_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text(text)
    with pytest.raises(InputError, match="GD-255"):
        read_b_matrices(tmp_path / "b.txt")


def test_turning_twice_is_nothing() -> None:
    g = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for grid in (GRID, MIRRORED):
        assert torch.equal(array_directions(array_directions(g, grid), grid), g)
