"""gradatim limits: the library's answers in sentences, JSON and pictures, and what is refused."""

import json
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.system import System

EPI = ("epi", "--gmax", "0.040", "--smax", "150", "--matrix", "128", "--fov-mm", "220")
EVERY = {
    "slice": ("--thickness-mm", "5", "--time-bandwidth", "4", "--pulse-ms", "2"),
    "readout": ("--fov-mm", "220", "--matrix", "64", "--dwell-us", "20"),
    "epi": (),
    "tse": (),
    "diffusion": (),
}
ANSWERS = {
    "slice": "thinnest_slice_m",
    "readout": "shortest_dwell_s",
    "epi": "echo_spacing_s",
    "tse": "echo_spacing_s",
    "diffusion": "echo_time_s",
}


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["limits", *words, "--json"]) == 0
    found: dict = json.loads(capsys.readouterr().out)
    return found


def test_one_object_with_spacing_binding_and_sensitivity(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, *EPI)
    assert round(found["echo_spacing_s"], 7) == 6.083e-4
    assert found["binding"] == "amplitude"
    limit = EpiEchoSpacing(fov=0.22, matrix=128)(System(0.040, 150.0))
    assert found["sensitivity"] == dict(limit.sensitivity)
    assert found["elasticity"] == dict(limit.elasticity)
    assert found["reason"] == limit.reason
    assert found["echo_spacing_rastered_s"] == limit.rastered
    assert round(found["flat_top_s"] * 1e6, 1) == 853.7
    assert found["system"]["max_gradient_t_per_m"] == 0.040
    assert "no clearance" in found["notes"][0]


