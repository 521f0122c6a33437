"""gradatim sequence lint: what it says of real files, its exit codes, and what it refuses."""

import json

import pytest

from gradatim.cli.main import main

COIL = """### ASCCONV BEGIN ###
asCOMP[0].tName = "MP_TEST"
$INCLUDE something else
flGSWDTauX[0] = 0.20 # ms
flGSWDTauX[1] = 0.03
flGSWDTauX[2] = 3.00
flGSWDAX[0] = 0.40
flGSWDAX[1] = 0.10
flGSWDAX[2] = 0.50
flGSWDStimulationLimitX = 30.0
flGSWDStimulationThresholdX = 24.0
flGSWDTauY[0] = 1.50
flGSWDTauY[1] = 2.50
flGSWDTauY[2] = 0.15
flGSWDAY[0] = 0.55
flGSWDAY[1] = 0.15
flGSWDAY[2] = 0.30
flGSWDStimulationLimitY = 15.0
flGSWDStimulationThresholdY = 12.0
flGSWDTauZ[0] = 2.00
flGSWDTauZ[1] = 0.12
flGSWDTauZ[2] = 1.00
flGSWDAZ[0] = 0.42
flGSWDAZ[1] = 0.40
flGSWDAZ[2] = 0.18
flGSWDStimulationLimitZ = 25.0
flGSWDStimulationThresholdZ = 20.0
asGPAParameters[0].sGCParameters.flGScaleFactorX = 0.35
asGPAParameters[0].sGCParameters.flGScaleFactorY = 0.31
asGPAParameters[0].sGCParameters.flGScaleFactorZ = 0.25
"""


@pytest.fixture
def scanner(shared):
    return shared / "data/scanner"


def said(capsys, *words) -> tuple[int, dict]:
    code = main(["sequence", "lint", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_missing_dummy_is_a_fault_and_the_mended_file_is_none(scanner, capsys):
    code, found = said(capsys, scanner / "generated/tse.seq")
    assert code == 1
    assert [(f["code"], f["severity"]) for f in found["findings"]] == [("GD-904", "refuse"), ("GD-905", "warn")]
    code, found = said(capsys, scanner / "generated/tse_dummy.seq")
    assert code == 0
    assert [f["code"] for f in found["findings"]] == ["GD-905"]


def test_words_for_a_person(scanner, capsys):
    assert main(["sequence", "lint", str(scanner / "generated/tse.seq")]) == 1
    out = capsys.readouterr().out
    assert "fault GD-904 block 1 at 1.350 ms" in out
    assert "1 fault, 1 warning" in out
    assert out.rstrip().endswith("an estimate, not a clearance")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("koma/epi_JEMRIS.seq", {"GD-235", "GD-905"}),  # 1.2.1: 64 samples around k = 0
        ("koma/epi_ramp.seq", {"GD-234", "GD-235", "GD-905"}),  # 1.4.0
        ("koma/epi.seq", set()),  # 1.5.1
        ("koma/rotation_radial_tiny.seq", {"GD-924"}),  # 1.5.1 with rotations: only readouts
        ("pypulseq/write_haste.seq", {"GD-905"}),
        ("generated/dwi.seq", {"GD-905"}),
    ],
)
def test_files_of_every_version(scanner, capsys, file, expected):
    code, found = said(capsys, scanner / file)
    assert {f["code"] for f in found["findings"]} == expected
    assert code == 0
    assert found["stimulation"]["remark"] == "an estimate, not a clearance"


def test_limits_are_checked_where_they_are_given(scanner, capsys):
    file = scanner / "generated/gre.seq"
    assert "GD-915" not in {f["code"] for f in said(capsys, file, "--gmax", 0.04, "--smax", 150)[1]["findings"]}
    code, found = said(capsys, file, "--gmax", 0.005)
    assert code == 1
    assert "GD-914" in {f["code"] for f in found["findings"]}


def test_the_field_of_view_may_be_given(scanner, capsys):
    file = scanner / "generated/gre.seq"
    assert "GD-911" not in {f["code"] for f in said(capsys, file, "--fov-mm", 220, 220, 5)[1]["findings"]}
    assert "GD-911" in {f["code"] for f in said(capsys, file, "--fov-mm", 300, 220, 5)[1]["findings"]}


def test_a_coils_own_parameters(scanner, capsys, tmp_path):
    coil = tmp_path / "coil.asc"
    coil.write_text(COIL)
    file = scanner / "generated/dwi_b0.seq"
    own, example = (said(capsys, file, *rest)[1]["stimulation"] for rest in (("--hardware", coil), ()))
    assert own["percent"] == pytest.approx(example["percent"], rel=1e-12)
    assert own["of"] == "the limit of MP_TEST"
    assert "not a real scanner" in example["of"]


