"""What crafted and damaged Pulseq files get: a code, never a traceback, never more memory than the budget."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.base.errors import GradatimError, InputError
from gradatim.io.pulseq import read_pulseq

HEAD = "[VERSION]\nmajor 1\nminor {minor}\nrevision 0\n"
GOOD = """[DEFINITIONS]
BlockDurationRaster 1e-05
GradientRasterTime 1e-05
FOV 0.2 0.2 0.01
[BLOCKS]
1 100 1 1 2 0 0 1
2 100 0 0 0 0 1 2
[RF]
1 100 1 2 0 50 0 0 0 0 0 e
[GRADIENTS]
2 1000 0 0 1 3 0
[TRAP]
1 1000 100 200 100 0
[ADC]
1 8 10000 0 0 0 0 0 0
[EXTENSIONS]
1 1 1 0
2 2 1 0
extension LABELSET 1
1 3 LIN
extension ROTATIONS 2
1 1 0 0 0
[SHAPES]
shape_id 1
num_samples 100
1
0
0
97
shape_id 2
num_samples 100
0
0
98
shape_id 3
num_samples 100
0
1
1
97
"""


def read(folder: Path, body: str | bytes, minor: int = 5, budget: int = 1 << 24) -> object:
    path = folder / "a.seq"
    content = body if isinstance(body, bytes) else (HEAD.format(minor=minor) + body).encode()
    path.write_bytes(content)
    return read_pulseq(path, budget_bytes=budget)


def code_of(folder: Path, body: str | bytes, minor: int = 5, budget: int = 1 << 24) -> str:
    with pytest.raises(GradatimError) as caught:
        read(folder, body, minor, budget)
    assert "a.seq" in caught.value.given
    return caught.value.code


def test_what_is_left_alone_is_read(tmp_path: Path) -> None:
    assert len(read(tmp_path, GOOD).blocks) == 2


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[BLOCKS]", "[PLOCKS]", "GD-226"),
        ("[TRAP]", "[BLOCKS]", "GD-226"),
        ("1 100 1 1 2 0 0 1", "1 100 1 1 2 0 0", None),
        ("1 100 1 1 2 0 0 1", "1 100 1 1 2 0", "GD-228"),
        ("1 100 1 1 2 0 0 1", "1 100 9 1 2 0 0 1", "GD-229"),
        ("1 100 1 1 2 0 0 1", "1 100 1 9 2 0 0 1", "GD-229"),
        ("1 100 1 1 2 0 0 1", "1 100 1 1 2 0 0 9", "GD-229"),
        ("1 100 1 1 2 0 0 1", "1 -100 1 1 2 0 0 1", "GD-228"),
        ("1 100 1 1 2 0 0 1", "1 10 1 1 2 0 0 1", "GD-231"),
        ("1 100 1 1 2 0 0 1", "1 1e300 1 1 2 0 0 1", "GD-228"),
        ("1 100 1 1 2 0 0 1", "1 9e15 1 1 2 0 0 1", "GD-231"),
        ("1 100 1 2 0 50", "1 nan 1 2 0 50", "GD-228"),
        ("1 100 1 2 0 50", "1 inf 1 2 0 50", "GD-228"),
        ("1 100 1 2 0 50", "1 1e300 1 2 0 50", "GD-231"),
        ("2 1000 0 0 1 3 0", "2 1e308 0 0 1 3 0", "GD-231"),
        ("1 100 1 2 0 50", "1 100 7 2 0 50", "GD-229"),
        ("1 100 1 2 0 50", "1 100 1 2 0 500", "GD-231"),
        ("1 100 1 2 0 50", "1 100 1 2 0 -50", "GD-232"),
        ("1 100 1 2 0 50", "1 100 1 2 -1 50", "GD-227"),
        ("1 100 1 2 0 50", "1 100 1 2 2 50", "GD-231"),
        ("0 0 0 e", "0 0 0 q", "GD-228"),
        ("1 1000 100 200 100 0", "1 1000 0 0 0 0", "GD-231"),
        ("1 1000 100 200 100 0", "1 1000 100 200 100 -5", "GD-232"),
        ("1 1000 100 200 100 0", "1 1000 100 200 100 0.0005", "GD-232"),
        ("1 1000 100 200 100 0", "1 1000 100 2e99 100 0", "GD-232"),
        ("1 1000 100 200 100 0", "2 1000 100 200 100 0", "GD-228"),
        ("2 1000 0 0 1 3 0", "2 1000 0 0 1 -2 0", "GD-227"),
        ("2 1000 0 0 1 3 0", "2 1000 0 0 1 -1 0", "GD-231"),
        ("1 8 10000 0", "1 0 10000 0", "GD-231"),
        ("1 8 10000 0", "1 8.5 10000 0", "GD-228"),
        ("1 8 10000 0", "1 8 0 0", "GD-231"),
        ("1 8 10000 0", "1 999999999999 10000 0", "GD-433"),
        ("1 8 10000 0 0 0 0 0 0", "1 8 10000 0 0 0 0 0 1", "GD-227"),
        ("1 8 10000 0 0 0 0 0 0", "1 8 10000 0 1 0 0 0 0", "GD-160"),
        ("1 1 1 0", "1 1 1 1", "GD-226"),
        ("1 1 1 0\n2 2 1 0", "1 1 1 2\n2 2 1 1", "GD-226"),
        ("1 1 1 0", "1 8 1 0", "GD-229"),
        ("1 1 1 0", "1 1 8 0", "GD-229"),
        ("1 1 1 0", "2 1 1 0", "GD-228"),
        ("1 3 LIN", "1 3", "GD-228"),
        ("1 3 LIN", "1 x LIN", "GD-228"),
        ("1 1 0 0 0", "1 2 0 0 0", "GD-231"),
        ("1 1 0 0 0", "1 0 0 0 0", "GD-231"),
        ("ROTATIONS 2", "RF_SHIM 2", "GD-227"),
        ("ROTATIONS 2", "ROTATIONS two", "GD-228"),
        ("extension ROTATIONS 2", "extension ROTATIONS", "GD-228"),
        ("FOV", "RequiredExtensions MAGIC\nFOV", "GD-227"),
        ("GradientRasterTime 1e-05", "GradientRasterTime 0", "GD-231"),
        ("GradientRasterTime 1e-05", "GradientRasterTime -1", "GD-232"),
        ("GradientRasterTime 1e-05", "GradientRasterTime x", "GD-228"),
        ("num_samples 100\n1\n0", "num_samples 99\n1\n0", "GD-230"),
        ("num_samples 100\n1\n0", "num_samples -1\n1\n0", "GD-228"),
        ("num_samples 100\n1\n0", "num_samples 1e15\n1\n0", "GD-433"),
        ("0\n0\n97", "0\n0\n-97", "GD-230"),
        ("0\n0\n97", "0\n0\n1e300", "GD-230"),
        ("0\n0\n97", "1e308\n1e308\n97", "GD-230"),
        ("shape_id 2", "shape_id 1", "GD-226"),
        ("shape_id 1\n", "5\nshape_id 1\n", "GD-228"),
        ("num_samples 100\n0", "0", "GD-228"),
        ("0\n1\n1\n97", "0\n0\n0\n97", "GD-230"),
        ("0\n1\n1\n97", "0\n0\n98", "GD-231"),
    ],
)
def test_lies_and_damage(tmp_path: Path, old: str, new: str, code: str | None) -> None:
    assert old in GOOD
    body = GOOD.replace(old, new, 1)
    if code is None:
        assert read(tmp_path, body)
    else:
        assert code_of(tmp_path, body) == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "GD-226"),
        (b"hello", "GD-226"),
        (b"\x00" * 100, "GD-226"),
        ("# naïve\n".encode("latin-1") + b"[VERSION]\n", "GD-226"),
        ((HEAD.format(minor=5) + GOOD).encode("utf-16"), "GD-226"),
        ((HEAD.format(minor=9) + GOOD).encode(), "GD-227"),
        ((HEAD.format(minor=1) + GOOD).encode(), "GD-227"),
        (b"[VERSION]\nmajor x\n[BLOCKS]\n", "GD-228"),
        ((HEAD.format(minor=5) + "[BLOCKS]\n").encode(), "GD-226"),
    ],
)
def test_what_is_no_pulseq_file(tmp_path: Path, content: bytes, code: str) -> None:
    assert code_of(tmp_path, content) == code


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.seq", tmp_path):
        with pytest.raises(InputError) as caught:
            read_pulseq(path)
        assert caught.value.code == "GD-222"


def test_windows_line_ends_and_a_mark_of_byte_order_are_read(tmp_path: Path) -> None:
    text = (HEAD.format(minor=5) + GOOD).replace("\n", "\r\n")
    assert len(read(tmp_path, b"\xef\xbb\xbf" + text.encode()).blocks) == 2


def test_bombs_stop_at_the_budget(tmp_path: Path) -> None:
    """Small files that stand for much: one long shape, one pulse of few corners, one shape in many blocks."""
    many = "".join(f"{i} 100 1 0 0 0 0 0\n" for i in range(3, 4000))
    assert code_of(tmp_path, GOOD.replace("[RF]", many + "[RF]")) == "GD-433"
    corners = GOOD.replace("1 100 1 2 0 50", "1 100 4 4 4 50") + "shape_id 4\nnum_samples 2\n0\n900000\n"
    assert code_of(tmp_path, corners) == "GD-433"
    assert code_of(tmp_path, GOOD, budget=1000) == "GD-433"


def test_loops_of_extensions_end(tmp_path: Path) -> None:
    links = "".join(f"{i} 1 1 {i + 1}\n" for i in range(3, 500)) + "500 1 1 3\n"
    body = GOOD.replace("[EXTENSIONS]\n", "[EXTENSIONS]\n" + links).replace("0 0 0 0 1 2", "0 0 0 0 1 3")
    assert code_of(tmp_path, body) == "GD-226"


WORDS = ["0", "-1", "1e400", "nan", "1", "3", "99999999999999999999", "0.5", "x", "[SHAPES]", "extension A 1", "#", ""]


@settings(max_examples=300)
@given(st.randoms(use_true_random=False), st.integers(2, 5))
def test_mutations_are_read_or_refused(tmp_path_factory, chance: random.Random, minor: int) -> None:
    """Words and lines exchanged, dropped and doubled: a sequence or a code, nothing else."""
    lines = GOOD.splitlines()
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        kind = chance.randrange(4)
        if kind == 0:
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            lines[at] = " ".join(words)
        elif kind == 1:
            del lines[at]
        elif kind == 2:
            lines.insert(at, chance.choice(lines))
        else:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    try:
        sequence = read(tmp_path_factory.getbasetemp(), "\n".join(lines), minor)
    except GradatimError:
        return
    assert sequence.duration >= 0
    assert bool(sequence.waveform.left.isfinite().all())


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_cut_and_flipped_bytes_of_a_real_file(tmp_path_factory, shared: Path, chance: random.Random) -> None:
    name = chance.choice(["koma/epi_JEMRIS.seq", "koma/rotation_radial_tiny.seq"])
    content = bytearray((shared / "data/scanner" / name).read_bytes())
    for _ in range(chance.randint(0, 5)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    content = content[: chance.randint(1, len(content))]
    with suppress(GradatimError):
        assert read(tmp_path_factory.getbasetemp(), bytes(content)).duration >= 0