@pytest.mark.parametrize("design", EVERY)
def test_every_design_answers_in_numbers_and_in_sentences(design: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, design, *EVERY[design])
    assert found[ANSWERS[design]] > 0
    assert set(found["sensitivity"]) >= {"max_gradient", "max_slew"}
    assert main(["limits", design, *EVERY[design]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-bound: " in lines[1]
    assert lines[-1] == "system: 40 mT/m and 150 T/(m·s) on one axis"
    assert "-0.00" not in lines[-2]


@pytest.mark.parametrize("design", EVERY)
def test_every_design_is_drawn(design: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "trade.svg"
    assert main(["limits", design, *EVERY[design], "--picture", str(picture)]) == 0
    text = picture.read_text(encoding="utf-8")
    assert "slew rate" in text
    assert ("more gradient gives nothing" in text) is (design in ("epi", "tse"))


def test_a_share_of_the_stimulation_limit_lengthens_the_spacing(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("epi", "--gmax", "0.080", "--smax", "200", "--matrix", "128")
    free, careful = said(capsys, *words), said(capsys, *words, "--stimulation-percent", "80")
    assert round(1e6 * free["echo_spacing_s"], 1) == round(1e6 * careful["hardware_alone_s"], 1) == 522.8
    assert round(1e6 * careful["echo_spacing_s"], 1) == 646.6
    assert careful["binding"] == "stimulation"
    assert careful["sensitivity"]["allowed_share"] < 0
    assert round(careful["played_slew_rate_t_per_m_s"], 1) == 141.7
    assert "reaches 80 % of the first-level limit" in careful["notes"][0]
    assert "no clearance" in careful["notes"][0]


def test_a_picture_marks_where_nerves_bind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for over in ("hardware", "resolution"):
        words = ("--stimulation-percent", "80", "--over", over, "--picture", str(tmp_path / f"{over}.svg"))
        assert main(["limits", "epi", *words]) == 0
        assert "stimulation-bound" in (tmp_path / f"{over}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("design", ["epi", "tse"])
def test_the_answer_over_the_resolution(design: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "resolution.svg"
    assert main(["limits", design, "--over", "resolution", "--picture", str(picture)]) == 0
    text = picture.read_text(encoding="utf-8")
    assert "pixel (mm)" in text
    assert "twice the slew rate" in text
    assert "amplitude-bound" in text


def test_a_picture_of_a_constant_is_drawn_in_silence(tmp_path: Path) -> None:
    words = ("readout", "--fov-mm", "220", "--shortest-dwell-us", "500", "--picture", str(tmp_path / "flat.svg"))
    assert main(["limits", *words]) == 0
    assert "0.0005" not in (tmp_path / "flat.svg").read_text(encoding="utf-8")
    assert "500 everywhere" in (tmp_path / "flat.svg").read_text(encoding="utf-8")


def test_sampling_is_chosen_by_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    flat, blanked = (said(capsys, *EPI, "--sampling", word) for word in ("flat-top", "no-blips"))
    assert round(flat["echo_spacing_s"] * 1e6, 1) == 853.7
    assert round(blanked["echo_spacing_s"] * 1e6, 1) == 611.0


def test_a_scanner_by_name_says_whose_limits_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "epi", "--system", "magnetom terra"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("system: 46.19 mT/m and 200 T/(m·s) on one axis (Siemens Healthineers MAGNETOM Terra")
    assert "80 mT/m on all axes combined" in last
    derated = said(capsys, "epi", "--system", "SIGNA Premier", "--smax", "100")
    assert derated["system"]["max_slew_t_per_m_s"] == 100.0
    assert derated["system"]["origin"].endswith("changed")


def test_a_system_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "head.toml"
    file.write_text("max_gradient = 0.3\nmax_slew = 750\nreadout_dead = 20_000\nrasters = { gradient = 4_000 }\n")
    found = said(capsys, "epi", "--matrix", "64", "--system-file", str(file))
    assert found["system"] == {
        "max_gradient_t_per_m": 0.3,
        "max_slew_t_per_m_s": 750.0,
        "raster_s": 4e-6,
        "origin": "head.toml",
    }
    assert round(found["echo_spacing_rastered_s"] / 4e-6, 6).is_integer()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("max_gradient = 0.04", "GD-106"),
        ("max_slew = 150", "GD-106"),
        ("max_gradient = 40\nmax_slew = 150", "GD-159"),
        ("max_gradient = nan\nmax_slew = 150", "GD-159"),
        ("max_gradient = 0.04\nmax_slew = '150'", "GD-106"),
        ("max_gradient = 0.04\nmax_slew = 150\nmax_slw = 3", "GD-102"),
        ("max_gradient = 0.04\nmax_slew = 150\nreadout_dead = 1.5", "GD-106"),
        ("max_gradient = 0.04\nmax_slew = 150\nreadout_dead = -5", "GD-101"),
        ("max_gradient = 0.04\nmax_slew = 150\nrasters = 4", "GD-106"),
        ("max_gradient = 0.04\nmax_slew = 150\nrasters = { gradint = 4 }", "GD-102"),
        ("max_gradient = ", "GD-105"),
    ],
)
def test_a_file_that_is_no_system_is_refused(
    text: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "head.toml"
    file.write_text(text)
    assert main(["limits", "epi", "--system-file", str(file)]) == 2
    assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("epi", "--gmax", "40"), "GD-159: --gmax 40 T/m; allowed: 0.0001 to 5 T/m; 40 mT/m is 0.040"),
        (("epi", "--gmax", "0.00004"), "GD-159"),
        (("epi", "--gmax", "nan"), "GD-159"),
        (("epi", "--smax", "-150"), "GD-159"),
        (("epi", "--smax", "0.15"), "GD-159"),
        (("epi", "--fov-mm", "0.22"), "GD-159"),
        (("epi", "--matrix", "0"), "GD-101"),
        (("epi", "--matrix", "1000000000000"), "GD-101"),
        (("epi", "--acceleration", "-2"), "GD-101"),
        (("epi", "--shortest-dwell-us", "1e-6"), "GD-159"),
        (("epi", "--sampling", "ramp"), "GD-102: sampling 'ramp'; allowed: flat-top, no-blips, ramps; did you mean"),
        (("epi", "--over", "time"), "GD-102: picture over 'time'; allowed: hardware, resolution"),
        (("epi", "--stimulation-percent", "0.8"), "GD-159: --stimulation-percent 0.8 %"),
        (("epi", "--stimulation-percent", "120"), "GD-159"),
        (("epi", "--stimulation-percent", "nan"), "GD-159"),
        (("tse", "--over", "time"), "GD-102"),
        (("epi", "--system", "prisma"), "did you mean 'MAGNETOM Prisma'?"),
        (("epi", "--system", "prisma", "--system-file", "x.toml"), "GD-104"),
        (("slice",), "GD-157"),
        (("slice", "--bandwidth", "1000", "--thickness-mm", "0.1"), "GD-166"),
        (("slice", "--bandwidth", "inf"), "GD-101"),
        (("slice", "--gradient", "10", "--thickness-mm", "5"), "GD-159"),
        (("readout", "--matrix", "64"), "GD-157"),
        (("tse", "--thickness-mm", "0"), "GD-159"),
        (("tse", "--pulse-ms", "0"), "GD-101"),
        (("tse", "--dwell-us", "0.5"), "GD-166"),
        (("diffusion", "--b", "1e9"), "GD-159"),
        (("diffusion", "--b", "0"), "GD-159"),
        (("diffusion", "--readout-ms", "-1"), "GD-159"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", *words]) == 2
    assert code in capsys.readouterr().err


def test_a_missing_file_and_a_picture_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "head.toml"
    assert main(["limits", "epi", "--system-file", str(file)]) == 3
    assert "GD-222" in capsys.readouterr().err
    file.write_text("max_gradient = 0.04\nmax_slew = 150\n")
    assert main(["limits", "epi", "--system-file", str(file), "--picture", str(file)]) == 2
    assert "GD-107" in capsys.readouterr().err
    assert file.read_text().startswith("max_gradient")
