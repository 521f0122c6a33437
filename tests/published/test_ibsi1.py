"""IBSI 1: every published value of the digital phantom and of the CT phantom's configurations A to E, 1804 in all.

A value agrees if, rounded to the three digits that the sheet prints, it is within the sheet's tolerance; none in
the sheet means equal. Source: IBSI reference manual, arXiv:1612.07003, compliance sheet and digital phantom.
The CT phantom is CC BY-NC 3.0 and read from the reference data only.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import SLICES_AVERAGED, SLICES_MERGED, VOLUME_AVERAGED, VOLUME_MERGED, Aggregation
from gradatim.radiomics.catalogue import CATALOGUE, FAMILIES
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.presets import PRESETS

PUBLISHED = {"ibsi-digital": 482, "ibsi-a": 346, "ibsi-b": 346, "ibsi-c": 210, "ibsi-d": 210, "ibsi-e": 210}

WITHOUT_VALUE = {("ZH1A", ""), ("IQYR", ""), ("SWZ1", ""), ("BRI8", "")}
"""Densities of the oriented box and of the enclosing ellipsoid: the sheet names them and gives no value."""

Row = dict[str, str]
Measured = dict[tuple[str, str, str], float]


@pytest.fixture(scope="module")
def sheet(shared: Path) -> dict[tuple[str, str], list[Row]]:
    """(preset, family) → the rows of the compliance sheet that have a value."""
    rows = defaultdict(list)
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["value"] and row["family"] != "diagnostics":
                rows[preset_of(row["config"]), row["family"]].append(row)
    return rows


@pytest.fixture(scope="module")
def measured(shared: Path) -> Callable[[str], Measured]:
    """Preset → what it measures on its phantom: (family, IBSI name, aggregation code) → value; each preset once."""

    @cache
    def by(preset: str) -> Measured:
        return {
            (f.family, CATALOGUE[f"{f.family}.{f.feature}"].name, f.aggregation): f.value
            for f in PRESETS[preset](*phantom(shared, preset))
        }

    return by


@pytest.mark.parametrize("family", [family.id for family in FAMILIES])
@pytest.mark.parametrize("preset", PUBLISHED)
def test_every_published_value(
    preset: str, family: str, sheet: dict[tuple[str, str], list[Row]], measured: Callable[[str], Measured]
) -> None:
    found = measured(preset)
    missed = [
        (row["feature"], row["aggregation_code"], row["value"], row["tolerance"], value)
        for row in sheet[preset, family]
        if not agrees(value := found.get((family, row["feature"], row["aggregation_code"]), math.nan), row)
    ]
    assert sheet[preset, family]
    assert not missed


def test_nothing_that_is_published_is_left_out(sheet: dict[tuple[str, str], list[Row]]) -> None:
    families = {family.id for family in FAMILIES}
    covered = {
        preset: sum(len(rows) for (of, family), rows in sheet.items() if of == preset and family in families)
        for preset in PUBLISHED
    }
    assert covered == PUBLISHED
    assert sum(covered.values()) == 1804


@pytest.mark.parametrize("preset", PUBLISHED)
def test_a_preset_combines_matrices_as_published(
    preset: str, sheet: dict[tuple[str, str], list[Row]], measured: Callable[[str], Measured]
) -> None:
    published = {
        (family, row["aggregation_code"]) for (of, family), rows in sheet.items() for row in rows if of == preset
    }
    assert {(family, aggregation) for family, _, aggregation in measured(preset)} <= published


@pytest.mark.parametrize(
    ("printed", "aggregation"),
    [("2d", SLICES_AVERAGED), ("2d_mrg", SLICES_MERGED), ("3d", VOLUME_AVERAGED), ("3d_mrg", VOLUME_MERGED)],
)
def test_printed_matrices(printed: str, aggregation: Aggregation, shared: Path) -> None:
    image, regions = phantom(shared, "ibsi-digital")
    levels = (image.value * (regions.labels > 0)).to(torch.int64)
    counted = torch.cat(list(matrices(levels, aggregation, n_levels=6)))
    published = printed_matrices(shared / "data/radiomics/ibsi1_digital_phantom_matrices.csv", printed)
    assert len(counted) == len(published)
    # The manual orders slices and directions in its own way, so the matrices are compared as a collection.
    assert sorted(counted.tolist()) == sorted(published.tolist())


def preset_of(configuration: str) -> str:
    return "ibsi-digital" if configuration == "digital_phantom" else configuration.replace("ct_config_", "ibsi-")


def phantom(shared: Path, preset: str) -> tuple[QuantitativeMap, Regions]:
    name = "ibsi_1_digital_phantom" if preset == "ibsi-digital" else "ibsi_1_ct_radiomics_phantom"
    folder = shared / "data/radiomics/phantoms" / name / "nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "intensity", "HU"), Regions(mask.data, mask.grid)


def agrees(value: float, row: Row) -> bool:
    rounded = float(f"{value:.3g}")
    return abs(rounded - float(row["value"])) <= float(row["tolerance"] or 0) * (1 + 1e-9)


def printed_matrices(path: Path, aggregation: str) -> Tensor:
    """The GLCM tables of the manual, (table, 6, 6)."""
    tables: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros(6, 6, dtype=torch.int64))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["matrix"] == "glcm" and row["aggregation"] == aggregation:
                tables[row["block"]][int(float(row["c1"])) - 1, int(float(row["c2"])) - 1] = int(float(row["c3"]))
    return torch.stack(list(tables.values()))
