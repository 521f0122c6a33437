"""At temperature 0 the soft features are IBSI's, to the three digits that are published.

Source: IBSI reference manual, arXiv:1612.07003, compliance sheet. The CT phantom is CC BY-NC 3.0 and read from the
reference data only.
"""

import csv
from pathlib import Path

import pytest
import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import (
    DIRECTIONAL,
    PLANES_MERGED,
    SLICES_AVERAGED,
    ZONAL,
    ZONES_AVERAGED,
    ZONES_MERGED,
    Aggregation,
)
from gradatim.radiomics.discretise import FixedBinSize, NoDiscretisation
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.soft.extraction import SoftExtraction

Published = dict[tuple[str, str, str], float]


@pytest.fixture(scope="module")
def published(shared: Path) -> Published:
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value"]]
    return {(row["config"], row["ibsi_code"], row["aggregation_code"]): float(row["value"]) for row in rows}


def roi_of(shared: Path, phantom: str, preparation: Preparation) -> Roi:
    folder = shared / "data/radiomics/phantoms" / phantom / "nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    ((_, roi),) = preparation(QuantitativeMap(image.data, whole, image.grid, "", ""), Regions(mask.data, mask.grid))
    assert isinstance(roi, Roi)
    return roi


def off(extraction: SoftExtraction, roi: Roi, config: str, published: Published) -> tuple[int, list[str]]:
    """How many values are published, and which of them differ in their three digits."""
    found = extraction(roi)
    codes = {"", extraction.directional.code, extraction.zonal.code}
    keys = {
        (config, record.code, code): f"{family.id}.{record.id}"
        for family in extraction.families
        for record in family.features
        for code in codes & {aggregation.code for aggregation in family.aggregations}
    }
    known = {name: published[key] for key, name in keys.items() if key in published}
    return len(known), [name for name, value in known.items() if float(f"{float(found[name]):.3g}") != value]


@pytest.mark.parametrize("temperature", [1.0, 0.2])
@pytest.mark.parametrize(("directional", "zonal"), [*zip(DIRECTIONAL, ZONAL * 2, strict=True)], ids=lambda a: a.code)
def test_digital_phantom(
    directional: Aggregation, zonal: Aggregation, temperature: float, shared: Path, published: Published
) -> None:
    roi = roi_of(shared, "ibsi_1_digital_phantom", Preparation(NoDiscretisation()))
    count, wrong = off(
        SoftExtraction(temperature, directional=directional, zonal=zonal), roi, "digital_phantom", published
    )
    assert (count, wrong) == (104, [])


@pytest.mark.parametrize(
    ("directional", "zonal"), [(SLICES_AVERAGED, ZONES_AVERAGED), (PLANES_MERGED, ZONES_MERGED)], ids=lambda a: a.code
)
def test_configuration_a(directional: Aggregation, zonal: Aggregation, shared: Path, published: Published) -> None:
    # One voxel in 25 has a CT number on the very edge of a bin.
    preparation = Preparation(FixedBinSize(width=25.0, origin=-500.0), (IntensityRange(-500.0, 400.0),))
    roi = roi_of(shared, "ibsi_1_ct_radiomics_phantom", preparation)
    count, wrong = off(SoftExtraction(1e-3, directional=directional, zonal=zonal), roi, "ct_config_a", published)
    assert (count, wrong) == (104, [])
