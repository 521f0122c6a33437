"""What crafted and damaged NIfTI files get: a code, a warning or a right answer, never a traceback."""

import gzip
import os
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from gradatim.base.errors import GradatimError, InputError, ResourceError, UnsafeInputError
from gradatim.base.findings import Severity
from gradatim.io.byte_source import TAIL_BYTES
from gradatim.io.echo_series import series_from_files
from gradatim.io.multiecho import EchoReader
from gradatim.io.nifti import read_complex, read_image, read_labels, read_mask
from gradatim.io.orientation import Frame

REFUSED = {
    "5d.nii": "GD-215",
    "baddtype.nii": "GD-204",
    "bitflip.nii.gz": "GD-207",
    "complex.nii": "GD-216",
    "dim9.nii": "GD-203",
    "empty.nii": "GD-201",
    "hugedims.nii": "GD-206",
    "nanpixdim.nii": "GD-209",
    "nansform.nii": "GD-211",
    "negdim.nii": "GD-203",
    "negext.nii": "GD-205",
    "negpixdim.nii": "GD-209",
    "rgb.nii": "GD-216",
    "shear.nii": "GD-211",
    "singularsform.nii": "GD-211",
    "trunc.nii.gz": "GD-207",
    "trunc_data.nii": "GD-206",
    "trunc_hdr.nii": "GD-201",
    "voxoff0.nii": "GD-205",
    "voxoffhuge.nii": "GD-205",
    "voxoffnan.nii": "GD-205",
    "zerodim.nii": "GD-203",
    "zeroext.nii": "GD-205",
    "zeropixdim.nii": "GD-209",
}
WARNED = {
    "concat.nii.gz": "GD-208",
    "inf.nii": "GD-217",
    "infslope.nii": "GD-214",
    "nan.nii": "GD-217",
    "nanslope.nii": "GD-214",
    "q_s_disagree.nii": "GD-212",
}
ACCEPTED = ("f128.nii", "i64.nii", "ok.nii")  # float64 and int16, whatever their names say


@pytest.fixture(scope="session")
def malformed(shared: Path) -> Path:
    return shared / "data" / "io" / "nifti_malformed"


