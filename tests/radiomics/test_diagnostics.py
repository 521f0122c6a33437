"""The log of the steps: what it says of a small image, and where there is nothing to say."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.diagnostics import DIAGNOSTICS, Diagnostic, diagnose
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.resegment import IntensityRange

GRID = Grid((8, 6, 4), (1.0, 1.0, 3.0))


def image() -> QuantitativeMap:
    values = torch.arange(192.0).view(8, 6, 4)
    known = torch.ones(8, 6, 4, dtype=torch.bool)
    known[7, 5, 3] = False
    return QuantitativeMap(values * known, known, GRID, "CT number", "HU")


def labelled() -> Regions:
    labels = torch.zeros(8, 6, 4, dtype=torch.int64)
    labels[2:6, 2:4, 1:3] = 5
    return Regions(labels, GRID, {5: "lesion", 9: "absent"})


def by_tag(rows: tuple[Diagnostic, ...], region: str) -> dict[str, Diagnostic]:
    return {row.tag: row for row in rows if row.region == region}


def test_sixty_records_of_five_stages() -> None:
    assert len({record.tag for record in DIAGNOSTICS}) == len(DIAGNOSTICS) == 60
    assert len({(record.stage, record.name) for record in DIAGNOSTICS}) == 60
    assert [record.unit.text("HU") for record in DIAGNOSTICS[:9]] == ["", "", "", "mm", "mm", "mm", "HU", "HU", "HU"]


def test_every_stage_of_a_small_image() -> None:
    preparation = Preparation(FixedBinNumber(4), (IntensityRange(0.0, 80.0),), ResampleTo((2.0, 2.0)))
    said = {tag: row.value for tag, row in by_tag(diagnose(preparation, image(), labelled()), "lesion").items()}
    assert [said[f"img_dim_{axis}_interp_img"] for axis in "xyz"] == [4, 3, 4]
    assert [said[f"vox_dim_{axis}_interp_img"] for axis in "xyz"] == [2, 2, 3]
    assert (said["min_int_init_img"], said["max_int_init_img"]) == (0, 190)
    assert said["mean_int_init_img"] == 95
    assert [said[f"int_mask_dim_{axis}_init_roi"] for axis in "xyz"] == [8, 6, 4]
    assert [said[f"morph_mask_bb_dim_{axis}_init_roi"] for axis in "xyz"] == [4, 2, 2]
    assert (said["morph_mask_vox_count_init_roi"], said["morph_mask_vox_count_interp_roi"]) == (16, 4)
    # The new voxels are means of 2 × 2 old ones: 24 x + 4 y + z at x 2.5, 4.5, y 2.5, z 1, 2.
    assert said["int_mask_mean_int_interp_roi"] == pytest.approx(95.5)
    assert (said["int_mask_min_int_interp_roi"], said["int_mask_max_int_interp_roi"]) == (71, 120)
    assert (said["int_mask_vox_count_reseg_roi"], said["morph_mask_vox_count_reseg_roi"]) == (2, 4)
    assert [said[f"int_mask_bb_dim_{axis}_reseg_roi"] for axis in "xyz"] == [1, 1, 2]
    assert [said[f"morph_mask_bb_dim_{axis}_reseg_roi"] for axis in "xyz"] == [2, 1, 2]
    assert said["int_mask_mean_int_reseg_roi"] == pytest.approx(71.5)


def test_a_region_that_is_nowhere_has_its_reason_and_the_image_its_numbers() -> None:
    rows = by_tag(diagnose(Preparation(FixedBinNumber(4)), image(), labelled()), "absent")
    assert len(rows) == 60
    for row in rows.values():
        assert math.isnan(row.value) == (row.reason == "GD-750 the region has no voxels") == ("region" in row.stage)


def test_a_region_without_intensities_has_counts_and_no_mean() -> None:
    rows = by_tag(
        diagnose(Preparation(FixedBinNumber(4), (IntensityRange(-2.0, -1.0),)), image(), labelled()), "lesion"
    )
    assert rows["int_mask_vox_count_reseg_roi"].value == rows["int_mask_bb_dim_x_reseg_roi"].value == 0
    assert rows["morph_mask_vox_count_reseg_roi"].value == 16
    assert math.isnan(rows["int_mask_mean_int_reseg_roi"].value)
    assert rows["int_mask_mean_int_reseg_roi"].reason.startswith("GD-751")
    assert rows["int_mask_mean_int_interp_roi"].reason == ""


def test_two_grids_are_refused() -> None:
    other = Regions(labelled().labels, Grid((8, 6, 4), (1.0, 1.0, 1.0)))
    with pytest.raises(UsageError, match="GD-103"):
        diagnose(Preparation(FixedBinNumber(4)), image(), other)
