"""Distance zone matrices of the IBSI phantoms, and of regions so small that every value is known."""

from pathlib import Path

import pytest
import torch

from gradatim.radiomics.aggregation import ZONAL, ZONES_AVERAGED, ZONES_MERGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.gldzm import Gldzm
from gradatim.radiomics.roi import NO_INTENSITIES
from gradatim.radiomics.undefined import Undefined
from tests.radiomics.run_and_zone_cases import counted, phantom, printed, published_misses, region, values


@pytest.mark.parametrize(("config", "number"), [("digital_phantom", 3 * 16), ("ct_config_a", 2 * 16)])
def test_every_published_value(config: str, number: int, shared: Path) -> None:
    assert published_misses(Gldzm(), phantom(shared, config), config, shared) == (number, [])


@pytest.mark.parametrize(("name", "aggregation", "number"), [("2d", ZONES_AVERAGED, 4), ("3d", ZONES_VOLUME, 1)])
def test_printed_matrices(name: str, aggregation: Aggregation, number: int, shared: Path) -> None:
    tables = printed(shared, Gldzm(), name)
    assert len(tables) == number
    assert counted(Gldzm(), phantom(shared, "digital_phantom"), aggregation) == tables


@pytest.mark.parametrize("aggregation", ZONAL)
def test_one_voxel_lies_at_the_border(aggregation: Aggregation) -> None:
    found = values(Gldzm(), region(torch.full((1, 1, 1), 2)), aggregation)
    assert {name for name, value in found.items() if value == 0} == {
        "grey_level_variance",
        "zone_distance_variance",
        "zone_distance_entropy",
    }
    assert found["small_distance_emphasis"] == found["large_distance_emphasis"] == found["zone_percentage"] == 1
    assert found["large_distance_high_grey_level_emphasis"] == 4


def test_shells_lie_as_deep_as_they_are() -> None:
    # A cube of 5, its shells of level 3, 2 and 1: each one zone in space, at distance 1, 2 and 3.
    levels = torch.full((5, 5, 5), 3)
    levels[1:4, 1:4, 1:4] = 2
    levels[2, 2, 2] = 1
    assert counted(Gldzm(), region(levels), ZONES_VOLUME) == [[(1, 3, 1), (2, 2, 1), (3, 1, 1)]]
    # In the slices the same voxels are: two of 3; two of 3 around 2; one of 3 around 2 around 1.
    assert counted(Gldzm(), region(levels), ZONES_MERGED) == [[(1, 3, 1), (2, 2, 3), (3, 1, 5)]]


def test_zones_count_voxels_with_an_intensity_and_distances_those_of_the_shape() -> None:
    levels = torch.zeros(5, 5, 5, dtype=torch.int64)
    levels[2, 2, 2:4] = torch.tensor([1, 4])
    found = values(Gldzm(), region(levels, torch.ones(5, 5, 5, dtype=torch.bool)), ZONES_VOLUME)
    assert found["zone_percentage"] == 1
    assert found["large_distance_emphasis"] == (3**2 + 2**2) / 2
    assert found["large_distance_high_grey_level_emphasis"] == ((1 * 3) ** 2 + (4 * 2) ** 2) / 2


def test_the_distances_see_the_border_of_the_image() -> None:
    assert Gldzm.sees_border


def test_no_intensity_is_undefined() -> None:
    empty = region(torch.zeros(2, 2, 2, dtype=torch.int64), torch.ones(2, 2, 2, dtype=torch.bool))
    assert all(Gldzm().measure(empty, a) == Undefined(NO_INTENSITIES) for a in ZONAL)