def test_the_tables_hold_every_file(malformed: Path) -> None:
    files = {p.name for p in malformed.iterdir() if p.name.endswith((".nii", ".nii.gz"))}
    assert files == {*REFUSED, *WARNED, *ACCEPTED}
    assert len(files) == 33


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_refused_with_its_code(malformed: Path, name: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_image(malformed / name)
    assert caught.value.code == code
    assert name in caught.value.given


@pytest.mark.parametrize(("name", "code"), WARNED.items())
def test_read_with_a_warning(malformed: Path, name: str, code: str) -> None:
    image = read_image(malformed / name)
    assert [(n.code, n.severity) for n in image.notes] == [(code, Severity.WARN)]
    good = torch.isfinite(image.data)
    assert torch.equal(image.data[good], read_image(malformed / "ok.nii").data[good])


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(malformed: Path, name: str) -> None:
    image = read_image(malformed / name)
    assert image.notes == ()
    assert torch.equal(image.data, torch.from_numpy(nibabel.load(malformed / name).get_fdata(dtype=np.float32)))


@pytest.mark.parametrize("name", ["nanslope.nii", "infslope.nii"])
def test_an_unusable_slope_is_refused_for_phase_unless_the_user_says_what_the_numbers_mean(
    malformed: Path, name: str
) -> None:
    series = series_from_files(
        magnitude=[malformed / "ok.nii"], phase=[malformed / name], echo_times=[0.01], field_strength=3.0
    )
    stops = [f.code for f in EchoReader().examine(series).findings if f.severity is Severity.REFUSE]
    assert stops[0] == "GD-214"


def test_orientations_that_disagree_are_refused_for_susceptibility_unless_one_is_chosen(malformed: Path) -> None:
    file = malformed / "q_s_disagree.nii"
    with pytest.raises(InputError) as caught:
        read_image(file, frame=Frame.AGREED)
    assert caught.value.code == "GD-212"
    assert read_image(file, frame=Frame.SFORM).grid.spacing == (3.0, 1.0, 1.0)
    assert read_image(file, frame=Frame.QFORM).grid.spacing == (1.0, 1.0, 1.0)


def test_complex_values_are_read_on_request(malformed: Path) -> None:
    image = read_complex(malformed / "complex.nii")
    assert torch.equal(image.data.real, image.data.imag)
    with pytest.raises(InputError) as caught:
        read_complex(malformed / "ok.nii")
    assert caught.value.code == "GD-216"


@pytest.mark.parametrize(
    ("name", "code"),
    {
        "ok.nii": "GD-218",
        "nan.nii": "GD-218",
        "complex.nii": "GD-216",
        "rgb.nii": "GD-216",
        "nanslope.nii": "GD-218",
    }.items(),
)
@pytest.mark.parametrize("read", [read_labels, read_mask])
def test_images_are_no_labels(malformed: Path, name: str, code: str, read) -> None:
    with pytest.raises(InputError) as caught:
        read(malformed / name)
    assert caught.value.code == code


def header(shape: tuple[int, ...], dtype: str = "u1") -> bytes:
    head = nibabel.Nifti1Header(endianness="<")
    head.set_data_shape(shape)
    head.set_data_dtype(dtype)
    head.set_sform(np.eye(4), 1)
    head["vox_offset"], head["scl_slope"], head["scl_inter"] = 352, 1, 0
    return head.binaryblock + b"\0\0\0\0"


def test_a_bomb_stops_at_the_budget_before_it_is_inflated(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.nii.gz"
    bomb.write_bytes(gzip.compress(header((256, 256, 256)) + bytes(256**3)))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(UnsafeInputError) as caught:
        read_image(bomb, budget_bytes=1 << 20)
    assert caught.value.code == "GD-401"
    assert read_image(bomb, budget_bytes=1 << 25).data.numel() == 256**3


def test_a_bomb_behind_an_honest_header_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "tail.nii.gz"
    bomb.write_bytes(gzip.compress(header((4, 4, 4)) + bytes(64 + 2 * TAIL_BYTES)))
    with pytest.raises(UnsafeInputError) as caught:
        read_image(bomb)
    assert caught.value.code == "GD-401"


def test_a_few_bytes_behind_the_image_are_a_warning(tmp_path: Path) -> None:
    for name, content in {"a.nii": bytes(70), "b.nii.gz": bytes(70)}.items():
        whole = header((4, 4, 4)) + content
        (tmp_path / name).write_bytes(gzip.compress(whole) if name.endswith("gz") else whole)
        assert [n.code for n in read_image(tmp_path / name).notes] == ["GD-208"]


def test_a_plain_file_over_the_budget_is_a_matter_of_memory(tmp_path: Path) -> None:
    (tmp_path / "large.nii").write_bytes(header((64, 64, 64)) + bytes(64**3))
    with pytest.raises(ResourceError) as caught:
        read_image(tmp_path / "large.nii", budget_bytes=1000)
    assert caught.value.code == "GD-505"


def test_a_stream_of_several_members_is_whole_and_each_checksum_counts(tmp_path: Path) -> None:
    whole = header((4, 4, 4)) + bytes(range(64))
    parts = [gzip.compress(whole[:100]), gzip.compress(whole[100:360]), gzip.compress(whole[360:])]
    file = tmp_path / "members.nii.gz"
    file.write_bytes(b"".join(parts))
    assert read_image(file).notes == ()
    assert int(read_image(file).data.sum()) == sum(range(64))
    damaged = bytearray(b"".join(parts))
    damaged[-8] ^= 1  # a bit of the last member's checksum
    file.write_bytes(damaged)
    with pytest.raises(InputError) as caught:
        read_image(file)
    assert caught.value.code == "GD-207"


def test_the_header_of_a_stream_may_promise_more_than_comes(tmp_path: Path) -> None:
    file = tmp_path / "short.nii.gz"
    file.write_bytes(gzip.compress(header((200, 200, 200)) + bytes(64)))
    with pytest.raises(InputError) as caught:
        read_image(file)
    assert caught.value.code == "GD-206"


@pytest.mark.parametrize("slope", [0.0, float("nan"), float("-inf")])
def test_slope_zero_is_as_unusable_as_one_that_is_no_number(tmp_path: Path, slope: float) -> None:
    block = bytearray(header((2, 2, 2)) + bytes(range(8)))
    struct.pack_into("<f", block, 112, slope)
    (tmp_path / "a.nii").write_bytes(block)
    image = read_image(tmp_path / "a.nii")
    assert [n.code for n in image.notes] == ["GD-214"]
    assert image.data.max() == 7


def test_values_that_float32_cannot_hold_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(header((1, 1, 1), "f8") + struct.pack("<d", 1e200))
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / "a.nii")
    assert caught.value.code == "GD-220"


@pytest.mark.parametrize("kind", ["pipe", "folder", "nowhere", "loop", "name with NUL"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.nii"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "name with NUL":
        path = tmp_path / "a\0.nii"
    with pytest.raises(GradatimError) as caught:
        read_image(path)
    assert caught.value.code == "GD-222"


def test_a_pair_of_files_and_analyze_are_refused_with_advice(tmp_path: Path) -> None:
    for magic in (b"ni1\0", b"\0\0\0\0"):
        block = bytearray(header((2, 2, 2)) + bytes(8))
        block[344:348] = magic
        (tmp_path / "a.nii").write_bytes(block)
        with pytest.raises(InputError) as caught:
            read_image(tmp_path / "a.nii")
        assert caught.value.code == "GD-202"
        assert "convert" in caught.value.do
