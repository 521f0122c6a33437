"""gradatim features --standard-errors: the library's numbers beside the values, and a reason where there are none."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.feature_settings import read_settings
from gradatim.cli.main import main
from gradatim.cli.measured_image import read_measured_image
from gradatim.io.nifti_write import write_nifti
from gradatim.io.table import read_features
from gradatim.radiomics.replicates import ReplicatedErrors
from gradatim.radiomics.soft.noise import WhiteNoise

GRID = Grid((7, 6, 5), (1.0, 1.0, 2.0))
SETTINGS = """
families = ["statistics", "glcm", "ngtdm", "glszm"]
aggregations = ["SUJT", "IAZD", "KOBO"]
discretisation = { method = "FixedBinSize", width = 25, origin = -1000 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CT with texture, a region of 36 voxels, another of a single one, and settings."""
    label = torch.zeros(GRID.shape, dtype=torch.int16)
    label[1:5, 1:4, 1:4] = 1
    label[6, 5, 4] = 2
    write_nifti(tmp_path / "lesion.nii.gz", label, GRID)
    write_nifti(
        tmp_path / "ct.nii.gz", 40 + 40 * torch.randn(GRID.shape, generator=torch.Generator().manual_seed(1)), GRID
    )
    (tmp_path / "S.toml").write_text(SETTINGS)
    return tmp_path


def measured(folder: Path, *more: str, out: str = "SE.csv") -> dict[tuple[str, ...], dict[str, str]]:
    files = [str(folder / name) for name in ("ct.nii.gz", "lesion.nii.gz")]
    words = ["--settings", str(folder / "S.toml"), "--unit", "HU", "--case", "01", "--out", str(folder / "F.csv")]
    assert main(["features", *files, *words, "--standard-errors", str(folder / out), *more]) == 0
    with (folder / "SE.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["region"], row["family"], row["feature"], row["aggregation"]): row for row in rows}


def test_every_feature_has_its_row_with_the_library_s_numbers(folder: Path) -> None:
    rows = measured(folder, "--noise-sigma", "10")
    features = read_features(folder / "F.csv")
    assert list(rows) == [(f.region, f.family, f.feature, f.aggregation) for f in features]
    for feature, row in zip(features, rows.values(), strict=True):
        assert row["value"] == repr(feature.value)
        assert (row["case"], row["image"], row["unit"]) == ("01", "ct", feature.unit)
    found = read_measured_image(folder / "ct.nii.gz", folder / "lesion.nii.gz", unit="HU")
    expected = ReplicatedErrors(read_settings(folder / "S.toml"), WhiteNoise(10.0))(found.map, found.layers[0])[1]
    for feature, row in zip(features, rows.values(), strict=True):
        if feature.region == "1":
            code = f".{feature.aggregation}" if feature.family == "glcm" else ""
            _, error, bias = expected[f"{feature.family}.{feature.feature}{code}"]
            known = [float(row[column]) for column in ("standard_error", "noise_bias")]
            assert known == pytest.approx([error, bias], rel=1e-12, nan_ok=True), feature
    mean = rows["1", "statistics", "mean", ""]
    assert float(mean["standard_error"]) == pytest.approx(10 / 6, rel=4 / math.sqrt(2 * 40))
    assert mean["basis"] == "white noise of σ = 10 HU, given; 40 replicates, the outline as given"
    said = json.loads((folder / "SE.provenance.json").read_text())
    assert said["Noise"] == {"Sigma": 10.0, "Source": "given", "Replicates": 40, "Seed": 0}


def test_zones_have_an_error_too_and_what_has_none_says_why(folder: Path) -> None:
    rows = measured(folder, "--noise-sigma", "10")
    for row in rows.values():
        assert math.isfinite(float(row["standard_error"])) or row["reason"]
    assert float(rows["1", "glszm", "zone_percentage", "KOBO"]["standard_error"]) > 0
    assert float(rows["2", "statistics", "mean", ""]["standard_error"]) == pytest.approx(10, rel=4 / math.sqrt(80))
    assert rows["2", "glcm", "contrast", "IAZD"]["reason"].startswith("GD-753")


def test_a_feature_that_a_replicate_does_not_have_says_so(folder: Path) -> None:
    text = SETTINGS.replace("origin = -1000", "origin = -80")  # the lowest intensity lies a little above
    (folder / "S.toml").write_text(text)
    rows = measured(folder, "--noise-sigma", "60")
    assert math.isfinite(float(rows["1", "glcm", "contrast", "IAZD"]["value"]))
    assert rows["1", "glcm", "contrast", "IAZD"]["reason"] == "GD-741 the feature is undefined in a replicate"


def test_the_noise_is_estimated_where_none_is_given(folder: Path) -> None:
    basis = {row["basis"] for row in measured(folder).values()}
    found = read_measured_image(folder / "ct.nii.gz", folder / "lesion.nii.gz", unit="HU")
    sigma = WhiteNoise.estimated(found.map).sigma
    source = "estimated from the image's finest detail"
    assert basis == {f"white noise of σ = {sigma:.4g} HU, {source}; 40 replicates, the outline as given"}


def test_a_rounded_resampling_has_errors(folder: Path) -> None:
    resampling = 'resampling = { method = "ResampleTo", spacing = [1.0, 1.0, 1.0], rounding = "RoundToUnit" }'
    text = SETTINGS.replace('"glcm", "ngtdm", "glszm"', '"ngldm"').replace('"SUJT", "IAZD", ', "")
    (folder / "S.toml").write_text(text + resampling)
    rows = measured(folder, "--noise-sigma", "10")
    assert 1 < float(rows["1", "statistics", "mean", ""]["standard_error"]) < 3


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--noise-sigma", "10"), 2, "GD-104"),
        (("--standard-errors", "SE.xls"), 2, "GD-102"),
        (("--standard-errors", "W.csv", "--wide", "W.csv"), 2, "GD-107"),
        (("--standard-errors", "SE.csv", "--noise-sigma", "-1"), 2, "GD-145"),
    ],
)
def test_wrong_words_are_refused_before_the_work(folder: Path, more, code: int, said: str, capsys) -> None:
    files = [str(folder / name) for name in ("ct.nii.gz", "lesion.nii.gz")]
    assert main(["features", *files, "--out", str(folder / "F.csv"), *more]) == code
    assert said in capsys.readouterr().err
    assert not list(folder.glob("F.*"))


def test_an_image_too_flat_to_tell_its_noise_is_refused(folder: Path, capsys) -> None:
    write_nifti(folder / "ct.nii.gz", torch.full(GRID.shape, 40.0), GRID)
    files = [str(folder / name) for name in ("ct.nii.gz", "lesion.nii.gz")]
    words = ["--out", str(folder / "F.csv"), "--standard-errors", str(folder / "SE.csv")]
    assert main(["features", *files, *words]) == 3
    assert "GD-640" in capsys.readouterr().err
    assert not list(folder.glob("F.*"))
