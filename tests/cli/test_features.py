"""gradatim features: the published values from the command line, and what wrong words and files get."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Feature
from gradatim.cli.feature_settings import read_settings
from gradatim.cli.main import main
from gradatim.io.nifti_write import write_nifti
from gradatim.io.table import read_features
from gradatim.radiomics.aggregation import SLICES_MERGED
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.filters.boundary import Nearest, Zero
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.frequencies import FourierFrequencies
from gradatim.radiomics.filters.gabor import Gabor
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.rotations import SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PRESETS, QSM
from gradatim.radiomics.resample import ResampleTo, RoundToUnit
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.statistics import Statistics

GRID = Grid((4, 4, 4), (1.0, 1.0, 1.0))


@pytest.fixture
def chi(tmp_path: Path) -> Path:
    """A susceptibility map, with a sidecar that gives its unit."""
    value = torch.randn(4, 4, 4, generator=torch.Generator().manual_seed(0)) / 20
    value[0, 0, 0] = math.nan
    write_nifti(tmp_path / "Chimap.nii.gz", value, GRID)
    (tmp_path / "Chimap.json").write_text('{"Units": "ppm"}')
    return tmp_path / "Chimap.nii.gz"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """One region and another of a single voxel."""
    label = torch.ones(4, 4, 4, dtype=torch.int16)
    label[3, 3, 3] = 2
    write_nifti(tmp_path / "dseg.nii.gz", label, GRID)
    return tmp_path / "dseg.nii.gz"


def test_the_digital_phantom_has_its_published_values(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/radiomics/phantoms/ibsi_1_digital_phantom/nifti"
    out = tmp_path / "F.csv"
    files = [str(folder / "image/phantom.nii.gz"), str(folder / "mask/mask.nii.gz")]
    assert main(["features", *files, "--preset", "ibsi-digital", "--out", str(out)]) == 0
    assert_published(read_features(out), shared, "digital_phantom", count=482)


@pytest.mark.slow
def test_the_ct_phantom_by_configuration_c_has_its_published_values(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    out = tmp_path / "F.parquet"
    files = [str(folder / "image/phantom.nii.gz"), str(folder / "mask/mask.nii.gz")]
    assert main(["features", *files, "--preset", "ibsi-c", "--unit", "HU", "--out", str(out)]) == 0
    assert_published(read_features(out), shared, "ct_config_c", count=210)


def assert_published(features: tuple[Feature, ...], shared: Path, configuration: str, *, count: int) -> None:
    """Every published value of a configuration, found by code, aggregation and, where IBSI repeats a code, name."""
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["config"] == configuration and row["value"]]
    names = {(family.id, record.id): record.name for family in FAMILIES for record in family.features}
    measured = {(f.ibsi_code, f.aggregation, names[f.family, f.feature]): f.value for f in features}
    published = [row for row in rows if row["family"] != "diagnostics"]
    assert len(published) == count
    for row in published:
        value = measured[row["ibsi_code"], row["aggregation_code"], row["feature"]]
        off = abs(float(f"{value:.3g}") - float(row["value"]))
        assert off <= float(row["tolerance"] or 0) * (1 + 1e-9), row


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_a_table_of_a_map(chi: Path, labels: Path, tmp_path: Path, ending: str, capsys) -> None:
    out = tmp_path / f"F.{ending}"
    assert main(["features", str(chi), str(labels), "--out", str(out), "--case", "sub-01"]) == 0
    features = read_features(out)
    assert {f.region for f in features} == {"1", "2"}
    assert {(f.case, f.image, f.settings) for f in features} == {("sub-01", "Chimap", QSM.settings)}
    assert {f.unit for f in features if (f.family, f.feature) == ("statistics", "mean")} == {"ppm"}
    undefined = [f for f in features if math.isnan(f.value)]
    assert all(f.reason for f in undefined)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{len(features)} features, 2 region(s), {len(undefined)} undefined" in captured.err
    said = json.loads(out.with_suffix(".provenance.json").read_text())
    assert said["Settings"] == QSM.settings
    assert set(said["Inputs"]) == {"image", "image, sidecar", "regions"}
    assert set(said["Steps"]) == {"1", "2"}
    assert said["Steps"]["1"]["morph_mask_vox_count_init_roi"] > 0


@pytest.fixture
def rim(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A masked map of 0.1 ppm, its mask, and a region that reaches half outside of it."""
    mask = torch.zeros(4, 4, 4, dtype=torch.bool)
    mask[:2] = True
    write_nifti(tmp_path / "chi.nii.gz", torch.where(mask, 0.1, 0.0), GRID)
    (tmp_path / "chi.json").write_text('{"Units": "ppm", "SkullStripped": true}')
    write_nifti(tmp_path / "mask.nii.gz", mask, GRID)
    write_nifti(tmp_path / "rim.nii.gz", torch.ones(4, 4, 4, dtype=torch.int16), GRID)
    return tmp_path / "chi.nii.gz", tmp_path / "rim.nii.gz", tmp_path / "mask.nii.gz"


