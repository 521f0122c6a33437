"""The IBSI digital phantom: every published value of our families, and the matrices behind them.

Source: IBSI reference manual, arXiv:1612.07003, compliance sheet and digital phantom; no tolerance in the
sheet means equal at three significant digits.
"""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import SLICES_AVERAGED, SLICES_MERGED, VOLUME_AVERAGED, VOLUME_MERGED, Aggregation
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.presets import IBSI_DIGITAL

LATER = {"PBX1", "R59B", "6BDE", "RDD2", "R3ER", "7T7F", "99N0", "N365", "NPT7"}
"""Morphology that is not in the catalogue yet: densities, integrated intensity, Moran's I, Geary's C."""

EXPECTED = [
    pytest.param(record.code, aggregation.code, id=f"{record.id}-{aggregation.code}".rstrip("-"))
    for family in FAMILIES
    for aggregation in family.aggregations
    for record in family.features
]


@pytest.fixture(scope="module")
def phantom(shared: Path) -> tuple[QuantitativeMap, Regions]:
    folder = shared / "data/radiomics/phantoms/ibsi_1_digital_phantom/nifti"
    image = read_image(folder / "image/phantom.nii.gz")
    mask = read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "grey level", ""), Regions(mask.data, mask.grid)


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[tuple[str, str], tuple[float, float]]:
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        return {
            (row["ibsi_code"], row["aggregation_code"]): (float(row["value"]), float(row["tolerance"] or 0))
            for row in csv.DictReader(file)
            if row["config"] == "digital_phantom"
            and row["value"]
            and row["family"] in {family.id for family in FAMILIES}
        }


@pytest.fixture(scope="module")
def measured(phantom: tuple[QuantitativeMap, Regions]) -> dict[tuple[str, str], Feature]:
    return {(feature.ibsi_code, feature.aggregation): feature for feature in IBSI_DIGITAL(*phantom)}


@pytest.mark.parametrize(("code", "aggregation"), EXPECTED)
def test_value(
    code: str,
    aggregation: str,
    measured: dict[tuple[str, str], Feature],
    reference: dict[tuple[str, str], tuple[float, float]],
) -> None:
    value = measured[code, aggregation].value
    published, tolerance = reference[code, aggregation]
    if tolerance == 0:
        assert float(f"{value:.3g}") == published
    else:
        assert abs(value - published) <= tolerance


def test_no_published_value_is_left_out(
    measured: dict[tuple[str, str], Feature], reference: dict[tuple[str, str], tuple[float, float]]
) -> None:
    assert {code for code, _ in reference.keys() - measured.keys()} == LATER
    assert measured.keys() <= reference.keys()


@pytest.mark.parametrize(
    ("printed", "aggregation"),
    [("2d", SLICES_AVERAGED), ("2d_mrg", SLICES_MERGED), ("3d", VOLUME_AVERAGED), ("3d_mrg", VOLUME_MERGED)],
)
def test_matrices(
    printed: str, aggregation: Aggregation, phantom: tuple[QuantitativeMap, Regions], shared: Path
) -> None:
    image, regions = phantom
    levels = (image.value * (regions.labels > 0)).to(torch.int64)
    counted = torch.cat(list(matrices(levels, aggregation, n_levels=6)))
    published = printed_matrices(shared / "data/radiomics/ibsi1_digital_phantom_matrices.csv", printed)
    assert len(counted) == len(published)
    # The manual orders slices and directions in its own way, so the matrices are compared as a collection.
    assert sorted(counted.tolist()) == sorted(published.tolist())


def printed_matrices(path: Path, aggregation: str) -> Tensor:
    """The GLCM tables of the manual, (table, 6, 6)."""
    tables: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros(6, 6, dtype=torch.int64))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["matrix"] == "glcm" and row["aggregation"] == aggregation:
                tables[row["block"]][int(float(row["c1"])) - 1, int(float(row["c2"])) - 1] = int(float(row["c3"]))
    return torch.stack(list(tables.values()))
