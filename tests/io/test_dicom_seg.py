"""DICOM segmentations on their series' grid, made by highdicom: geometry from frames, kinds, overlaps, damage."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import RLELossless

from gradatim.base.errors import GradatimError, InputError
from gradatim.io.volume import read_regions, read_volume
from tests.io.dicom_scene import CANARY, OBLIQUE, ball, lps, save, segmentation, write_series

SHAPE = (20, 18, 10)
AFFINE = lps((1, 1, 2), (5, -7, 3), OBLIQUE)
BIG = ball(SHAPE, (8.2, 9.1, 4.3), 7, (1, 1, 2))
SMALL = ball(SHAPE, (6.2, 8.1, 4.3), 3, (1, 1, 2))
APART = ball(SHAPE, (17, 15, 8), 2, (1, 1, 2))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    return write_series(folder, np.zeros(SHAPE, np.int16), AFFINE), read_volume(folder)


def read(tmp_path: Path, like, made):
    save(made, tmp_path / "seg.dcm")
    return read_regions(tmp_path / "seg.dcm", like=like)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_segments_lie_where_they_were_drawn(tmp_path: Path, scene, kind: str) -> None:
    slices, like = scene
    found = read(tmp_path, like, segmentation(slices, [("tumour", BIG), ("node", APART)], kind))
    (layer,) = found.layers
    assert np.array_equal(layer.labels.numpy(), BIG + 2 * APART)
    assert layer.names == {1: "tumour", 2: "node"}
    assert 2 * BIG.sum() == pytest.approx(4 / 3 * np.pi * 7**3, rel=0.02)
    assert found.notes == ()


def test_frames_may_come_in_any_order(tmp_path: Path, scene) -> None:
    slices, like = scene
    found = read(tmp_path, like, segmentation(slices[::-1], [("tumour", BIG[:, :, ::-1])]))
    assert np.array_equal(found.layers[0].labels.numpy() == 1, BIG)


def test_segments_that_overlap_come_in_layers(tmp_path: Path, scene) -> None:
    slices, like = scene
    found = read(tmp_path, like, segmentation(slices, [("PTV", BIG), ("GTV", SMALL), ("node", APART)]))
    assert [layer.names for layer in found.layers] == [{1: "PTV", 3: "node"}, {2: "GTV"}]
    assert np.array_equal(found.layers[1].labels.numpy() == 2, SMALL)


def test_fractional_segments_reach_to_their_half(tmp_path: Path, scene) -> None:
    slices, like = scene
    share = np.where(BIG, 0.6, 0.0) + np.where(SMALL, 0.3, 0.0) + np.where(APART, 0.4, 0.0)
    found = read(tmp_path, like, segmentation(slices, [("tumour", share)], "FRACTIONAL"))
    assert np.array_equal(found.layers[0].labels.numpy() == 1, BIG)
    assert [note.code for note in found.notes] == ["GD-274"]


def test_an_empty_segment_is_said_and_none_at_all_is_refused(tmp_path: Path, scene) -> None:
    slices, like = scene
    made = segmentation(slices, [("tumour", BIG), ("nothing", APART & False)])
    found = read(tmp_path, like, made)
    assert found.layers[0].present == (1,)
    assert [note.code for note in found.notes] == ["GD-297"]
    made = segmentation(slices, [("tumour", BIG)])
    made.PixelData = b"\0" * len(made.PixelData)
    with pytest.raises(InputError, match="GD-701"):
        read(tmp_path, like, made)


def test_compressed_frames_are_unpacked(tmp_path: Path, scene) -> None:
    slices, like = scene
    made = segmentation(slices, [("tumour", BIG), ("node", APART)], "LABELMAP")
    made.compress(RLELossless, generate_instance_uid=False)
    assert np.array_equal(read(tmp_path, like, made).layers[0].labels.numpy(), BIG + 2 * APART)


def test_another_grid_or_frame_of_reference_is_refused(tmp_path: Path, scene) -> None:
    slices, like = scene
    for affine in (
        lps((1, 1, 2), (5.4, -7, 3), OBLIQUE),
        lps((1, 1, 1), (5, -7, 3), OBLIQUE),
        lps((1, 1, 2), (5, -7, 3)),
    ):
        other = write_series(tmp_path / "other", np.zeros(SHAPE, np.int16), affine)
        with pytest.raises(InputError, match="GD-298"):
            read(tmp_path, like, segmentation(other, [("tumour", BIG)]))
    made = segmentation(slices, [("tumour", BIG)])
    made.FrameOfReferenceUID = "1.2.3"
    with pytest.raises(InputError, match="GD-296"):
        read(tmp_path, like, made)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("GD-289", lambda made: setattr(made, "NumberOfFrames", 3)),
        ("GD-289", lambda made: delattr(made, "PerFrameFunctionalGroupsSequence")),
        ("GD-289", lambda made: delattr(made, "SharedFunctionalGroupsSequence")),
        ("GD-289", lambda made: setattr(made, "PixelData", made.PixelData[:8])),
        ("GD-289", lambda made: setattr(made, "SegmentSequence", [])),
        ("GD-289", lambda made: setattr(made.SegmentSequence[0], "SegmentNumber", 2)),
        ("GD-289", lambda made: setattr(made, "Rows", 0)),
        ("GD-401", lambda made: [setattr(made, "Rows", 65535), setattr(made, "Columns", 65535)]),
    ],
)
def test_damaged_segmentations_get_a_code(tmp_path: Path, scene, code: str, change) -> None:
    slices, like = scene
    made = segmentation(slices, [("tumour", BIG), ("node", APART)])
    change(made)
    save(made, tmp_path / "seg.dcm")
    with pytest.raises(GradatimError) as caught:
        read_regions(tmp_path / "seg.dcm", like=like, budget_bytes=1 << 20)
    assert caught.value.code == code
    assert CANARY not in str(caught.value)