def test_what_lies_outside_the_mask_has_no_intensity(rim, tmp_path: Path, capsys) -> None:
    image, labels, mask = map(str, rim)
    assert main(["features", image, labels, "--mask", mask, "--out", str(tmp_path / "F.csv")]) == 0
    value = {(f.family, f.feature): f.value for f in read_features(tmp_path / "F.csv")}
    assert value["statistics", "mean"] == pytest.approx(0.1, rel=1e-6)
    assert value["morphology", "volume_voxel_counting"] == 64.0
    assert "GD-702" not in capsys.readouterr().err


def test_zeros_of_a_masked_image_are_a_warning(rim, tmp_path: Path, capsys) -> None:
    image, labels, _ = map(str, rim)
    assert main(["features", image, labels, "--out", str(tmp_path / "F.csv")]) == 0
    said = capsys.readouterr().err
    assert "GD-702" in said
    assert "32 of 64" in said
    assert "--mask" in said


def test_a_mask_on_another_grid_is_refused(rim, tmp_path: Path, capsys) -> None:
    image, labels, _ = map(str, rim)
    other, out = tmp_path / "other.nii.gz", tmp_path / "F.csv"
    write_nifti(other, torch.arange(64).view(4, 4, 4) > 9, Grid((4, 4, 4), (1.0, 1.0, 2.0)))
    assert main(["features", image, labels, "--mask", str(other), "--out", str(out)]) == 3
    assert "GD-311" in capsys.readouterr().err
    assert not out.exists()


def test_the_given_unit_counts_more_than_the_sidecar(chi: Path, labels: Path, tmp_path: Path) -> None:
    assert main(["features", str(chi), str(labels), "--out", str(tmp_path / "F.csv"), "--unit", "ppb"]) == 0
    rows = read_features(tmp_path / "F.csv")
    assert {f.unit for f in rows if (f.family, f.feature) == ("statistics", "variance")} == {"ppb²"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--preset", "ibsi-digtal"], 2, "did you mean 'ibsi-digital'?"),
        (["--preset", "qsm", "--settings", "S.toml"], 2, "GD-104"),
        (["--settings", "none.toml"], 3, "GD-222"),
        (["--out", "F.xls"], 2, "GD-102"),
        (["--report", "F.txt"], 2, "allowed: .html"),
        (["--prest", "qsm"], 2, "--preset"),
    ],
)
def test_wrong_words_are_refused(chi: Path, labels: Path, tmp_path: Path, words, code: int, said: str, capsys) -> None:
    out = [] if "--out" in words else ["--out", str(tmp_path / "F.csv")]
    try:
        ended = main(["features", str(chi), str(labels), *out, *words])
    except SystemExit as stop:
        ended = stop.code
    assert ended == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("F.*"))


def test_labels_without_a_region_and_another_grid_are_refused(chi: Path, tmp_path: Path, capsys) -> None:
    for name, label, grid, code, exit_code in (
        ("empty", torch.zeros(4, 4, 4, dtype=torch.int16), GRID, "GD-701", 3),
        ("other", torch.ones(4, 4, 4, dtype=torch.int16), Grid((4, 4, 4), (1.0, 1.0, 2.0)), "GD-298", 3),
    ):
        path = tmp_path / f"{name}.nii.gz"
        write_nifti(path, label, grid)
        assert main(["features", str(chi), str(path), "--out", str(tmp_path / "F.csv")]) == exit_code
        assert code in capsys.readouterr().err
    assert not (tmp_path / "F.csv").exists()


def test_an_image_in_the_place_of_its_labels_is_refused(tmp_path: Path, capsys) -> None:
    grid = Grid((10, 10, 8), (1.0, 1.0, 1.0))
    write_nifti(tmp_path / "ct.nii.gz", torch.arange(800, dtype=torch.int16).reshape(10, 10, 8), grid)
    write_nifti(tmp_path / "lesion.nii.gz", (torch.arange(800).reshape(10, 10, 8) > 400).to(torch.int16), grid)
    files = [str(tmp_path / "lesion.nii.gz"), str(tmp_path / "ct.nii.gz")]
    assert main(["features", *files, "--out", str(tmp_path / "F.csv")]) == 3
    assert "GD-704: ct.nii.gz with 799 labels for lesion.nii.gz with 2 values" in capsys.readouterr().err
    assert not list(tmp_path.glob("F.*"))


