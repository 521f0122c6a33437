"""Every step of the IBSI CT phantom's configurations A to E: 300 counts, sizes and intensities.

Source: IBSI reference manual, arXiv:1612.07003, compliance sheet. The phantom is CC BY-NC 3.0 and read from
the reference data only.
"""

import csv
from pathlib import Path

import pytest
import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.diagnostics import diagnose
from gradatim.radiomics.presets import PRESETS


@pytest.fixture(scope="module")
def phantom(shared: Path) -> tuple[QuantitativeMap, Regions]:
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    image = read_image(folder / "image/phantom.nii.gz")
    mask = read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "CT number", "HU"), Regions(mask.data, mask.grid)


@pytest.mark.parametrize("configuration", "abcde")
def test_all_60_of_a_configuration(configuration: str, phantom: tuple[QuantitativeMap, Regions], shared: Path) -> None:
    rows = diagnose(PRESETS[f"ibsi-{configuration}"].preparation, *phantom)
    found = {row.tag: row.value for row in rows}
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        published = [
            row
            for row in csv.DictReader(file)
            if (row["config"], row["family"]) == (f"ct_config_{configuration}", "diagnostics")
        ]
    assert [row.tag for row in rows] == [row["tag"] for row in published]
    assert len(published) == 60
    assert not [
        (row["tag"], found[row["tag"]], row["value"]) for row in published if not agrees(found[row["tag"]], row)
    ]


def test_resampled_voxels_are_counted_exactly(phantom: tuple[QuantitativeMap, Regions]) -> None:
    found = {row.tag: row.value for row in diagnose(PRESETS["ibsi-c"].preparation, *phantom)}
    assert found["morph_mask_vox_count_interp_roi"] == 45_985
    assert found["int_mask_vox_count_reseg_roi"] == 45_981
    assert (found["int_mask_min_int_reseg_roi"], found["int_mask_max_int_reseg_roi"]) == (-939, 393)


def agrees(value: float, row: dict[str, str]) -> bool:
    """Whether a value, rounded as the sheet prints (three digits, and all of a whole number), is within tolerance."""
    rounded = round(value) if abs(value) >= 100 else float(f"{value:.3g}")
    return abs(rounded - float(row["value"])) <= float(row["tolerance"]) * (1 + 1e-9)
