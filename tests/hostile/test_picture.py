"""What crafted and damaged pictures get: a code, never a traceback, never half of their content in silence."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradatim.base.errors import GradatimError, InputError, UnsafeInputError
from gradatim.io.picture import read_picture


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def whole(tmp_path: Path, ending: str) -> bytes:
    values = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / f"whole{ending}")
    return (tmp_path / f"whole{ending}").read_bytes()


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_cut_picture_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    content = whole(tmp_path, ending)
    cut = tmp_path / f"cut{ending}"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as caught:
        read_picture(cut)
    assert caught.value.code in {"GD-270", "GD-271"}


def test_a_picture_with_changed_bytes_is_read_or_refused(tmp_path: Path) -> None:
    content, draw = whole(tmp_path, ".png"), np.random.default_rng(1)
    for place in draw.integers(8, len(content), 150):
        broken = bytearray(content)
        broken[place] ^= 1 << int(draw.integers(0, 8))
        (tmp_path / "broken.png").write_bytes(broken)
        try:
            read_picture(tmp_path / "broken.png")
        except GradatimError as error:
            assert error.code in {"GD-270", "GD-271", "GD-272", "GD-276", "GD-401"}  # noqa: PT017


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"GIF89a" + bytes(40), b"<svg/>", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="GD-27"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 1), (20_000, 8_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png(width, height, depth=8, colour=0, rows=bytes(1000)))
    with pytest.raises(UnsafeInputError, match="GD-401"):
        read_picture(tmp_path / "bomb.png", budget_bytes=1 << 30)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_that_would_be_halved_are_refused(tmp_path: Path, colour: int, channels: int) -> None:
    rows = b"".join(b"\0" + bytes(range(2 * channels)) * 2 for _ in range(2))
    (tmp_path / "deep.png").write_bytes(png(2, 2, depth=16, colour=colour, rows=rows))
    with pytest.raises(InputError, match="GD-272"):
        read_picture(tmp_path / "deep.png")


def test_sixteen_bits_of_grey_keep_every_bit(tmp_path: Path) -> None:
    rows = b"\0" + struct.pack(">HHH", 1, 256, 65535)
    (tmp_path / "deep.png").write_bytes(png(3, 1, depth=16, colour=0, rows=rows))
    assert read_picture(tmp_path / "deep.png").data.tolist() == [[1.0, 256.0, 65535.0]]


def test_printers_inks_are_refused(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4)).save(tmp_path / "ink.jpg")
    with pytest.raises(InputError, match="GD-272"):
        read_picture(tmp_path / "ink.jpg")


def test_several_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4), grey, np.uint8)) for grey in (0, 100, 200)]
    frames[0].save(tmp_path / "film.png", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="GD-276"):
        read_picture(tmp_path / "film.png")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "no.png", tmp_path):
        with pytest.raises(InputError, match="GD-222"):
            read_picture(path)


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt", b"zTXt"])
def test_a_text_that_unpacks_without_end_is_refused_or_left_alone(tmp_path: Path, kind: bytes) -> None:
    content = whole(tmp_path, ".png")
    packed = zlib.compress(bytes(80 << 20), 9)
    body = {
        b"tEXt": b"Comment\0" + bytes(100),
        b"zTXt": b"Comment\0\0" + packed,
        b"iTXt": b"Comment\0\1\0\0\0" + packed,
    }[kind]
    (tmp_path / "text.png").write_bytes(content[:33] + chunk(kind, body) + content[33:])
    try:
        assert tuple(read_picture(tmp_path / "text.png").data.shape) == (3, 40, 50)
    except InputError as error:
        assert error.code in {"GD-270", "GD-271"}  # noqa: PT017