@pytest.mark.parametrize(
    ("unit", "preset", "warned"), [("HU", [], 1), ("ppb", [], 1), ("ppm", [], 0), ("HU", ["ibsi-c"], 0)]
)
def test_a_preset_for_another_unit_is_a_warning(
    chi: Path, labels: Path, tmp_path: Path, unit: str, preset: list[str], warned: int, capsys
) -> None:
    words = [str(chi), str(labels), "--unit", unit, "--out", str(tmp_path / "F.csv")]
    assert main(["features", *words, *(["--preset", *preset] if preset else [])]) == 0
    assert capsys.readouterr().err.count("warning GD-705") == warned


def test_four_dimensions_are_refused(labels: Path, tmp_path: Path, capsys) -> None:
    write_nifti(tmp_path / "echoes.nii.gz", torch.ones(2, 4, 4, 4), GRID)
    assert main(["features", str(tmp_path / "echoes.nii.gz"), str(labels), "--out", str(tmp_path / "F.csv")]) == 3
    assert "GD-215" in capsys.readouterr().err


def written(folder: Path, text: str) -> Path:
    path = folder / "S.toml"
    path.write_text(text)
    return path


def test_a_settings_file_says_what_is_measured(tmp_path: Path) -> None:
    text = """
        families = ["glcm", "statistics"]
        aggregations = ["SUJT"]
        discretisation = { method = "FixedBinSize", width = 25, origin = -500 }
        resegmentation = [{ method = "IntensityRange", low = -500.0, high = 400.0 }]
    """
    assert read_settings(written(tmp_path, text)) == Extraction(
        Preparation(FixedBinSize(width=25.0, origin=-500.0), (IntensityRange(-500.0, 400.0),)),
        families=(Glcm(), Statistics()),
        aggregations=(SLICES_MERGED,),
    )


def test_a_settings_file_may_begin_with_a_preset(tmp_path: Path) -> None:
    again = read_settings(written(tmp_path, 'preset = "ibsi-digital"\nfamilies = ["glcm"]'))
    assert again.preparation == PRESETS["ibsi-digital"].preparation
    assert again.aggregations == PRESETS["ibsi-digital"].aggregations
    assert [family.id for family in again.families] == ["glcm"]


def test_the_settings_on_the_page_are_those_of_its_code(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/pixels-to-table.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert read_settings(written(tmp_path, text)).preparation == Preparation(
        FixedBinSize(width=10.0, origin=-150.0),
        (IntensityRange(low=-150.0, high=200.0),),
        ResampleTo((2.0, 2.0, 2.0), rounding=RoundToUnit()),
    )


FILTERS = {
    "mean": MeanFilter(5),
    "laws": Pooled(EnergyMap(LawsKernels("L5E5E5")), SpaceRotations(), Maximum()),
    "gabor": OrthogonalPlanes(Gabor(5.0, 2.0, 1.5, (0.0, 0.5), boundary=Nearest())),
    "wavelet": Pooled(SeparableWavelet(WAVELETS["db3"], "LLH", boundary=Zero()), SpaceRotations(), Average()),
    "simoncelli": Riesz(NonseparableWavelet(2, frequencies=FourierFrequencies()), (0, 2, 0)),
    "log": LaplacianOfGaussian(1.5),
}

SETTINGS = {
    **PRESETS,
    **{name: Extraction(Preparation(FixedBinNumber(32), response=each)) for name, each in FILTERS.items()},
    "none": Extraction(Preparation(NoDiscretisation(), (IntensityRange(-1.0, 1.0),))),
    "number": Extraction(Preparation(FixedBinNumber(32)), leave_out=("morphology.moran_i",)),
}


def test_a_wavelet_may_be_named(tmp_path: Path) -> None:
    text = """
        discretisation = "NoDiscretisation"
        response = { method = "SeparableWavelet", low_pass = "db3", bands = "LLH" }
    """
    found = read_settings(written(tmp_path, text)).preparation.response
    assert found == SeparableWavelet(WAVELETS["db3"], "LLH")
    with pytest.raises(UsageError, match=r"GD-102.*did you mean 'db3'"):
        read_settings(written(tmp_path, text.replace("db3", "db33")))


@pytest.mark.parametrize("extraction", SETTINGS.values(), ids=SETTINGS)
def test_the_parameters_in_a_sidecar_are_a_settings_file(extraction: Extraction, tmp_path: Path) -> None:
    lines = [f"{key} = {_toml(value)}" for key, value in extraction.parameters.items()]
    again = read_settings(written(tmp_path, "\n".join(lines)))
    assert again == extraction
    assert again.settings == extraction.settings


def _toml(value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return repr(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"GD-106: no discretisation in S.toml; allowed: .*FixedBinNumber, .*; add"),
        ("x = = 1", r"GD-105"),
        ("familes = []", r"GD-102.*did you mean 'families'"),
        ('discretisation = { method = "FixedBinsize", width = 1, origin = 0 }', r"GD-102.*did you mean 'FixedBinSize'"),
        ('discretisation = { method = "FixedBinSize", widht = 1, origin = 0 }', r"GD-102.*did you mean 'width'"),
        ('discretisation = { method = "FixedBinSize", width = 1 }', r"GD-106: no discretisation.origin.*; add"),
        (
            'discretisation = { method = "FixedBinSize", width = "1", origin = 0 }',
            r"GD-106: discretisation.width = '1'",
        ),
        ('discretisation = { method = "FixedBinNumber", count = 32.5 }', r"GD-106.*whole number"),
        ('discretisation = { method = "FixedBinNumber", count = true }', r"GD-106.*whole number"),
        ('discretisation = { method = "FixedBinNumber", count = 0 }', r"GD-101"),
        ('discretisation = "FixedBinNumber"', r"GD-106: no discretisation.count"),
        ('families = ["glmc"]\ndiscretisation = { method = "NoDiscretisation" }', r"GD-102.*did you mean 'glcm'"),
        ('aggregations = ["IADZ"]\ndiscretisation = { method = "NoDiscretisation" }', r"GD-102.*did you mean 'IAZD'"),
        (
            'discretisation = "NoDiscretisation"\nresegmentation = [{ method = "IntensityRange", low = 1 }]',
            r"GD-106: no resegmentation\[0\].high",
        ),
        ('discretisation = "NoDiscretisation"\nresegmentation = { low = 1, high = 2 }', r"GD-106.*a list"),
        ('preset = "ibsi-digitl"', r"GD-102.*did you mean 'ibsi-digital'"),
    ],
)
def test_nothing_unknown_passes_in_a_settings_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings(written(tmp_path, text))


