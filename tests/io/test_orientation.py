"""Which way the voxels lie, against nibabel's reading of the same header."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradatim.base.errors import InputError
from gradatim.base.findings import Severity
from gradatim.io.nifti import read_image
from gradatim.io.orientation import Frame


def stored(path: Path, sform: np.ndarray | None, qform: np.ndarray | None) -> Path:
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.float32), None)
    if qform is not None:
        image.set_qform(qform, 1)
    if sform is not None:
        image.set_sform(sform, 1)
        if qform is None:
            image.header["pixdim"][1:4] = np.linalg.norm(sform[:3, :3], axis=0)
    nibabel.save(image, path / "a.nii")
    return path / "a.nii"


def turned(degrees: float, *, spacing: tuple[float, ...] = (1.0, 1.5, 2.0)) -> np.ndarray:
    a = np.deg2rad(degrees)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]) * spacing
    return affine


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: abs(q[0]) > 0.01 * np.linalg.norm(q) > 1e-3),
    flip=st.sampled_from([-1.0, 1.0]),
)
def test_the_qform_is_the_other_readers(tmp_path: Path, quaternion: tuple[float, ...], flip: float) -> None:
    rotation = nibabel.quaternions.quat2mat(np.array(quaternion) / np.linalg.norm(quaternion))
    affine = np.eye(4)
    affine[:3, :3] = rotation * [1.0, 1.5, 2.0 * flip]
    affine[:3, 3] = [10, 20, 30]
    path = stored(tmp_path, None, affine)
    np.testing.assert_allclose(read_image(path).grid.matrix, nibabel.load(path).get_qform(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 2, 3)])
def test_half_a_turn_about_any_axis_is_exact(tmp_path: Path, axis: tuple[int, int, int]) -> None:
    unit = np.array(axis) / np.linalg.norm(axis)
    affine = np.eye(4)
    affine[:3, :3] = (2 * np.outer(unit, unit) - np.eye(3)) * [1.0, 1.5, 2.0]
    np.testing.assert_allclose(read_image(stored(tmp_path, None, affine)).grid.matrix, affine, rtol=0, atol=1e-6)


@pytest.mark.parametrize("frame", list(Frame))
def test_one_orientation_is_followed_whichever_is_asked_for(tmp_path: Path, frame: Frame) -> None:
    for forms in ((turned(20), None), (None, turned(20)), (turned(20), turned(20))):
        image = read_image(stored(tmp_path, *forms), frame=frame)
        np.testing.assert_allclose(image.grid.matrix, turned(20), rtol=0, atol=1e-6)
        assert image.oriented
        assert image.notes == ()


@pytest.mark.parametrize(("frame", "degrees"), [(Frame.SFORM, 20), (Frame.QFORM, 0)])
def test_a_contradiction_is_a_warning_that_names_what_is_used(tmp_path: Path, frame: Frame, degrees: float) -> None:
    image = read_image(stored(tmp_path, turned(20), turned(0)), frame=frame)
    np.testing.assert_allclose(image.grid.matrix, turned(degrees), rtol=0, atol=1e-6)
    (note,) = image.notes
    assert (note.code, note.severity) == ("GD-212", Severity.WARN)
    assert f"the {frame.value} is used" in note.what


@pytest.mark.parametrize("sform", [turned(20), turned(0, spacing=(1.0, 1.5, 2.2)), turned(0) @ np.diag([-1, 1, 1, 1])])
def test_a_contradiction_is_refused_where_both_must_agree(tmp_path: Path, sform: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        read_image(stored(tmp_path, sform, turned(0)), frame=Frame.AGREED)
    assert caught.value.code == "GD-212"


def test_half_a_degree_and_a_shift_do_not_change_the_direction_of_b0(tmp_path: Path) -> None:
    assert read_image(stored(tmp_path, turned(0.4), turned(0)), frame=Frame.AGREED).notes == ()
    shifted = turned(0)
    shifted[:3, 3] = 5
    assert [n.code for n in read_image(stored(tmp_path, shifted, turned(0)), frame=Frame.AGREED).notes] == ["GD-212"]


def test_without_orientation_the_edges_remain(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.float32), None)
    image.header["pixdim"][1:4] = [1, 2, 3]
    nibabel.save(image, tmp_path / "a.nii")
    ours = read_image(tmp_path / "a.nii")
    assert not ours.oriented
    assert ours.grid.spacing == (1.0, 2.0, 3.0)
