"""DICOM series as volumes: values, order, orientation, and series that make no regular volume."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless, generate_uid

from gradatim.base.errors import GradatimError, InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.dicom import read_dicom
from gradatim.io.nifti import read_image
from gradatim.io.volume import read_volume
from tests.io.dicom_scene import CANARY, FRAME, OBLIQUE, SERIES, image, lps, ras, save, write_series

SHAPE = (5, 4, 6)
VALUES = np.arange(120).reshape(SHAPE).astype(np.int16) * 7 - 300
PHANTOMS = "data/radiomics/phantoms/ibsi_2_digital_phantom"


def refused(code: str, folder: Path, **settings) -> str:
    with pytest.raises(GradatimError) as caught:
        read_dicom(folder, **settings)
    assert caught.value.code == code
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["orientation", "sphere", "noise", "checkerboard", "impulse", "pattern_2"])
def test_ibsi_phantoms_are_their_nifti_twins_at_the_published_positions(shared: Path, name: str) -> None:
    """Values agree voxel by voxel; the published DICOM files state z = −2k mm for the twin's slice k, at z = +2k mm."""
    twin = read_image(shared / PHANTOMS / "nifti" / name / "image" / f"{name}.nii.gz")
    volume = read_volume(shared / PHANTOMS / "dicom" / name)
    mirrored = np.diag([1.0, 1.0, -1.0, 1.0])
    index = np.indices(volume.grid.shape).reshape(3, -1)
    world = volume.grid.matrix @ np.vstack([index, np.ones(index.shape[1])])
    voxel = np.linalg.inv(twin.grid.matrix) @ mirrored @ world
    assert np.abs(voxel - np.rint(voxel)).max() < 1e-9
    there = tuple(np.rint(voxel[:3]).astype(int))
    assert np.array_equal(volume.data.numpy()[tuple(index)], twin.data.numpy()[there])
    assert volume.unit == "HU"


def test_the_orientation_phantom_is_as_another_reader_has_it(shared: Path) -> None:
    """Numbers of SimpleITK 2.5's series reader: origin (0, 0, −126) mm in LPS, corners, sum, position-weighted sum."""
    volume = read_dicom(shared / PHANTOMS / "dicom" / "orientation")
    values = volume.data.double().numpy()
    weights = np.arange(values.size).reshape(values.shape) % 1009
    assert [values[0, 0, 0], values[-1, 0, 0], values[0, -1, 0], values[0, 0, -1]] == [63, 94, 110, 0]
    assert (values.sum(), (values * weights).sum()) == (6930432, 3488183929)
    assert np.allclose(volume.grid.matrix, [[-2, 0, 0, 0], [0, -2, 0, 0], [0, 0, 2, -126], [0, 0, 0, 1]])


@pytest.mark.parametrize("turn", [None, OBLIQUE, OBLIQUE[:, [2, 0, 1]], OBLIQUE.T])
def test_every_voxel_stays_where_the_header_puts_it(tmp_path: Path, turn) -> None:
    affine = lps((0.5, 0.75, 2.5), (-10, 20, 30.5), turn)
    write_series(tmp_path, VALUES, affine)
    volume = read_dicom(tmp_path)
    assert np.allclose(volume.grid.matrix, ras(affine), atol=1e-5)
    assert np.array_equal(volume.data.numpy(), VALUES)
    assert (volume.oriented, volume.frame_of_reference) == (True, FRAME)


def test_slices_against_the_normal_are_turned_with_their_affine(tmp_path: Path) -> None:
    affine = lps((1, 1, -2), (0, 0, 5))
    write_series(tmp_path, VALUES, affine)
    volume = read_dicom(tmp_path)
    assert np.array_equal(volume.data.numpy(), VALUES[:, :, ::-1])
    assert np.allclose(volume.grid.matrix, ras(lps((1, 1, 2), (0, 0, -5))))


def test_each_slice_has_its_own_slope_and_intercept(tmp_path: Path) -> None:
    for k in range(6):
        save(
            image(VALUES[:, :, k], lps((1, 1, 2)), k, RescaleSlope=0.5 + k, RescaleIntercept=-1024 - k),
            tmp_path / f"{k}",
        )
    expected = VALUES * (0.5 + np.arange(6)) - 1024 - np.arange(6)
    assert np.array_equal(read_dicom(tmp_path).data.numpy(), expected.astype(np.float32))


