"""Run length matrices of the IBSI phantoms, and of regions so small that every value is known."""

from pathlib import Path

import pytest
import torch

from gradatim.radiomics.aggregation import (
    DIRECTIONAL,
    SLICES_AVERAGED,
    SLICES_MERGED,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
    Aggregation,
)
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.roi import NO_INTENSITIES
from gradatim.radiomics.undefined import Undefined
from tests.radiomics.run_and_zone_cases import counted, phantom, printed, published_misses, region, values


@pytest.mark.parametrize(("config", "number"), [("digital_phantom", 6 * 16), ("ct_config_a", 4 * 16)])
def test_every_published_value(config: str, number: int, shared: Path) -> None:
    assert published_misses(Glrlm(), phantom(shared, config), config, shared) == (number, [])


@pytest.mark.parametrize(
    ("name", "aggregation", "number"),
    [
        ("2d", SLICES_AVERAGED, 4 * 4),
        ("2d_mrg", SLICES_MERGED, 4),
        ("3d", VOLUME_AVERAGED, 13),
        ("3d_mrg", VOLUME_MERGED, 1),
    ],
)
def test_printed_matrices(name: str, aggregation: Aggregation, number: int, shared: Path) -> None:
    tables = printed(shared, Glrlm(), name)
    assert len(tables) == number
    assert counted(Glrlm(), phantom(shared, "digital_phantom"), aggregation) == tables


@pytest.mark.parametrize("aggregation", DIRECTIONAL)
def test_one_voxel_is_a_run_in_every_direction(aggregation: Aggregation) -> None:
    merged = 1 if aggregation.per_direction else len(aggregation.directions)
    found = values(Glrlm(), region(torch.full((1, 1, 1), 3)), aggregation)
    nothing = {name for name, value in found.items() if value == 0}
    assert nothing == {"grey_level_variance", "run_length_variance", "run_entropy"}
    assert found["high_grey_level_run_emphasis"] == found["long_run_high_grey_level_emphasis"] == 9
    assert found["low_grey_level_run_emphasis"] == pytest.approx(1 / 9)
    assert found["grey_level_non_uniformity"] == found["run_length_non_uniformity"] == merged
    assert found["run_percentage"] == found["normalised_run_length_non_uniformity"] == 1


def test_one_level_has_runs_from_border_to_border() -> None:
    # 4 × 3 × 2 voxels: 6 runs of 4, 8 of 3 and 12 of 2 along the axes, and the diagonals.
    found = counted(Glrlm(), region(torch.full((4, 3, 2), 2)), VOLUME_AVERAGED)
    assert [table for table in found if len(table) == 1] == [[(2, 2, 12)], [(2, 3, 8)], [(2, 4, 6)]]
    assert all(level == 2 for table in found for level, _, _ in table)


def test_slices_without_voxels_have_no_matrix() -> None:
    levels = torch.randint(1, 4, (3, 3, 3), generator=torch.Generator().manual_seed(0))
    levels[:, :, 1] = 0
    two = values(Glrlm(), region(levels[:, :, ::2]), SLICES_AVERAGED)
    assert values(Glrlm(), region(levels), SLICES_AVERAGED) == two


def test_no_intensity_is_undefined() -> None:
    empty = region(torch.zeros(2, 2, 2, dtype=torch.int64), torch.ones(2, 2, 2, dtype=torch.bool))
    assert all(Glrlm().measure(empty, a) == Undefined(NO_INTENSITIES) for a in DIRECTIONAL)
