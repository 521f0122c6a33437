"""gradatim features --standard-errors: the library's numbers beside the values, and a reason where there are none."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.cli.main import main
from gradatim.cli.measured_image import read_measured_image
from gradatim.io.nifti_write import write_nifti
from gradatim.io.table import read_features
from gradatim.radiomics.aggregation import SLICES_MERGED
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.soft.extraction import SoftExtraction
from gradatim.radiomics.soft.noise import WhiteNoise
from gradatim.radiomics.soft.standard_error import StandardErrors
from gradatim.radiomics.statistics import Statistics

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
    (layer,), preparation = found.layers, Preparation(FixedBinSize(width=25.0, origin=-1000.0))
    for families, aggregation in (((Statistics(),), ""), ((Glcm(),), "SUJT")):
        soft = SoftExtraction(families=families, directional=SLICES_MERGED)
        first = Regions((layer.labels == 1).to(torch.int64), layer.grid)
        expected = StandardErrors(preparation, WhiteNoise(10.0), soft)(found.map, first)[1]
        for name, (value, error, bias) in expected.items():
            row = rows["1", *name.split("."), aggregation]
            known = [float(row[column]) for column in ("soft_value", "standard_error", "noise_bias")]
            assert known == pytest.approx([value, error, bias], rel=1e-12, nan_ok=True), name
    mean = rows["1", "statistics", "mean", ""]
    assert float(mean["standard_error"]) == pytest.approx(10 / 6, rel=1e-9)
    assert float(mean["soft_value"]) == pytest.approx(float(mean["value"]), rel=1e-12)
    assert mean["basis"] == "white noise of σ = 10 HU, given; soft grey levels"
    said = json.loads((folder / "SE.provenance.json").read_text())
    assert said["Noise"] == {"Sigma": 10.0, "Source": "given", "Draws": 2, "Seed": 0}


def test_what_has_no_gradient_says_why(folder: Path) -> None:
    rows = measured(folder, "--noise-sigma", "10")
    for (region, family, _, _), row in rows.items():
        defined, known = math.isfinite(float(row["value"])), math.isfinite(float(row["standard_error"]))
        assert known or row["reason"]
        if family == "glszm":
            assert not known
            assert row["reason"].startswith("GD-741 family glszm has no soft counterpart")
        if region == "2" and family in {"glcm", "ngtdm"}:
            assert not known
        if region == "2" and family == "statistics" and defined and "GD" not in row["reason"]:
            assert known
    assert float(rows["2", "statistics", "mean", ""]["standard_error"]) == pytest.approx(10.0)
    assert rows["2", "glcm", "contrast", "IAZD"]["reason"].startswith("GD-75")


def test_the_noise_is_estimated_where_none_is_given(folder: Path) -> None:
    basis = {row["basis"] for row in measured(folder).values()}
    found = read_measured_image(folder / "ct.nii.gz", folder / "lesion.nii.gz", unit="HU")
    sigma = WhiteNoise.estimated(found.map).sigma
    assert basis == {f"white noise of σ = {sigma:.4g} HU, estimated from the image's finest detail; soft grey levels"}


def test_a_rounded_resampling_is_taken_without_its_rounding(folder: Path) -> None:
    resampling = 'resampling = { method = "ResampleTo", spacing = [1.0, 1.0, 1.0], rounding = "RoundToUnit" }'
    text = SETTINGS.replace('"glcm", "ngtdm", "glszm"', '"ngldm"').replace(', "IAZD"', "")
    (folder / "S.toml").write_text(text.replace('"SUJT", ', "") + resampling)
    rows = measured(folder, "--noise-sigma", "10")
    assert all(row["basis"].endswith("; intensities not rounded") for row in rows.values())
    found = read_measured_image(folder / "ct.nii.gz", folder / "lesion.nii.gz", unit="HU")
    preparation = Preparation(FixedBinSize(width=25.0, origin=-1000.0), resampling=ResampleTo((1.0, 1.0, 1.0)))
    soft = SoftExtraction(families=(Statistics(),))
    expected = StandardErrors(preparation, WhiteNoise(10.0), soft)(found.map, found.layers[0])
    error = float(rows["1", "statistics", "mean", ""]["standard_error"])
    assert error == pytest.approx(expected[1]["statistics.mean"].standard_error, rel=1e-9)
    assert error > 1


def test_grey_levels_without_a_ruler_leave_the_statistics(folder: Path) -> None:
    (folder / "S.toml").write_text(
        'families = ["statistics", "glcm"]\ndiscretisation = { method = "FixedBinSizeFromMinimum", width = 25 }'
    )
    rows = measured(folder, "--noise-sigma", "10")
    assert float(rows["1", "statistics", "mean", ""]["standard_error"]) == pytest.approx(10 / 6, rel=1e-9)
    assert rows["1", "glcm", "contrast", "IAZD"]["reason"].startswith("GD-144")


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