def test_pet_states_its_unit_and_ct_is_never_without_rescaling(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", VALUES, lps((1, 1, 2)), Modality="PT", Units="BQML")
    assert read_dicom(tmp_path / "pet").unit == "Bq/mL"
    write_series(tmp_path / "ct", VALUES, lps((1, 1, 2)), RescaleSlope=None, RescaleIntercept=None)
    refused("GD-295", tmp_path / "ct")
    write_series(tmp_path / "mr", VALUES, lps((1, 1, 2)), RescaleSlope=None, RescaleIntercept=None, Modality="MR")
    assert torch.equal(read_dicom(tmp_path / "mr").data, torch.from_numpy(VALUES.astype(np.float32)))
    write_series(tmp_path / "zero", VALUES, lps((1, 1, 2)), RescaleSlope=0)
    refused("GD-295", tmp_path / "zero")
    write_series(tmp_path / "table", VALUES, lps((1, 1, 2)), ModalityLUTSequence=[Dataset()])
    refused("GD-295", tmp_path / "table")


@pytest.mark.parametrize(
    ("stated", "unit"), [(None, "HU"), ("HU", "HU"), ("US", "HU"), ("HU_MOD", "HU"), ("Z_EFF", ""), ("EDW", "")]
)
def test_ct_of_another_quantity_is_not_called_hu(tmp_path: Path, stated: str | None, unit: str) -> None:
    write_series(tmp_path, VALUES, lps((1, 1, 2)), **({"RescaleType": stated} if stated else {}))
    assert read_dicom(tmp_path).unit == unit


def test_several_series_are_listed_and_one_is_taken_by_its_identifier(tmp_path: Path) -> None:
    other = generate_uid()
    write_series(tmp_path, VALUES, lps((1, 1, 2)))
    write_series(tmp_path, VALUES[:, :, :3] + 1, lps((1, 1, 2)), series=other)
    said = refused("GD-290", tmp_path)
    assert SERIES in said
    assert "6 files" in said
    assert "3 files" in said
    assert read_dicom(tmp_path, series=other).data.shape == (5, 4, 3)
    with pytest.raises(UsageError, match="GD-146"):
        read_dicom(tmp_path, series="1.2.3")


def test_another_series_without_positions_does_no_harm(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, lps((1, 1, 2)))
    capture = image(VALUES[:, :, 0], lps((1, 1, 2)), 0, series="1.2.3", ImagePositionPatient=None, Modality="OT")
    save(capture, tmp_path / "capture.dcm")
    assert read_dicom(tmp_path, series=SERIES).data.shape == SHAPE
    refused("GD-289", tmp_path, series="1.2.3")


def test_other_files_in_the_folder_are_left_out(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, lps((1, 1, 2)))
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    report = image(VALUES[:, :, 0], lps((1, 1, 2)), 0, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Rows=None)
    save(report, tmp_path / "report.dcm")
    assert read_dicom(tmp_path).data.shape == SHAPE
    (tmp_path / "none").mkdir()
    refused("GD-324", tmp_path / "none")


@pytest.mark.parametrize(
    ("code", "index", "change"),
    [
        ("GD-292", 3, {"ImagePositionPatient": [0, 0, 4]}),
        ("GD-291", 3, {"ImagePositionPatient": [0, 0, 6.5]}),
        ("GD-294", 3, {"ImagePositionPatient": [0, 1, 6]}),
        ("GD-293", 3, {"ImageOrientationPatient": [0, 1, 0, 0, 0, 1]}),
        ("GD-293", 3, {"PixelSpacing": [1, 1.1]}),
        ("GD-293", 3, {"FrameOfReferenceUID": "1.2.3"}),
        ("GD-293", 3, {"Rows": 2, "PixelData": b"\0" * 20}),
        ("GD-209", 3, {"PixelSpacing": [0, 1]}),
        ("GD-209", 3, {"PixelSpacing": [-1, 1]}),
        ("GD-289", 3, {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}),
        ("GD-289", 3, {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}),
        ("GD-289", 3, {"ImagePositionPatient": None}),
        ("GD-295", 3, {"SamplesPerPixel": 3}),
    ],
)
def test_one_slice_out_of_line_refuses_the_series(tmp_path: Path, code: str, index: int, change: dict) -> None:
    for k in range(6):
        save(image(VALUES[:, :, k], lps((1, 1, 2)), k, **(change if k == index else {})), tmp_path / f"{k}.dcm")
    refused(code, tmp_path)


def test_a_missing_slice_is_named_by_its_place(tmp_path: Path) -> None:
    for k in (0, 1, 2, 4, 5):
        save(image(VALUES[:, :, k], lps((1, 1, 2)), k), tmp_path / f"{k}.dcm")
    assert "4 to 8 mm" in refused("GD-291", tmp_path)


def test_gantry_tilt_is_refused_with_its_angle(tmp_path: Path) -> None:
    affine = lps((1, 1, 2))
    affine[1, 2] = 2 * np.tan(np.radians(12))
    for k in range(6):
        save(image(VALUES[:, :, k], affine, k), tmp_path / f"{k}.dcm")
    assert "12°" in refused("GD-294", tmp_path)


def test_positions_rounded_to_a_hundredth_are_even(tmp_path: Path) -> None:
    for k in range(6):
        place = [0, 0, round(0.6667 * k, 2)]
        save(image(VALUES[:, :, k], lps((1, 1, 0.6667)), k, ImagePositionPatient=place), tmp_path / f"{k}.dcm")
    assert read_dicom(tmp_path).grid.spacing[2] == pytest.approx(0.6667, abs=0.005)


def test_a_single_slice_has_the_thickness_that_it_states(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES[:, :, :1], lps((1, 1, 3)))
    assert read_dicom(tmp_path).grid == Grid.from_affine((5, 4, 1), ras(lps((1, 1, 3))))
    save(image(VALUES[:, :, 0], lps((1, 1, 3)), 0, SliceThickness=None), next(tmp_path.iterdir()))
    refused("GD-289", tmp_path)


def test_a_multi_frame_file_is_sorted_and_scaled_frame_by_frame(tmp_path: Path) -> None:
    save(enhanced(), tmp_path / "frames.dcm")
    volume = read_dicom(tmp_path / "frames.dcm")
    assert np.array_equal(volume.data.numpy(), VALUES * (1 + np.arange(6)))
    assert np.allclose(volume.grid.matrix, ras(lps((1, 1, 2), turn=OBLIQUE)))
    broken = enhanced()
    broken.NumberOfFrames = 5
    save(broken, tmp_path / "frames.dcm")
    refused("GD-289", tmp_path / "frames.dcm")


def enhanced() -> Dataset:
    """All slices in one file, the last first, each with its slope."""
    affine, order = lps((1, 1, 2), turn=OBLIQUE), [5, 2, 0, 1, 4, 3]
    made = image(VALUES[:, :, 0], affine, 0, SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", NumberOfFrames=6)
    shared_part, plane, measure = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = made.ImageOrientationPatient
    measure.PixelSpacing, measure.SliceThickness = made.PixelSpacing, 2
    shared_part.PlaneOrientationSequence, shared_part.PixelMeasuresSequence = [plane], [measure]
    made.SharedFunctionalGroupsSequence, made.PerFrameFunctionalGroupsSequence = [shared_part], []
    for k in order:
        frame, position, line = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = np.round(affine[:3, 2] * k, 6).tolist()
        line.RescaleSlope, line.RescaleIntercept, line.RescaleType = 1 + k, 0, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [line]
        made.PerFrameFunctionalGroupsSequence.append(frame)
    for key in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(made, key)
    made.PixelData = b"".join(np.ascontiguousarray(VALUES[:, :, k].T).tobytes() for k in order)
    return made


def test_run_length_pixels_are_unpacked(tmp_path: Path) -> None:
    for k in range(6):
        made = image(VALUES[:, :, k], lps((1, 1, 2)), k)
        made.compress(RLELossless, generate_instance_uid=False)
        save(made, tmp_path / f"{k}.dcm")
    assert np.array_equal(read_dicom(tmp_path).data.numpy(), VALUES)


def test_pixels_without_a_decoder_say_what_to_install(tmp_path: Path) -> None:
    made = image(VALUES[:, :, 0], lps((1, 1, 2)), 0)
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0abcd\xfe\xff\xdd\xe0\0\0\0\0"
    made["PixelData"].is_undefined_length = True
    save(made, tmp_path / "a.dcm")
    assert "pip install python-gdcm" in refused("GD-501", tmp_path)


def test_a_volume_beyond_the_budget_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, lps((1, 1, 2)))
    refused("GD-505", tmp_path, budget_bytes=400)


def test_no_element_that_names_the_patient_reaches_the_volume(tmp_path: Path) -> None:
    write_series(tmp_path / "series", VALUES, lps((1, 1, 2)))
    assert CANARY not in repr(read_volume(tmp_path / "series"))


def test_a_series_beside_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_text("NRRD0001\n")
    with pytest.raises(UsageError, match="GD-146"):
        read_volume(tmp_path / "a.nrrd", series="1.2")
    with pytest.raises(InputError, match="GD-222"):
        read_volume(tmp_path / "none.nii")


def test_without_pydicom_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path, VALUES, lps((1, 1, 2)))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert "pip install 'gradatim[dicom]'" in refused("GD-501", tmp_path)
