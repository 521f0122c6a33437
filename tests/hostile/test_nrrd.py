"""What crafted and damaged NRRD files get: a code or a warning, never a traceback."""

import contextlib
import gzip
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import GradatimError, UnsafeInputError
from gradatim.io.nrrd import read_nrrd, read_nrrd_labels
from tests.io.test_nrrd import VALUES, write

SHORT = VALUES.astype("<i2")
LPS = {"space": "LPS", "space_origin": "(0,0,0)"}


def refused(code: str, path: Path, **settings) -> None:
    with pytest.raises(GradatimError) as caught:
        read_nrrd(path, **settings)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("GD-287", {"dimension": ""}),
        ("GD-287", {"sizes": "2 3"}),
        ("GD-287", {"sizes": "2 3 0"}),
        ("GD-287", {"sizes": "2 3 -4"}),
        ("GD-287", {"sizes": "2 3 4.0"}),
        ("GD-287", {"sizes": "2 3 99999999999999999999999"}),
        ("GD-287", {"endian": ""}),
        ("GD-287", {"endian": "middle"}),
        ("GD-287", {"kinds": "domain domain"}),
        ("GD-287", {"spacings": "1 1"}),
        ("GD-287", {"spacings": "1 1 one"}),
        ("GD-287", {"space_directions": "(1,0,0) (0,1,0)", **LPS}),
        ("GD-287", {"space_directions": "(1,0,0) (0,1,0) none", **LPS}),
        ("GD-287", {"space_directions": "(1,0,0) (0,1,0) (0,0)", **LPS}),
        ("GD-287", {"space_units": '"furlong" "mm" "mm"'}),
        ("GD-287", {"sizes ": "2 3 4"}),
        ("GD-287", {"byte_skip": "many"}),
        ("GD-288", {"encoding": "bzip2"}),
        ("GD-288", {"encoding": "hex"}),
        ("GD-288", {"type": "block"}),
        ("GD-288", {"line_skip": "3"}),
        ("GD-288", {"byte_skip": "-1"}),
        ("GD-288", {"data_file": "LIST"}),
        ("GD-288", {"data_file": "slice%03d.raw 1 4 1"}),
        ("GD-209", {"spacings": "1 1 0"}),
        ("GD-209", {"spacings": "1 1 nan"}),
        ("GD-211", {"spacings": "1 1 1e308"}),
        ("GD-211", {"spacings": "1 1 1e308", "space_units": '"m" "m" "m"'}),
        ("GD-211", {"space_directions": "(1,0,0) (0,1,0) (0,0.5,1)", **LPS}),
        ("GD-211", {"space_directions": "(1,0,0) (0,1,0) (0,0,0)", **LPS}),
        ("GD-211", {"space_directions": "(1,0,0) (0,1,0) (0,0,nan)", **LPS}),
        ("GD-211", {"space_directions": "(1,0,0) (0,1,0) (0,0,1e308)", "space_units": '"m" "m" "m"', **LPS}),
        ("GD-215", {"dimension": "4", "sizes": "2 3 4 1"}),
        ("GD-215", {"dimension": "2", "sizes": "6 4"}),
        ("GD-216", {"kinds": "vector domain domain"}),
        ("GD-206", {"sizes": "2 3 5"}),
        ("GD-206", {"byte_skip": "2"}),
        ("GD-206", {"encoding": "ascii", "sizes": "2 3 5"}),
        ("GD-430", {"data_file": "../a.raw"}),
        ("GD-430", {"data_file": "/etc/passwd"}),
        ("GD-430", {"data_file": "folder/a.raw"}),
        ("GD-430", {"data_file": "..\\a.raw"}),
        ("GD-222", {"data_file": ".."}),
        ("GD-222", {"data_file": "none.raw"}),
        ("GD-207", {"encoding": "gzip", "sizes": "2 3 4"}),
    ],
)
def test_refused_with_its_code(tmp_path: Path, code: str, fields: dict[str, str]) -> None:
    content = gzip.compress(SHORT.tobytes())[:-9] if fields.get("encoding") == "gzip" else None
    refused(code, write(tmp_path / "a.nrrd", SHORT, content, **fields))


def test_headers_that_do_not_end_or_do_not_begin(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    for code, content in (
        ("GD-288", b""),
        ("GD-288", b"NRRD0009\n\n"),
        ("GD-288", b"\x1f\x8b" + b"\0" * 100),
        ("GD-287", b"NRRD0004\ntype: short"),
        ("GD-287", b"NRRD0004\nno field here\n\n"),
        ("GD-287", b"NRRD0004\n" + b"# endless\n" * 200_000),
        ("GD-287", b"NRRD0004\n\n" + b"type: short\n"),
    ):
        path.write_bytes(content)
        refused(code, path)
    refused("GD-222", tmp_path / "none.nrrd")
    os.mkfifo(tmp_path / "pipe.nrrd")
    refused("GD-222", tmp_path / "pipe.nrrd")


def test_a_bomb_stops_at_the_header(tmp_path: Path) -> None:
    packed = gzip.compress(b"\0" * 48)
    refused("GD-401", write(tmp_path / "a.nrrd", SHORT, packed, encoding="gzip", sizes="9000 9000 90000"))
    refused("GD-505", write(tmp_path / "a.nrrd", SHORT, sizes="9000 9000 90000"))
    refused("GD-401", write(tmp_path / "a.nrrd", SHORT, encoding="ascii"), budget_bytes=800)


def test_a_stream_that_goes_on_after_its_image(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(SHORT.tobytes("F") + b"\0" * (3 << 20)) + packer.flush()
    with pytest.raises(UnsafeInputError, match="GD-401"):
        read_nrrd(write(tmp_path / "a.nrrd", SHORT, bomb, encoding="gzip"))
    volume = read_nrrd(write(tmp_path / "a.nrrd", SHORT, SHORT.tobytes("F") + b"more"))
    assert [note.code for note in volume.notes] == ["GD-208"]


def test_values_that_cannot_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    refused("GD-220", write(path, VALUES * 1e300))
    refused("GD-287", write(path, VALUES.astype("u1"), b"300 " * 24, encoding="ascii"))
    refused("GD-287", write(path, VALUES.astype("u1"), b"x " * 24, encoding="ascii"))
    refused("GD-287", write(path, VALUES.astype("u1"), b"1 " * 25, encoding="ascii"))
    assert [note.code for note in read_nrrd(write(path, VALUES + np.nan)).notes] == ["GD-217"]


@pytest.mark.parametrize("stored", [VALUES - 1.0, VALUES + 0.5, VALUES * np.nan, VALUES * 65535.0, -VALUES])
def test_labels_are_whole_numbers(tmp_path: Path, stored: np.ndarray) -> None:
    with pytest.raises(GradatimError, match="GD-218"):
        read_nrrd_labels(write(tmp_path / "a.nrrd", stored))


@given(place=st.integers(0, 160), byte=st.binary(min_size=1, max_size=3))
def test_a_changed_byte_gives_a_code_or_an_image(tmp_path_factory, place: int, byte: bytes) -> None:
    fields = {"space_directions": "(1,0,0) (0,1,0) (0,0,1)", **LPS}
    path = write(tmp_path_factory.mktemp("f") / "a.nrrd", SHORT, **fields)
    content = path.read_bytes()
    path.write_bytes(content[:place] + byte + content[place + 1 :])
    with contextlib.suppress(GradatimError):
        assert read_nrrd(path, budget_bytes=1 << 20).data.ndim == 3
