"""What crafted and damaged DICOM files get: a code, never a traceback, and nothing of the patient in it."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGBaseline8Bit

from gradatim.base.errors import GradatimError
from gradatim.io.dicom import read_dicom
from gradatim.io.volume import read_regions, read_volume
from tests.io.dicom_scene import CANARY, circle, image, lps, save, segmentation, structure_set, write_series

VALUES = np.arange(120).reshape(5, 4, 6).astype(np.int16)
AFFINE = lps((1, 1, 2))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A sound series; tests spoil its first file."""
    write_series(tmp_path / "series", VALUES, AFFINE)
    return tmp_path / "series"


def first(folder: Path) -> Path:
    return min(folder.iterdir())


def refused(code: str, folder: Path, **settings) -> None:
    with pytest.raises(GradatimError) as caught:
        read_dicom(folder, **settings)
    assert caught.value.code == code
    assert CANARY not in str(caught.value)


def spoilt(series: Path, **elements) -> Path:
    save(image(VALUES[:, :, 5], AFFINE, 5, **elements), first(series))
    return series


@pytest.mark.parametrize("keep", [140, 200, 300, 500, 800, -1, -20])
def test_a_cut_file_is_refused(series: Path, keep: int) -> None:
    content = first(series).read_bytes()
    first(series).write_bytes(content[:keep])
    refused("GD-289", series)


@pytest.mark.parametrize(
    ("code", "elements"),
    [
        ("GD-289", {"Rows": 0}),
        ("GD-289", {"Rows": None}),
        ("GD-293", {"Rows": 65535, "Columns": 65535}),
        ("GD-289", {"NumberOfFrames": 7}),
        ("GD-289", {"BitsAllocated": 13}),
        ("GD-289", {"PixelRepresentation": None}),
        ("GD-289", {"PixelData": b"\0" * 10}),
        ("GD-289", {"PixelData": None}),
        ("GD-289", {"RescaleSlope": [1, 2]}),
        ("GD-289", {"ImagePositionPatient": [0, 0]}),
        ("GD-289", {"PixelSpacing": [1]}),
        ("GD-289", {"ImageOrientationPatient": [1, 0, 0, 0, 1, "0.5"]}),
    ],
)
def test_elements_that_cannot_be_true(series: Path, code: str, elements: dict) -> None:
    refused(code, spoilt(series, **elements))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"DS\x04\x002.0 ", b"DS\x04\x00xyz "),
        (b"DS\x04\x002.0 ", b"DS\xff\xff2.0 "),
        (b"OW\0\0\x28\0\0\0", b"OW\0\0\xff\xff\xff\xff"),
        (b"US\x02\x00\x04\x00", b"SQ\x02\x00\x04\x00"),
        (b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"),
    ],
)
def test_bytes_that_lie_about_their_length_or_kind(series: Path, old: bytes, new: bytes) -> None:
    content = first(series).read_bytes()
    assert old in content
    first(series).write_bytes(content.replace(old, new, 1))
    refused("GD-289", series)


def test_a_length_of_four_gigabytes_takes_no_more_than_the_file(series: Path) -> None:
    content = first(series).read_bytes()
    first(series).write_bytes(content.replace(b"OW\0\0\x28\0\0\0", b"OW\0\0\xff\xff\xff\xfe", 1))
    assert np.array_equal(read_dicom(series).data.numpy(), VALUES)


def test_sequences_nested_without_end(series: Path) -> None:
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    content = first(series).read_bytes()
    place = content.index(struct.pack("<HH", 0x0008, 0x0020))
    first(series).write_bytes(content[:place] + opening * 3000 + content[place:])
    refused("GD-289", series)


def test_a_deflated_bomb_is_not_unpacked(series: Path) -> None:
    made = image(VALUES[:, :, 5], AFFINE, 5)
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made.PixelData = b"\0" * (64 << 20)
    save(made, first(series))
    assert first(series).stat().st_size < 100_000
    refused("GD-432", series)


def test_pixels_beyond_the_budget_are_refused_before_they_are_read(tmp_path: Path) -> None:
    save(image(VALUES[:, :, 0], AFFINE, 0, Rows=65535, Columns=65535), tmp_path / "a.dcm")
    refused("GD-505", tmp_path, budget_bytes=1 << 20)
    save(image(np.zeros((600, 600), np.int16), AFFINE, 0), tmp_path / "a.dcm")
    refused("GD-505", tmp_path, budget_bytes=1 << 19)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000])
def test_compressed_pixels_that_are_none(series: Path, syntax: str) -> None:
    made = image(VALUES[:, :, 5], AFFINE, 5)
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0abcd\xfe\xff\xdd\xe0\0\0\0\0"
    made["PixelData"].is_undefined_length = True
    save(made, first(series))
    refused("GD-289", series)


def test_what_is_no_regular_file_is_left_out(series: Path, tmp_path: Path) -> None:
    os.mkfifo(series / "pipe.dcm")
    (series / "nowhere.dcm").symlink_to(tmp_path / "nothing")
    assert read_dicom(series).data.shape == (5, 4, 6)
    (tmp_path / "text.dcm").write_text("no DICOM at all" * 20)
    with pytest.raises(GradatimError) as caught:
        read_volume(tmp_path / "text.dcm")
    assert caught.value.code == "GD-202"


def test_big_endian_is_read(tmp_path: Path) -> None:
    made = image(VALUES[:, :, 0], AFFINE, 0)
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    made.PixelData = np.ascontiguousarray(VALUES[:, :, 0].T).astype(">i2").tobytes()
    save(made, tmp_path / "a.dcm")
    assert np.array_equal(read_dicom(tmp_path).data[:, :, 0].numpy(), VALUES[:, :, 0])


def spoilt_copy(made: Dataset, folder: Path, place: int, byte: bytes) -> Path:
    path = folder / "a.dcm"
    save(made, path)
    content = path.read_bytes()
    place = 132 + place % (len(content) - 132)
    path.write_bytes(content[:place] + byte + content[place + len(byte) :])
    return path


def said(read: Callable[[], object]) -> str:
    """What an error of the house says, or what was read; another error fails the test."""
    try:
        return repr(read())
    except GradatimError as error:
        return str(error)


SPOT = {"place": st.integers(0, 20_000), "byte": st.binary(min_size=1, max_size=4)}


@given(**SPOT)
def test_changed_bytes_of_an_image_give_a_code_or_an_image(tmp_path_factory, place: int, byte: bytes) -> None:
    path = spoilt_copy(image(VALUES[:, :, 0], AFFINE, 0), tmp_path_factory.mktemp("f"), place, byte)
    assert CANARY not in said(lambda: read_dicom(path, budget_bytes=1 << 20))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    slices = write_series(folder, VALUES, AFFINE)
    structures = structure_set([("a", [circle(AFFINE, (2, 2), 1.6, k, points=12) for k in (1, 2)])])
    return read_dicom(folder), {"structures": structures, "segments": segmentation(slices, [("a", VALUES > 50)])}


@pytest.mark.parametrize("kind", ["structures", "segments"])
@given(**SPOT)
def test_changed_bytes_of_regions_give_a_code_or_regions(
    tmp_path_factory, scene, kind: str, place: int, byte: bytes
) -> None:
    like, made = scene
    path = spoilt_copy(made[kind], tmp_path_factory.mktemp("f"), place, byte)
    assert CANARY not in said(lambda: read_regions(path, like=like, budget_bytes=1 << 20))
