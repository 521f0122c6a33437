"""Right answers from right files, with nibabel as the other reader, and the four purposes of reading."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from gradatim.base.errors import GradatimError, UsageError
from gradatim.base.findings import Severity
from gradatim.base.grid import Grid
from gradatim.io.nifti import read_complex, read_image, read_labels, read_mask, read_nifti
from gradatim.io.nifti_write import write_nifti

GRID = Grid((3, 4, 5), (1.0, 2.0, 3.0))


def image(kind: type, affine: np.ndarray, shape: tuple[int, ...] = (3, 4, 5), dtype: str = "i2"):
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return kind(values, affine, dtype=values.dtype)


def oblique() -> np.ndarray:
    a, b = 0.3, 0.5
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn * [0.5, 0.75, 2.0]
    affine[:3, 3] = [-90, 20, 5]
    return affine


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_every_real_type_of_both_orders_and_versions(
    tmp_path: Path, kind: type, dtype: str, order: str, ending: str
) -> None:
    values = np.arange(60).reshape(3, 4, 5).astype(order + dtype)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(values.dtype)
    nibabel.save(kind(values, oblique(), header), tmp_path / f"a{ending}")
    ours = read_image(tmp_path / f"a{ending}")
    assert torch.equal(ours.data, torch.arange(60.0).reshape(3, 4, 5))
    np.testing.assert_allclose(ours.grid.matrix, oblique(), rtol=1e-6, atol=1e-6)
    assert ours.header.dtype.str.replace("|", order) == order + dtype


def test_slope_and_intercept_are_applied_as_the_other_reader_does(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(6, 6, 6)) * 1000
    stored = nibabel.Nifti1Image(values, np.eye(4))
    stored.set_data_dtype(np.int16)
    nibabel.save(stored, tmp_path / "a.nii")
    ours, theirs = read_image(tmp_path / "a.nii"), nibabel.load(tmp_path / "a.nii")
    np.testing.assert_allclose(ours.data.numpy(), theirs.get_fdata(), rtol=1e-6, atol=1e-6)
    assert ours.header.slope == pytest.approx(theirs.dataobj.slope, rel=1e-12)
    assert ours.header.intercept == pytest.approx(theirs.dataobj.inter, rel=1e-12)


def test_extensions_are_walked_over(tmp_path: Path) -> None:
    stored = image(nibabel.Nifti1Image, np.eye(4))
    for text in (b"first", b"second" * 100):
        stored.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", text))
    nibabel.save(stored, tmp_path / "a.nii.gz")
    assert torch.equal(read_image(tmp_path / "a.nii.gz").data, torch.arange(60.0).reshape(3, 4, 5))


def test_volumes_lead_and_their_spacing_is_in_seconds(tmp_path: Path) -> None:
    stored = image(nibabel.Nifti1Image, np.eye(4), (3, 4, 5, 2))
    stored.header.set_xyzt_units("mm", "msec")
    stored.header["pixdim"][4] = 1500
    nibabel.save(stored, tmp_path / "a.nii")
    ours = read_image(tmp_path / "a.nii")
    assert torch.equal(ours.data, torch.arange(120.0).reshape(3, 4, 5, 2).movedim(-1, 0))
    assert ours.time_spacing == pytest.approx(1.5)
    assert ours.grid.shape == (3, 4, 5)


def test_generic_reading_of_five_dimensions(tmp_path: Path) -> None:
    nibabel.save(image(nibabel.Nifti1Image, np.eye(4), (3, 4, 5, 2, 3)), tmp_path / "a.nii")
    expected = torch.arange(360.0).reshape(3, 4, 5, 2, 3).permute(4, 3, 0, 1, 2)
    assert torch.equal(read_nifti(tmp_path / "a.nii").data, expected)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1e-3), ("mm", 1.0), ("micron", 1e3), ("unknown", 1.0)])
def test_lengths_become_mm(tmp_path: Path, unit: str, factor: float) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0]) * factor
    affine[3, 3] = 1
    stored = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.float32), affine)
    stored.header.set_xyzt_units(unit)
    stored.set_qform(affine, 1)
    nibabel.save(stored, tmp_path / "a.nii")
    ours = read_image(tmp_path / "a.nii")
    assert ours.grid.spacing == pytest.approx((2.0, 3.0, 4.0), rel=1e-6)
    codes = [(n.code, n.severity) for n in ours.notes]
    assert codes == ([] if factor == 1.0 else [("GD-219", Severity.NOTE)])


def test_a_name_that_lies_about_compression_is_a_warning(tmp_path: Path) -> None:
    nibabel.save(image(nibabel.Nifti1Image, np.eye(4)), tmp_path / "a.nii")
    (tmp_path / "a.nii").rename(tmp_path / "b.nii.gz")
    assert [n.code for n in read_image(tmp_path / "b.nii.gz").notes] == ["GD-223"]


def test_thick_slices_are_a_warning(tmp_path: Path) -> None:
    nibabel.save(image(nibabel.Nifti1Image, np.diag([0.4, 0.4, 5.0, 1])), tmp_path / "a.nii")
    assert [n.code for n in read_image(tmp_path / "a.nii").notes] == ["GD-210"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([-1.0, 1.0], "GD-218"),
        ([0.5, 1.0], "GD-218"),
        ([65536.0, 0.0], "GD-218"),
        ([np.nan, 0.0], "GD-218"),
        ([np.inf, 0], "GD-218"),
    ],
)
def test_what_are_no_labels(tmp_path: Path, values: list[float], code: str) -> None:
    nibabel.save(nibabel.Nifti1Image(np.array(values).reshape(2, 1, 1), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(GradatimError) as caught:
        read_labels(tmp_path / "a.nii")
    assert caught.value.code == code


def test_labels_kept_as_scaled_or_floating_numbers_are_labels(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.array([0.0, 3.0]).reshape(2, 1, 1, 1), np.eye(4)), tmp_path / "a.nii")
    assert read_labels(tmp_path / "a.nii").data.flatten().tolist() == [0, 3]


@pytest.mark.parametrize(
    ("values", "code"), [([0, 0], "GD-601"), ([1, 1], "GD-602"), ([1, 2], "GD-224"), ([0, -1], "GD-218")]
)
def test_what_are_no_masks(tmp_path: Path, values: list[int], code: str) -> None:
    stored = nibabel.Nifti1Image(np.array(values, np.int16).reshape(2, 1, 1), np.eye(4))
    nibabel.save(stored, tmp_path / "a.nii")
    with pytest.raises(GradatimError) as caught:
        read_mask(tmp_path / "a.nii")
    assert caught.value.code == code


def test_a_mask_may_use_any_number(tmp_path: Path) -> None:
    stored = nibabel.Nifti1Image(np.array([0, 255], np.uint8).reshape(2, 1, 1), np.eye(4))
    nibabel.save(stored, tmp_path / "a.nii")
    assert read_mask(tmp_path / "a.nii").data.flatten().tolist() == [False, True]


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (torch.tensor([True, False]), "uint8"),
        (torch.tensor([0, 255]), "uint8"),
        (torch.tensor([-1, 255]), "int16"),
        (torch.tensor([0, 40000]), "uint16"),
        (torch.tensor([0, 70000]), "int32"),
        (torch.tensor([0, 2**40]), "int64"),
        (torch.tensor([0.1, 2.0]), "float32"),
        (torch.tensor([0.1, 2.0], dtype=torch.float64), "float64"),
        (torch.tensor([0.1 + 1j, 2.0]), "complex64"),
    ],
)
def test_the_writer_takes_the_smallest_type_that_loses_nothing(
    tmp_path: Path, values: torch.Tensor, stored: str
) -> None:
    write_nifti(tmp_path / "a.nii", values.reshape(2, 1, 1), Grid((2, 1, 1), (1.0, 1.0, 1.0)))
    theirs = nibabel.load(tmp_path / "a.nii")
    assert theirs.get_data_dtype() == stored
    assert np.array_equal(np.asarray(theirs.dataobj).flatten(), values.numpy())


def test_what_the_writer_says_in_the_header(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", torch.zeros(2, *GRID.shape), GRID, description="field map, Hz")
    header = nibabel.load(tmp_path / "a.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert bytes(header["descrip"]).rstrip(b"\0") == b"field map, Hz"
    assert header.get_data_shape() == (3, 4, 5, 2)


def test_complex_values_survive(tmp_path: Path) -> None:
    values = torch.randn(3, *GRID.shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    write_nifti(tmp_path / "a.nii.gz", values, GRID)
    assert torch.equal(read_complex(tmp_path / "a.nii.gz").data, values)
    write_nifti(tmp_path / "b.nii", values.conj(), GRID)
    assert torch.equal(read_complex(tmp_path / "b.nii").data, values.conj())


@pytest.mark.parametrize(
    ("name", "data", "text", "code"),
    [
        ("a.img", torch.zeros(GRID.shape), "", "GD-101"),
        ("a.nii", torch.zeros(GRID.shape).half(), "", "GD-101"),
        ("a.nii", torch.zeros(GRID.shape).bfloat16(), "", "GD-101"),
        ("a.nii", torch.zeros(GRID.shape), "x" * 80, "GD-101"),
        ("a.nii", torch.zeros(3, 4, 6), "", "GD-103"),
        ("a.nii", torch.zeros(2, 2, *GRID.shape), "", "GD-103"),
    ],
)
def test_what_the_writer_refuses(tmp_path: Path, name: str, data: torch.Tensor, text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_nifti(tmp_path / name, data, GRID, description=text)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.nii.gz"
    write_nifti(path, torch.ones(GRID.shape), GRID)
    monkeypatch.setattr("gradatim.io.nifti_write.orient", lambda header, *, frame: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_nifti(path, torch.zeros(GRID.shape), GRID)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]
    assert read_image(path).data.sum() == 60


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    path = str(tmp_path / "a.nii.gz")
    values = torch.zeros(GRID.shape, dtype=torch.int16)
    values[1, 2, 3] = 1
    write_nifti(path, values, GRID)
    assert read_image(path).data.sum() == read_labels(path).data.sum() == read_mask(path).data.sum() == 1
