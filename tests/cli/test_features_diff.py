"""gradatim features diff: in words, on an image, for programs; and what wrong words get."""

import json
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.nifti_write import write_nifti

GRID = Grid((10, 10, 6), (2.0, 2.0, 2.0))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A made image in HU, already on voxels of 2 mm, and one region."""
    noise = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(0))
    write_nifti(tmp_path / "ct.nii.gz", (40 + 30 * noise).round(), GRID)
    label = torch.zeros(GRID.shape, dtype=torch.int16)
    label[2:8, 2:8, 1:5] = 1
    write_nifti(tmp_path / "dseg.nii.gz", label, GRID)
    return ["--image", str(tmp_path / "ct.nii.gz"), "--regions", str(tmp_path / "dseg.nii.gz")]


def test_in_words(capsys) -> None:
    assert main(["features", "diff", "ibsi-c", "pyradiomics-3.1"]) == 0
    said = capsys.readouterr().out
    for word in ("resampling", "discretisation", "FixedBinSize", "ZeroAlignedBins", "excess_kurtosis", "shift"):
        assert word in said
    assert max(map(len, said.splitlines())) <= 120


def test_equal_settings_say_so(capsys) -> None:
    assert main(["features", "diff", "qsm", "qsm"]) == 0
    assert capsys.readouterr().out == "qsm and qsm are the same settings\n"


def test_on_an_image(files: list[str], capsys) -> None:
    assert main(["features", "diff", "ibsi-c", "pyradiomics-3.1", *files, "--rows", "3"]) == 0
    said = capsys.readouterr().out
    assert "1: the two part at the step 'grey levels'" in said
    assert "one setting after the other" in said
    assert "of 102 features differ by more than 0.1%, the first 3:" in said
    assert said.count("pyradiomics_") >= 3


def test_for_programs(files: list[str], capsys) -> None:
    assert main(["features", "diff", "ibsi-c", "pyradiomics-3.1", *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["compared"] == 102
    assert [step["setting"] for step in found["substitutions"]] == [
        "resampling",
        "resegmentation",
        "discretisation",
        "curve",
        "aggregations",
        "families",
    ]
    moved = {step["setting"]: {pair["meaning"] for pair in step["changed"]} for step in found["substitutions"]}
    # The voxels have 2 mm already and no intensity leaves the range: bins and definitions are all that differs.
    assert not moved["resampling"]
    assert not moved["resegmentation"]
    assert "glcm.joint_average" in moved["discretisation"]
    assert "statistics.excess_kurtosis" in moved["families"]
    assert {pair["meaning"] for pair in found["features"]} == moved["discretisation"] | moved["families"]
    assert found["steps"][-1]["second"]["minimum"] == 1.0
    kurtosis = next(p for p in found["features"] if p["meaning"] == "statistics.excess_kurtosis")
    assert kurtosis["second"]["value"] - kurtosis["first"]["value"] == pytest.approx(3.0)


def test_words_alone_for_programs(capsys) -> None:
    assert main(["features", "diff", "ibsi-c", "ibsi-d", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["setting"] for each in found["parameters"]] == ["resegmentation", "discretisation", "curve"]
    assert found.keys() == {"parameters"}


def test_a_settings_file_against_its_preset(files: list[str], tmp_path: Path, capsys) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('preset = "pyradiomics-3.1"\ndiscretisation = { method = "ZeroAlignedBins", width = 10 }\n')
    assert main(["features", "diff", "pyradiomics-3.1", str(mine), *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["setting"] for each in found["parameters"]] == ["discretisation"]
    assert [step["setting"] for step in found["substitutions"]] == ["discretisation"]


def test_equal_numbers_from_different_settings(files: list[str], tmp_path: Path, capsys) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'preset = "qsm"\nfamilies = ["statistics"]\n'
        'resegmentation = [{ method = "IntensityRange", low = -1000, high = 1000 }]\n'
    )
    assert main(["features", "diff", "qsm", str(mine), *files]) == 0
    said = capsys.readouterr().out
    assert "the two agree after every step" in said
    assert "0 of 18 features differ by more than 0.1%" in said
    assert "Features that differ" not in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ibsi-c", "pyradiomics"], 2, "did you mean 'pyradiomics-3.1'?"),
        (["ibsi-c", "none.toml"], 3, "GD-222"),
        (["ibsi-c", "qsm", "--image", "ct.nii.gz"], 2, "GD-149"),
        (["ibsi-c", "qsm", "--regions", "dseg.nii.gz"], 2, "GD-149"),
    ],
)
def test_wrong_words(words: list[str], code: int, said: str, capsys) -> None:
    assert main(["features", "diff", *words]) == code
    assert said in capsys.readouterr().err
