"""gradatim sequence epi, tse, diffusion, pfg: files, pictures, numbers in SI units, and refusals with a code."""

import json
import math
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.io.pulseq import read_pulseq

SMALL = ["--matrix", "32", "32"]
KINDS = {
    "epi": [*SMALL, "--echo-time-ms", "25"],
    "tse": [*SMALL, "--echoes", "8"],
    "diffusion": [*SMALL, "--b", "0", "500"],
    "pfg": ["--gradients", "0.1", "0.5", "--samples", "16"],
}


def told(capsys, *words: str) -> dict:
    assert main(["sequence", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_a_picture_and_one_object_of_numbers(kind: str, tmp_path: Path, capsys) -> None:
    out, picture = tmp_path / "x.seq", tmp_path / "x.svg"
    found = told(capsys, kind, *KINDS[kind], "--out", str(out), "--picture", str(picture))
    assert found["file"] == str(out)
    sequence = read_pulseq(out)
    assert found["readouts"] == len(sequence.readouts)
    assert found["duration_s"] == pytest.approx(sequence.duration / 1e9, abs=1e-12)
    assert sequence.definitions["Name"] == kind
    assert b"Gx (mT/m)" in picture.read_bytes()


def test_epi_says_where_100_hz_go(tmp_path: Path, capsys) -> None:
    found = told(capsys, "epi", *KINDS["epi"], "--out", str(tmp_path / "x.seq"))
    assert found["echo_time_s"] == pytest.approx(0.025)
    assert found["shift_at_100_hz_pixels"] == pytest.approx(100 / found["bandwidth_per_pixel_hz"])
    assert found["bandwidth_per_pixel_hz"] == pytest.approx(1 / (32 * found["echo_spacing_s"]))


def test_tse_reads_k_0_at_the_effective_echo_time(tmp_path: Path, capsys) -> None:
    out = str(tmp_path / "x.seq")
    assert told(capsys, "tse", *KINDS["tse"], "--order", "centre-out", "--out", out)["echo_time_s"] == pytest.approx(
        told(capsys, "tse", *KINDS["tse"], "--out", out)["echo_spacing_s"]
    )
    found = told(capsys, "tse", *KINDS["tse"], "--effective-echo-time-ms", "14", "--out", out)
    assert abs(found["echo_time_s"] - 0.014) <= found["echo_spacing_s"] / 2
    assert found["echo_time_s"] in found["echo_times_s"]


def test_diffusion_delivers_what_files_of_directions_ask(tmp_path: Path, capsys) -> None:
    (tmp_path / "bvals").write_text("0 700 700\n")
    (tmp_path / "bvecs").write_text("0 1 0.6\n0 0 0.8\n0 0 0\n")
    files = ["--bvals", str(tmp_path / "bvals"), "--bvecs", str(tmp_path / "bvecs")]
    found = told(capsys, "diffusion", *SMALL, *files, "--out", str(tmp_path / "x.seq"))
    assert found["b_xx_s_per_m2"][1] == pytest.approx(7e8, rel=1e-6)
    u = (0.6, 0.8)
    along = (
        u[0] ** 2 * found["b_xx_s_per_m2"][2]
        + u[1] ** 2 * found["b_yy_s_per_m2"][2]
        + 2 * u[0] * u[1] * found["b_xy_s_per_m2"][2]
    )
    assert along == pytest.approx(7e8, rel=1e-6)
    assert 0 < found["b_s_per_m2"][0] < 1e6


def test_pfg_b_grows_with_the_square_of_the_gradient(tmp_path: Path, capsys) -> None:
    for lobes in ("single", "bipolar"):
        found = told(capsys, "pfg", *KINDS["pfg"], "--lobes", lobes, "--out", str(tmp_path / "x.seq"))
        weak, strong = found["b_s_per_m2"]
        assert strong == pytest.approx(25 * weak, rel=1e-9)


def test_lines_for_a_reader(tmp_path: Path, capsys) -> None:
    assert main(["sequence", "diffusion", *KINDS["diffusion"], "--out", str(tmp_path / "x.seq")]) == 0
    said = capsys.readouterr().out
    assert "echo time" in said
    assert "s/mm²" in said


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["epi", "--partial-fourier", "0.3"], "GD-170"),
        (["epi", "--echo-time-ms", "2"], "GD-171"),
        (["epi", "--thickness-mm", "0"], "GD-159"),
        (["epi", "--slices", "0"], "GD-101"),
        (["epi", "--gap-mm", "nan"], "GD-101"),
        (["epi", "--fov-mm", "0.22", "0.22"], "GD-159"),
        (["epi", "--flip-angle", "nan"], "GD-169"),
        (["tse", "--echoes", "7"], "GD-173"),
        (["tse", "--order", "centre-out", "--effective-echo-time-ms", "20"], "GD-104"),
        (["tse", "--dwell-us", "5"], "GD-173"),
        (["tse", "--refocusing-angles", "-1"], "GD-173"),
        (["diffusion", "--b", "-5"], "GD-172"),
        (["diffusion", "--b", "1e12"], "GD-172"),
        (["diffusion", "--bvals", "nowhere"], "GD-104"),
        (["pfg", "--gradients", "9"], "GD-174"),
        (["pfg", "--big-delta-ms", "1"], "GD-174"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code_and_leaves_no_file(words, code, tmp_path: Path, capsys) -> None:
    out = tmp_path / "x.seq"
    assert main(["sequence", *words, "--out", str(out)]) in {2, 3}
    assert code in capsys.readouterr().err
    assert not out.exists()


def test_a_picture_in_the_place_of_an_input_is_refused(tmp_path: Path, capsys) -> None:
    for name, text in (("bvals", "0\n"), ("bvecs", "0\n0\n0\n")):
        (tmp_path / name).write_text(text)
    files = ["--bvals", str(tmp_path / "bvals"), "--bvecs", str(tmp_path / "bvecs")]
    words = ["diffusion", *files, "--out", str(tmp_path / "x.seq"), "--picture", str(tmp_path / "bvecs")]
    assert main(["sequence", *words]) == 2
    assert "GD-107" in capsys.readouterr().err
    assert (tmp_path / "bvecs").read_text() == "0\n0\n0\n"


def test_numbers_are_finite(tmp_path: Path, capsys) -> None:
    for kind, words in KINDS.items():
        found = told(capsys, kind, *words, "--out", str(tmp_path / "x.seq"))
        values = [v for value in found.values() if not isinstance(value, str)
                  for v in (value if isinstance(value, list) else [value])]  # fmt: skip
        assert all(math.isfinite(v) for v in values)
