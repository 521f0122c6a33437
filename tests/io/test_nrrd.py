"""NRRD images: published files as another reader has them, and every encoding, type and space."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.io.nrrd import read_nrrd, read_nrrd_labels
from gradatim.io.volume import read_regions, read_volume

VALUES = np.arange(24).reshape(2, 3, 4)
BRAIN_EDGES = (0.78125, 0.78125, 6.5)
PYRADIOMICS = "data/radiomics/pyradiomics"


def write(path: Path, values: np.ndarray, content: bytes | None = None, **fields: str) -> Path:
    """A file of (x, y, z) values; fields beside, or instead of, the usual ones."""
    types = {"i2": "short", "u1": "uchar", "f4": "float", "f8": "double", "u2": "uint16", "i8": "int64", "i4": "int"}
    usual = {
        "type": types[values.dtype.str[1:]],
        "dimension": "3",
        "sizes": " ".join(map(str, values.shape)),
        "encoding": "raw",
        "endian": "big" if values.dtype.byteorder == ">" else "little",
    }
    lines = {**usual, **{key.replace("_", " "): value for key, value in fields.items()}}
    head = "NRRD0005\n# a comment\n" + "".join(f"{key}: {value}\n" for key, value in lines.items() if value) + "\n"
    path.write_bytes(head.encode() + (values.tobytes("F") if content is None else content))
    return path


@pytest.mark.parametrize(
    ("name", "shape", "total", "weighted", "spacing", "point"),
    [
        ("brain1_image", (256, 256, 25), 631859459, 318473142071, BRAIN_EDGES, (-97.265625, 95.703125, -32.5)),
        ("brain1_label", (256, 256, 25), 4137, 2113672, BRAIN_EDGES, (-97.265625, 95.703125, -32.5)),
        (
            "prostate_phantom_subvolume",
            (82, 67, 13),
            27811967,
            13827419739,
            (0.5, 0.5, 3),
            (14.183382511138916, 74.0357608795166, -31.77613067626954),
        ),
        (
            "prostate_phantom_subvolume-label",
            (82, 67, 13),
            107126,
            53039925,
            (0.5, 0.5, 3),
            (14.183382511138916, 74.0357608795166, -31.77613067626954),
        ),
    ],
)  # fmt: skip
def test_published_files_are_as_another_reader_has_them(
    shared: Path, name: str, shape: tuple, total: int, weighted: int, spacing: tuple, point: tuple
) -> None:
    """Numbers of SimpleITK 2.5: shape, sum, sum weighted by position, edges, and where voxel (3, 5, 7) lies in LPS."""
    volume = read_volume(shared / PYRADIOMICS / f"{name}.nrrd")
    values = volume.data.double().numpy()
    weights = np.arange(values.size).reshape(shape) % 1009
    assert (values.shape, values.sum(), (values * weights).sum()) == (shape, total, weighted)
    assert volume.grid.spacing == pytest.approx(spacing)
    x, y, z, _ = volume.grid.matrix @ (3, 5, 7, 1)
    assert (-x, -y, z) == pytest.approx(point)
    assert volume.notes == ()


def test_published_labels_are_regions_of_the_published_image(shared: Path) -> None:
    image = read_volume(shared / PYRADIOMICS / "brain1_image.nrrd")
    found = read_regions(shared / PYRADIOMICS / "brain1_label.nrrd", like=image)
    assert [layer.present for layer in found.layers] == [(1,)]
    with pytest.raises(InputError, match="GD-298"):
        read_regions(shared / PYRADIOMICS / "prostate_phantom_subvolume-label.nrrd", like=image)


@pytest.mark.parametrize("kind", ["<i2", ">i2", "u1", "<f4", ">f8", ">u2", "<i8"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
def test_every_type_and_encoding_gives_the_values(tmp_path: Path, kind: str, encoding: str) -> None:
    stored = VALUES.astype(kind)
    packed = {
        "raw": None,
        "gzip": gzip.compress(stored.tobytes("F")),
        "ascii": b"\n".join(str(v).encode() for v in stored.ravel("F").tolist()),
    }
    volume = read_nrrd(write(tmp_path / "a.nrrd", stored, packed[encoding], encoding=encoding))
    assert torch.equal(volume.data, torch.from_numpy(VALUES.astype(np.float32)))
    assert not volume.oriented


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("right-anterior-superior", (1, 1, 1)),
        ("RAS", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("left-posterior-superior", (-1, -1, 1)),
        ("LPS", (-1, -1, 1)),
    ],
)
def test_spaces_are_turned_to_ras(tmp_path: Path, space: str, signs: tuple) -> None:
    fields = {"space": space, "space_directions": "(0,2,0) (0,0,3) (-4,0,0)", "space_origin": "(1,2,3)"}
    volume = read_nrrd(write(tmp_path / "a.nrrd", VALUES.astype("<i2"), **fields))
    given = np.array([[0, 0, -4, 1], [2, 0, 0, 2], [0, 3, 0, 3], [0, 0, 0, 1]])
    assert np.array_equal(volume.grid.matrix, np.diag([*signs, 1]) @ given)
    assert volume.oriented


def test_lengths_in_another_unit_become_mm(tmp_path: Path) -> None:
    fields = {"spacings": "500 500 2000", "space_units": '"um" "um" "um"'}
    volume = read_nrrd(write(tmp_path / "a.nrrd", VALUES.astype("<i2"), **fields))
    assert volume.grid == Grid((2, 3, 4), (0.5, 0.5, 2.0))
    assert [note.code for note in volume.notes] == ["GD-219"]


def test_a_space_without_anatomy_gives_only_voxel_edges(tmp_path: Path) -> None:
    fields = {"space_dimension": "3", "space_directions": "(0,2,0) (0,0,3) (-4,0,0)", "space_origin": "(1,2,3)"}
    volume = read_nrrd(write(tmp_path / "a.nrrd", VALUES.astype("<i2"), **fields))
    assert (volume.grid, volume.oriented) == (Grid((2, 3, 4), (2.0, 3.0, 4.0)), False)


def test_a_detached_file_is_read_from_the_folder_of_its_header(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"skip" + VALUES.astype("<i2").tobytes("F"))
    header = write(tmp_path / "a.nhdr", VALUES.astype("<i2"), b"", data_file="a.raw", byte_skip="4")
    assert torch.equal(read_nrrd(header).data, torch.from_numpy(VALUES.astype(np.float32)))


def test_segments_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", (VALUES % 4).astype("u1"))
    pairs = "".join(f"Segment{n}_LabelValue:={n + 1}\nSegment{n}_Name:={name}\n" for n, name in enumerate("aba"))
    path.write_bytes(path.read_bytes().replace(b"# a comment\n", pairs.encode()))
    regions = read_nrrd_labels(path)[1].layers[0]
    assert [regions.name(label) for label in regions.present] == ["a (segment 1)", "b", "a (segment 3)"]


def test_segments_have_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", (VALUES % 3).astype("u1"))
    pairs = b"Segment0_LabelValue:=1\nSegment0_Name:=left  kidney\nSegment1_LabelValue:=2\n"
    path.write_bytes(path.read_bytes().replace(b"# a comment\n", pairs))
    regions = read_nrrd_labels(path)[1].layers[0]
    assert (regions.present, regions.name(1), regions.name(2)) == ((1, 2), "left kidney", "2")
