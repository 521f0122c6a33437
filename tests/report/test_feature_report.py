"""The page of an image's features shows what the table has, and nothing of what it must not."""

from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.manifest import MeasuredCase
from gradatim.pipelines.distributions import distributions
from gradatim.pipelines.measured_features import MeasuredFeatures
from gradatim.radiomics.presets import PRESETS
from gradatim.report.feature_report import feature_report, write_feature_report
from gradatim.report.reporting_checklist import BY_YOU, reporting_checklist

GRID = Grid((20, 20, 10), (1.0, 1.0, 2.0))


@pytest.fixture
def scene() -> tuple[QuantitativeMap, tuple[Regions, ...]]:
    values = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(0)) * 40
    labels, other = torch.zeros(GRID.shape, dtype=torch.int32), torch.zeros(GRID.shape, dtype=torch.int32)
    labels[4:14, 4:14, 2:8], other[8:16, 8:16, 3:6] = 1, 2
    whole = torch.ones(GRID.shape, dtype=torch.bool)
    layers = (Regions(labels, GRID, {1: "<b>tumour</b>"}), Regions(other, GRID, {2: "core"}))
    return QuantitativeMap(values, whole, GRID, "CT number", "HU"), layers


def measured(scene, tmp_path: Path) -> MeasuredFeatures:
    path = tmp_path / "secret-name.nii"
    path.write_bytes(b"x")
    return MeasuredFeatures.of(PRESETS["ibsi-c"], MeasuredCase("01", path, path), scene[0], scene[1], "ct")


def test_every_number_of_the_table_stands_on_the_page(scene, tmp_path: Path) -> None:
    found = measured(scene, tmp_path)
    report = feature_report(found, *scene)
    (numbers,) = (section for section in report.sections if section.title == "Features")
    cells = [cell for table in numbers.tables for row in table.rows for cell in row[3:]]
    assert sorted(map(repr, cells)) == sorted(repr(feature.value) for feature in found.features)
    assert [overlay.name for overlay in report.scene.overlays] == ["Regions, layer 1", "Regions, layer 2"]


def test_the_page_escapes_names_and_holds_no_file_name(scene, tmp_path: Path) -> None:
    write_feature_report(measured(scene, tmp_path), *scene, tmp_path / "R.html")
    page = (tmp_path / "R.html").read_text(encoding="utf-8")
    assert "<b>tumour</b>" not in page
    assert "&lt;b&gt;tumour&lt;/b&gt;" in page
    assert "secret-name" not in page


def test_distributions_are_those_of_what_is_measured(scene) -> None:
    tumour, core = distributions(PRESETS["ibsi-c"].preparation, *scene)
    assert (tumour.region, core.region) == ("<b>tumour</b>", "core")
    assert sum(tumour.shares) == pytest.approx(1, rel=1e-12)
    assert tumour.edges[0] >= -1000
    assert tumour.voxels == 5 * 5 * 6


def test_the_checklist_says_what_was_done_and_what_it_cannot_know(scene) -> None:
    image, _ = scene
    table = reporting_checklist(PRESETS["ibsi-e"].parameters, image, ("tumour",), "gradatim")
    said = {(topic, item): done for topic, item, done in table.rows}
    assert (
        said["Acquisition", "scanner, protocol, tube or sequence parameters, slice thickness, contrast agent"] == BY_YOU
    )
    assert said["Interpolation", "of the image"] == "CubicSpline"
    assert said["Interpolation", "new voxel edges, mm"] == "2, 2, 2"
    ranges = said["Re-segmentation", "ranges and outliers, on the unfiltered image"]
    assert ranges == "IntensityRange (low -1000, high 400), then OutlierFence (sigma 3)"
    assert said["Discretisation", "of texture and histogram"] == "FixedBinNumber (count 32)"


def test_the_checklist_claims_agreement_with_the_standard_for_its_own_definitions_only(scene) -> None:
    image, _ = scene
    said = {}
    for preset in ("ibsi-e", "pyradiomics-3.1"):
        rows = reporting_checklist(PRESETS[preset].parameters, image, ("tumour",), "gradatim").rows
        said[preset] = next(str(row[2]) for row in rows if row[1] == "agreement with the standard")
    assert said["ibsi-e"] == "all 1804 published IBSI 1 values within tolerance"
    assert "deviate" in said["pyradiomics-3.1"]
    assert "1804" not in said["pyradiomics-3.1"]