def test_a_spectrometers_gradients_are_not_held_against_people(capsys, tmp_path):
    file = tmp_path / "pfg.seq"
    assert main(["sequence", "pfg", "--out", str(file)]) == 0
    capsys.readouterr()
    coil = tmp_path / "coil.asc"
    coil.write_text(COIL)
    code, found = said(capsys, file)
    assert (code, found["stimulation"]) == (0, None)
    assert [f["severity"] for f in found["findings"] if f["code"] == "GD-913"] == ["warn"]
    code, found = said(capsys, file, "--gmax", 0.5, "--smax", 5000)
    assert [(f["code"], f["severity"]) for f in found["findings"]] == [("GD-913", "note")]
    code, found = said(capsys, file, "--hardware", coil)  # one's own coil judges in any case
    assert code == 1
    assert found["stimulation"]["percent"] > 1000
    assert main(["sequence", "lint", str(file)]) == 0
    assert "nerve stimulation: not judged" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["gre", "megre", "epi", "tse", "diffusion", "pfg", "watergate"])
def test_what_a_newcomer_makes_has_no_fault(capsys, tmp_path, kind):
    file = tmp_path / f"{kind}.seq"
    assert main(["sequence", kind, "--out", str(file)]) == 0
    capsys.readouterr()
    code, found = said(capsys, file)
    assert (code, [f for f in found["findings"] if f["severity"] == "refuse"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("gre", "--pulse-ms", "1e300"), "GD-159"),
        (("megre", "--pulse-ms", "1e-9"), "GD-159"),
        (("pfg", "--spoiler", "1e300"), "GD-166"),
        (("gre", "--picture", "gre.png"), "GD-107"),
    ],
)
def test_numbers_and_names_that_no_sequence_can_have(capsys, tmp_path, words, code):
    file = tmp_path / "x.seq"
    assert main(["sequence", *words, "--out", str(file)]) == 2
    assert code in capsys.readouterr().err
    assert not file.exists()


def test_a_picture_that_would_be_no_png_is_refused(capsys, tmp_path):
    picture = tmp_path / "epi.png"
    assert main(["limits", "epi", "--picture", str(picture)]) == 2
    assert "GD-107" in capsys.readouterr().err
    assert not picture.exists()


def test_a_crusher_of_endless_turns_is_refused(capsys):
    assert main(["limits", "tse", "--cycles", "1e308"]) == 2
    assert "GD-101" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GD-243"),
        ("nothing here", "GD-243"),
        ("a = = b", "GD-243"),
        ("a = 1", "GD-244"),
        (COIL.replace("flGSWDAY[2] = 0.30", ""), "GD-244"),
        (COIL.replace("flGSWDAY[2] = 0.30", "flGSWDAY[2] = 0.90"), "GD-244"),
        (COIL.replace("StimulationLimitZ = 25.0", "StimulationLimitZ = nan"), "GD-244"),
        (COIL.replace("StimulationLimitZ = 25.0", "StimulationLimitZ = -25.0"), "GD-244"),
        (COIL.replace("flGScaleFactorZ = 0.25", "other = 0.25"), "GD-244"),
    ],
)
def test_a_coils_file_that_is_none_is_refused(scanner, capsys, tmp_path, text, code):
    coil = tmp_path / "coil.asc"
    coil.write_text(text)
    assert main(["sequence", "lint", str(scanner / "generated/dwi_b0.seq"), "--hardware", str(coil)]) == 3
    assert code in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused(scanner, capsys, tmp_path):
    coil = tmp_path / "coil.asc"
    coil.write_bytes(b"\xff\xfe\x00a = 1")
    assert main(["sequence", "lint", str(scanner / "generated/dwi_b0.seq"), "--hardware", str(coil)]) == 3
    assert "GD-243" in capsys.readouterr().err


def test_what_cannot_be_read_ends_with_3_and_nonsense_with_2(scanner, capsys, tmp_path):
    assert main(["sequence", "lint", str(tmp_path / "none.seq")]) == 3
    assert "GD-222" in capsys.readouterr().err
    for fov in (("0", "220", "5"), ("nan", "220", "5"), ("-1", "220", "5"), ("1e9", "1", "1")):
        assert main(["sequence", "lint", str(scanner / "generated/dwi_b0.seq"), "--fov-mm", *fov]) == 2
        assert "GD-175" in capsys.readouterr().err
