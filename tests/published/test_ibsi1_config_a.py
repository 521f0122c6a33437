"""The IBSI CT phantom by configuration A: fixed bin size, re-segmentation, two masks, no resampling.

Source: IBSI reference manual, arXiv:1612.07003, compliance sheet. The phantom is CC BY-NC 3.0 and read from
the reference data only.
"""

import csv
from pathlib import Path

import pytest
import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resegment import IntensityRange

CONFIGURATION_A = Extraction(
    Preparation(FixedBinSize(width=25.0, origin=-500.0), (IntensityRange(low=-500.0, high=400.0),)),
    aggregations=EVERY_AGGREGATION,
)


@pytest.fixture(scope="module")
def measured(shared: Path) -> dict[tuple[str, str], float]:
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    image = read_image(folder / "image/phantom.nii.gz")
    mask = read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    chest = QuantitativeMap(image.data, whole, image.grid, "CT number", "HU")
    return {(f.ibsi_code, f.aggregation): f.value for f in CONFIGURATION_A(chest, Regions(mask.data, mask.grid))}


def test_every_published_value(measured: dict[tuple[str, str], float], shared: Path) -> None:
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        published = [
            row
            for row in csv.DictReader(file)
            if row["config"] == "ct_config_a"
            and row["value"]
            and row["family"] in {family.id for family in FAMILIES}
            and (row["ibsi_code"], row["aggregation_code"]) in measured
        ]
    # 18 statistics, 16 of morphology; in 2-D mode 25 GLCM and 16 GLRLM in four aggregations, 2 × 16 of zones in two
    assert len(published) == 18 + 16 + (25 + 16) * 4 + (16 + 16) * 2
    off = [row for row in published if not agrees(measured[row["ibsi_code"], row["aggregation_code"]], row)]
    assert not off


def agrees(value: float, row: dict[str, str]) -> bool:
    """Whether a value, rounded to the sheet's three digits, lies within the sheet's tolerance."""
    rounded, published = float(f"{value:.3g}"), float(row["value"])
    return abs(rounded - published) <= float(row["tolerance"] or 0) * (1 + 1e-9)
