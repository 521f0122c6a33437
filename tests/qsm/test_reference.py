"""What zero means is stored, and the mean of the reference is zero."""

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.qsm.reference import MaskMean, RegionMean

GRID = Grid((6, 6, 6), (1.0, 1.0, 1.0))


def chi() -> QuantitativeMap:
    mask = torch.zeros(6, 6, 6, dtype=torch.bool)
    mask[1:5, 1:5, 1:5] = True
    values = 0.3 + torch.rand(6, 6, 6, generator=torch.Generator().manual_seed(0))
    return QuantitativeMap(torch.where(mask, values, 0.0), mask, GRID, "susceptibility", "ppm", reference="none")


def regions() -> Regions:
    """Ventricles at the edge of the mask, and a region beyond it."""
    labels = torch.zeros(6, 6, 6, dtype=torch.int16)
    labels[0:3, 2, 2], labels[0, 0, 0] = 4, 7
    return Regions(labels, GRID, {4: "ventricles"})


def test_the_mean_of_the_mask_is_zero() -> None:
    found = MaskMean()(chi())
    assert abs(float(found.value[found.mask].mean())) < 1e-6
    assert not bool(found.value[~found.mask].any())
    assert found.reference == "mean of the mask"


def test_the_mean_of_the_region_is_zero_and_only_its_voxels_in_the_mask_count() -> None:
    found = RegionMean(regions(), 4)(chi())
    inside = (regions().labels == 4) & found.mask
    assert int(inside.sum()) == 2
    assert abs(float(found.value[inside].mean())) < 1e-6
    assert not bool(found.value[~found.mask].any())
    assert found.reference == "mean of region ventricles"


@pytest.mark.parametrize("method", [MaskMean(), RegionMean(regions(), 4)])
def test_only_a_constant_is_taken_away(method: MaskMean | RegionMean) -> None:
    before, after = chi(), method(chi())
    difference = (before.value - after.value)[before.mask]
    assert float(difference.max() - difference.min()) < 1e-6
    shifted = QuantitativeMap(torch.where(before.mask, before.value + 5.0, 0.0), before.mask, GRID, "χ", "ppm")
    torch.testing.assert_close(method(shifted).value, after.value, rtol=0, atol=1e-5)


@pytest.mark.parametrize("label", [7, 99])
def test_a_region_outside_the_mask_is_refused(label: int) -> None:
    with pytest.raises(InputError, match="GD-601"):
        RegionMean(regions(), label)(chi())


@pytest.mark.parametrize("grid", [Grid((6, 6, 6), (1.0, 1.0, 2.0)), Grid((6, 6, 7), (1.0, 1.0, 1.0))])
def test_regions_on_another_grid_are_refused(grid: Grid) -> None:
    other = Regions(torch.ones(grid.shape, dtype=torch.int16), grid)
    with pytest.raises(UsageError, match="GD-103"):
        RegionMean(other, 1)(chi())