def test_a_settings_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "S.toml").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(UsageError, match="GD-105"):
        read_settings(tmp_path / "S.toml")


def test_a_cohort_measures_a_case_again_whose_unit_changed(chi: Path, labels: Path, tmp_path: Path) -> None:
    (tmp_path / "M.csv").write_text(f"case,image,regions\n01,{chi.name},{labels.name}\n")
    (tmp_path / "S.toml").write_text('families = ["statistics"]\ndiscretisation = "NoDiscretisation"\n')
    words = [str(tmp_path / "M.csv"), "--settings", str(tmp_path / "S.toml"), "--out", str(tmp_path / "T.csv")]
    for unit in ("ppm", "ppb"):
        (tmp_path / "Chimap.json").write_text(json.dumps({"Units": unit}))
        assert main(["features", "cohort", *words]) == 0
        assert {row.unit for row in read_features(tmp_path / "T.csv") if row.feature == "mean"} == {unit}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--out", "Chimap.json"], "GD-107"),
        (["--out", "F.csv", "--report", "dseg.nii.gz"], "GD-102"),
        (["--out", "F.csv", "--settings", "S.toml", "--report", "S.toml"], "GD-102"),
        (["--out", "F.csv", "--wide", "F.csv"], "GD-107"),
        (["--out", "F.csv", "--wide", "W.xlsx"], "GD-102"),
        (["--out", "F.csv", "--report", "none/R.html"], "GD-504"),
        (["--out", "none/F.csv"], "GD-504"),
    ],
)
def test_an_output_that_cannot_be_or_would_replace_an_input_is_refused_before_the_work(
    chi: Path, labels: Path, tmp_path: Path, words: list[str], code: str, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("S.toml").write_text('preset = "qsm"')
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["features", chi.name, labels.name, *words]) != 0
    assert code in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--out", "M.csv"], "GD-107"),
        (["--out", "T.csv", "--wide", "T.csv"], "GD-107"),
        (["--out", "n/T.csv"], "GD-504"),
    ],
)
def test_a_cohorts_manifest_is_not_replaced_by_its_table(
    chi: Path, labels: Path, tmp_path: Path, words: list[str], code: str, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("M.csv").write_text(f"case,image,regions\n01,{chi.name},{labels.name}\n")
    assert main(["features", "cohort", "M.csv", *words]) != 0
    assert code in capsys.readouterr().err
    assert Path("M.csv").read_text().startswith("case,image,regions\n")
    assert not Path("M.parts").exists()
    assert not Path("T.parts").exists()
