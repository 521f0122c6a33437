"""Size zone matrices of the IBSI phantoms, and of regions so small that every value is known."""

from pathlib import Path

import pytest
import torch

from gradatim.radiomics.aggregation import ZONAL, ZONES_AVERAGED, ZONES_MERGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.roi import NO_INTENSITIES
from gradatim.radiomics.undefined import Undefined
from tests.radiomics.run_and_zone_cases import counted, phantom, printed, published_misses, region, values


@pytest.mark.parametrize(("config", "number"), [("digital_phantom", 3 * 16), ("ct_config_a", 2 * 16)])
def test_every_published_value(config: str, number: int, shared: Path) -> None:
    assert published_misses(Glszm(), phantom(shared, config), config, shared) == (number, [])


@pytest.mark.parametrize(("name", "aggregation", "number"), [("2d", ZONES_AVERAGED, 4), ("3d", ZONES_VOLUME, 1)])
def test_printed_matrices(name: str, aggregation: Aggregation, number: int, shared: Path) -> None:
    tables = printed(shared, Glszm(), name)
    assert len(tables) == number
    assert counted(Glszm(), phantom(shared, "digital_phantom"), aggregation) == tables


@pytest.mark.parametrize("aggregation", ZONAL)
def test_one_voxel_is_a_zone(aggregation: Aggregation) -> None:
    found = values(Glszm(), region(torch.full((1, 1, 1), 2)), aggregation)
    assert {name for name, value in found.items() if value == 0} == {
        "grey_level_variance",
        "zone_size_variance",
        "zone_size_entropy",
    }
    assert found["high_grey_level_emphasis"] == found["large_zone_high_grey_level_emphasis"] == 4
    assert found["low_grey_level_emphasis"] == found["small_zone_low_grey_level_emphasis"] == 0.25
    assert found["zone_percentage"] == found["zone_size_non_uniformity"] == found["small_zone_emphasis"] == 1


def test_one_level_is_one_zone_of_all_voxels() -> None:
    roi = region(torch.full((4, 3, 2), 5))
    assert counted(Glszm(), roi, ZONES_VOLUME) == [[(5, 24, 1)]]
    assert counted(Glszm(), roi, ZONES_MERGED) == [[(5, 12, 2)]]
    assert values(Glszm(), roi, ZONES_VOLUME)["zone_percentage"] == pytest.approx(1 / 24)


def test_slices_without_voxels_have_no_matrix() -> None:
    levels = torch.randint(1, 4, (3, 3, 3), generator=torch.Generator().manual_seed(0))
    levels[:, :, 1] = 0
    two = values(Glszm(), region(levels[:, :, ::2]), ZONES_AVERAGED)
    assert values(Glszm(), region(levels), ZONES_AVERAGED) == two


def test_no_intensity_is_undefined() -> None:
    empty = region(torch.zeros(2, 2, 2, dtype=torch.int64), torch.ones(2, 2, 2, dtype=torch.bool))
    assert all(Glszm().measure(empty, a) == Undefined(NO_INTENSITIES) for a in ZONAL)
