"""gradatim sequence gre, megre and watergate: files, figures, refusals."""

import json
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.io.pulseq import read_pulseq

pytest.importorskip("pypulseq")
SMALL = ["--matrix", "16", "4", "--dummies", "1"]


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["sequence", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_gre_is_written_drawn_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    seq, svg = tmp_path / "gre.seq", tmp_path / "gre.svg"
    words = ("gre", "--out", str(seq), "--picture", str(svg), *SMALL, "--echo-time-ms", "5")
    code, out, _ = asked(capsys, *words)
    assert code == 0
    assert "echo time               5 ms" in out
    assert "delivered thickness" in out
    assert svg.read_text().lstrip().startswith("<")
    assert read_pulseq(seq).definitions["TE"] == (0.005,)


@pytest.mark.parametrize("polarity", ["monopolar", "bipolar"])
def test_megre_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str], polarity: str) -> None:
    words = ("megre", "--out", str(tmp_path / "m.seq"), *SMALL, "--echoes", "3", "--polarity", polarity, "--json")
    code, out, _ = asked(capsys, *words)
    found = json.loads(out)
    assert code == 0
    assert len(found["echo_time_s"]) == 3
    assert found["slice_thickness_m"] == pytest.approx(0.005)
    assert len(read_pulseq(tmp_path / "m.seq").readouts) == found["readouts"] == 12


def test_a_volume_by_a_hard_pulse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = ("--partitions", "3", "--pulse-ms", "0", "--thickness-mm", "60", "--echo-times-ms", "2", "5")
    code, _, _ = asked(capsys, "megre", "--out", str(tmp_path / "v.seq"), *SMALL, *volume)
    assert code == 0
    assert {readout.labels.get("PAR", 0) for _, readout in read_pulseq(tmp_path / "v.seq").readouts} == {0, 1, 2}


@pytest.mark.parametrize("train", ["3-9-19", "w5"])
def test_watergate_says_whether_the_hardware_suffices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], train: str
) -> None:
    file = str(tmp_path / "w.seq")
    strong = ("watergate", "--out", file, "--train", train, "--gmax", "0.5", "--smax", "5000", "--samples", "64")
    code, out, _ = asked(capsys, *strong)
    assert code == 0
    assert "suffices                yes: water" in out
    code, out, _ = asked(capsys, "watergate", "--out", file, "--train", train, "--samples", "64", "--json")
    assert code == 0
    assert json.loads(out)["suffices"].startswith("no: water")
    assert json.loads(out)["first_null_hz"] == pytest.approx(5000.0, rel=0.02)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("gre", "--echo-time-ms", "0.5"), "GD-166"),
        (("gre", "--echo-time-ms", "nan"), "GD-159"),
        (("gre", "--flip-angle", "-15"), "GD-159"),
        (("gre", "--pulse-ms", "-2"), "GD-159"),
        (("gre", "--pulse-ms", "0"), "GD-168"),
        (("gre", "--fov-mm", "1e9", "220"), "GD-159"),
        (("gre", "--dwell-us", "1"), "GD-166"),
        (("gre", "--matrix", "0", "4"), "GD-168"),
        (("gre", "--dummies", "-1"), "GD-168"),
        (("gre", "--gmax", "40"), "GD-159"),
        (("megre", "--echoes", "0"), "GD-168"),
        (("megre", "--echo-times-ms", "5", "4"), "GD-168"),
        (("megre", "--echo-spacing-ms", "0.1"), "GD-166"),
        (("watergate", "--spacing-us", "10"), "GD-169"),
        (("watergate", "--suppression", "nan"), "GD-168"),
        (("watergate", "--nutation-khz", "nan"), "GD-159"),
    ],
)
def test_refusals_have_codes_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    found, _, err = asked(capsys, words[0], "--out", str(tmp_path / "x.seq"), *words[1:])
    assert found == 2
    assert code in err
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = asked(capsys, "gre", "--out", str(tmp_path / "gre.txt"))
    assert code == 2
    assert "GD-101" in err
