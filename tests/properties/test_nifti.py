"""Any bytes give an image or a coded refusal; any grid and any values survive a round trip."""

import contextlib
import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradatim.base.errors import GradatimError
from gradatim.base.grid import Grid
from gradatim.io.nifti import read_image, read_labels, read_nifti
from gradatim.io.nifti_write import write_nifti

BUDGET = 1 << 20
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ON_DISK = settings(QUICK, max_examples=40)
"""Fewer, since each file waits for the disk."""


def whole_file() -> bytes:
    head = nibabel.Nifti1Header(endianness="<")
    head.set_data_shape((3, 4, 5))
    head.set_data_dtype("i2")
    head.set_sform(np.diag([1, 2, 3, 1]), 1)
    head.set_qform(np.diag([1, 2, 3, 1]), 1)
    head["vox_offset"], head["scl_slope"], head["scl_inter"] = 352, 1, 0
    return head.binaryblock + b"\0\0\0\0" + np.arange(60, dtype="<i2").tobytes()


WHOLE = whole_file()
FIELDS = [
    0,
    40,
    42,
    44,
    46,
    48,
    70,
    72,
    76,
    80,
    84,
    88,
    108,
    112,
    116,
    123,
    252,
    254,
    256,
    260,
    264,
    280,
    300,
    344,
    348,
]
"""Where the fields lie whose values matter: sizes, type, offset, slope, units, codes, quaternion, sform, mark."""


@QUICK
@given(st.binary(max_size=800))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    answer(tmp_path, content)


@QUICK
@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5))
def test_any_values_in_any_field(tmp_path: Path, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place : place + len(value)] = value
    answer(tmp_path, bytes(content))
    answer(tmp_path, gzip.compress(bytes(content), mtime=0))


@QUICK
@given(st.binary(min_size=348, max_size=348))
def test_any_header_behind_a_right_size_and_mark(tmp_path: Path, header: bytes) -> None:
    answer(tmp_path, WHOLE[:4] + header[4:344] + WHOLE[344:])
    answer(
        tmp_path,
        WHOLE[:4] + header[4:40] + WHOLE[40:76] + header[76:108] + WHOLE[108:120] + header[120:344] + WHOLE[344:],
    )


@QUICK
@given(st.integers(0, len(gzip.compress(WHOLE)) - 1), st.integers(1, 255))
def test_any_flipped_byte_of_a_gzip_stream(tmp_path: Path, place: int, flip: int) -> None:
    content = bytearray(gzip.compress(WHOLE, mtime=0))
    content[place] ^= flip
    answer(tmp_path, bytes(content))


def answer(folder: Path, content: bytes) -> None:
    """An image whose grid is right, or an error of the tree; anything else fails the test."""
    path = folder / "a.nii"
    path.write_bytes(content)
    with contextlib.suppress(GradatimError):
        image = read_nifti(path, budget_bytes=BUDGET)
        assert image.data.shape[-3:] == image.grid.shape
        assert image.grid.voxel_volume_mm3 > 0


angles = st.floats(-np.pi, np.pi)
lengths = st.floats(0.05, 20.0)
offsets = st.floats(-500.0, 500.0)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any position: oblique, permuted and left-handed included."""
    a, b, c = draw(angles), draw(angles), draw(angles)
    turns = [
        np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]),
        np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]),
        np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]),
    ]
    flips = np.diag([draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)])
    permuted = np.eye(3)[list(draw(st.permutations(range(3))))]
    affine = np.eye(4)
    affine[:3, :3] = turns[0] @ turns[1] @ turns[2] @ flips @ permuted @ np.diag([draw(lengths) for _ in range(3)])
    affine[:3, 3] = [draw(offsets) for _ in range(3)]
    shape = tuple(draw(st.integers(1, 5)) for _ in range(3))
    return Grid.from_affine(shape, affine)


@ON_DISK
@given(grids(), st.sampled_from([(), (1,), (3,)]), st.integers(0, 2**31), st.sampled_from([".nii", ".nii.gz"]))
def test_grid_and_values_survive(tmp_path: Path, grid: Grid, echoes: tuple[int, ...], seed: int, ending: str) -> None:
    values = torch.randn(*echoes, *grid.shape, generator=torch.Generator().manual_seed(seed))
    path = tmp_path / f"a{ending}"
    write_nifti(path, values, grid)
    image = read_image(path)
    assert torch.equal(image.data, values)
    assert image.oriented
    assert {n.code for n in image.notes} <= {"GD-210"}  # edges that differ more than tenfold
    assert image.grid.same_space(grid)
    theirs = nibabel.load(path)
    ours_by_them = np.asarray(theirs.dataobj)
    assert np.array_equal(np.moveaxis(ours_by_them, -1, 0) if echoes else ours_by_them, values.numpy())
    np.testing.assert_allclose(theirs.affine, grid.matrix, rtol=1e-6, atol=1e-6)
    # Near half a turn the quaternion's first number is the root of a difference of float32: 2·√(3·1.2e-7) rad.
    np.testing.assert_allclose(theirs.get_qform(), grid.matrix, rtol=0, atol=1.2e-3 * max(grid.spacing))


@ON_DISK
@given(st.lists(st.integers(0, 65535), min_size=8, max_size=8))
def test_labels_survive(tmp_path: Path, labels: list[int]) -> None:
    grid = Grid((2, 2, 2), (1.0, 1.0, 1.0))
    values = torch.tensor(labels).reshape(2, 2, 2)
    write_nifti(tmp_path / "labels.nii.gz", values, grid)
    assert torch.equal(read_labels(tmp_path / "labels.nii.gz").data, values.int())


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_equal_images_give_equal_files(tmp_path: Path, ending: str) -> None:
    values = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(0))
    grid = Grid((3, 3, 3), (1.0, 2.0, 3.0))
    for name in ("a", "b"):
        write_nifti(tmp_path / f"{name}{ending}", values, grid)
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
