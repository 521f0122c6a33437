"""Maps of features: each voxel by hand, the whole region in one window, and the laws that maps obey."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import SLICES_AVERAGED, VOLUME, VOLUME_AVERAGED, VOLUME_MERGED
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinNumber, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.maps.cost import Costing
from gradatim.radiomics.maps.feature_maps import FeatureMaps
from gradatim.radiomics.maps.many_at_once import BATCHED
from gradatim.radiomics.maps.window import Ball, Cube, Square
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.statistics import Statistics

MEASURE = Extraction(Preparation(NoDiscretisation()))
QUICK = tuple(family.id for family in FAMILIES if type(family) in BATCHED)
SLOW = tuple(family.id for family in FAMILIES if type(family) not in BATCHED)
ROUNDING = {"information_correlation_2": 1e-7}


def image_of(values: Tensor, *, unit: str = "") -> QuantitativeMap:
    shape = (values.shape[0], values.shape[1], values.shape[2])
    return QuantitativeMap(values, torch.ones(shape, dtype=torch.bool), Grid(shape, (1.0, 1.0, 1.0)), "levels", unit)


def regions_of(labels: Tensor) -> Regions:
    return Regions(labels.to(torch.int64), Grid((labels.shape[0], labels.shape[1], labels.shape[2]), (1.0, 1.0, 1.0)))


def levels_and_region(shape: tuple[int, int, int], *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random levels 1 … 4, and a ragged region of two thirds of the voxels."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(1, 5, shape, generator=generator).to(torch.float64)
    return values, (torch.rand(shape, generator=generator) < 2 / 3).to(torch.int64)


def close(name: str, one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=ROUNDING.get(name.split(".")[1], 1e-10))


def at(made: dict[str, QuantitativeMap], place: tuple[int, ...]) -> dict[str, float]:
    return {name: float(one.value[place]) if one.mask[place] else math.nan for name, one in made.items()}


@pytest.mark.parametrize("place", [(2, 2, 2), (0, 3, 1), (4, 4, 3)])
def test_a_voxel_has_the_features_of_the_region_cut_to_its_window(place: tuple[int, int, int]) -> None:
    values, region = levels_and_region((5, 5, 4))
    region[place] = 1
    window = tuple(slice(max(c - 1, 0), c + 2) for c in place)
    cut = torch.zeros_like(region)
    cut[window] = region[window]
    image = image_of(values)
    everything = FeatureMaps(MEASURE, (*QUICK, *SLOW), Cube(1))
    made = {}
    (prepared,) = everything.regions_of(image, regions_of(region))
    origin = prepared.roi.surroundings.origin
    centre = torch.tensor([[c - o for c, o in zip(place, origin, strict=True)]])
    for job in everything.jobs:
        ((_, found),) = everything.measured(job, prepared, centre)
        made |= dict(zip(job.names, found[:, 0].tolist(), strict=True))
    expected = {f"{f.family}.{f.feature}": f.value for f in MEASURE(image, regions_of(cut))}
    assert made.keys() == expected.keys()
    assert [(n, made[n], expected[n]) for n in made if not close(n, made[n], expected[n])] == []


def test_a_window_as_large_as_the_region_has_the_region_s_features_everywhere() -> None:
    values, region = levels_and_region((3, 3, 3), seed=4)
    expected = {f"{f.family}.{f.feature}": f.value for f in MEASURE(image_of(values), regions_of(region))}
    made = FeatureMaps(MEASURE, (*QUICK, "morphology.volume_mesh", "local_intensity"), Cube(100))(
        image_of(values), regions_of(region)
    )
    for place in region.nonzero().tolist():
        assert [n for n, v in at(made, tuple(place)).items() if not close(n, v, expected[n])] == []


def test_a_map_moves_with_the_image() -> None:
    values, region = levels_and_region((4, 5, 4), seed=1)
    maps = FeatureMaps(MEASURE, QUICK, Cube(1))
    here = maps(image_of(values), regions_of(region))
    wide, marked = torch.zeros(7, 7, 6, dtype=torch.float64), torch.zeros(7, 7, 6, dtype=torch.int64)
    wide[2:6, 1:6, 1:5], marked[2:6, 1:6, 1:5] = values, region
    there = maps(image_of(wide), regions_of(marked))
    for name, one in here.items():
        assert one.mask.equal(there[name].mask[2:6, 1:6, 1:5])
        assert one.value.equal(there[name].value[2:6, 1:6, 1:5])
        assert int(there[name].mask.sum()) == int(one.mask.sum())


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (0, 2)])
def test_a_map_turns_with_the_image(axes: tuple[int, int]) -> None:
    values, region = levels_and_region((4, 5, 4), seed=2)
    maps = FeatureMaps(replace(MEASURE, aggregations=(*VOLUME, VOLUME_AVERAGED)), QUICK, Cube(1))
    here = maps(image_of(values), regions_of(region))
    there = maps(image_of(values.rot90(1, axes)), regions_of(region.rot90(1, axes)))
    assert here.keys() == there.keys()
    assert {"glcm.contrast.IAZD", "glcm.contrast.ITBB", "ngtdm.contrast"} <= here.keys()
    for name, one in here.items():
        assert one.mask.rot90(1, axes).equal(there[name].mask), name
        tolerance = ROUNDING.get(name.split(".")[1], 1e-9)
        assert torch.allclose(one.value.rot90(1, axes), there[name].value, rtol=1e-9, atol=tolerance), name


def test_neither_chunks_nor_threads_change_a_value() -> None:
    values, region = levels_and_region((5, 4, 4), seed=3)
    made = []
    before = torch.get_num_threads()
    try:
        for threads, budget in ((1, 1 << 28), (1, 1 << 16), (3, 1 << 18)):
            torch.set_num_threads(threads)
            maps = FeatureMaps(MEASURE, QUICK, Cube(1), budget_bytes=budget)
            made.append(maps(image_of(values), regions_of(region)))
            chunks = [
                -(-int(region.sum()) // maps.at_a_time(j, r))
                for r in maps.regions_of(image_of(values), regions_of(region))
                for j in maps.jobs
            ]
            assert (max(chunks) > 1) == (budget < 1 << 28)
    finally:
        torch.set_num_threads(before)
    for name, one in made[0].items():
        for other in made[1:]:
            assert one.mask.equal(other[name].mask), name
            assert torch.allclose(one.value, other[name].value, rtol=1e-12, atol=1e-13), name


def test_progress_grows_to_one_and_names_what_is_done() -> None:
    values, region = levels_and_region((4, 4, 4))
    heard: list[tuple[str, float]] = []
    maps = FeatureMaps(MEASURE, ("glcm.contrast", "statistics"), Cube(1), budget_bytes=1 << 16)
    maps(image_of(values), regions_of(region), heard=lambda stage, share: heard.append((stage, share)))
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 2
    assert {stage for stage, _ in heard} == {"glcm", "statistics"}


def test_the_cost_counts_windows_maps_and_families() -> None:
    values, region = levels_and_region((4, 4, 4))
    maps = FeatureMaps(MEASURE, ("glcm", "statistics.mean", "morphology.volume_mesh"), Cube(1), budget_bytes=1 << 24)
    cost = Costing(seconds=0.01)(maps, image_of(values), regions_of(region))
    assert (cost.windows, cost.maps) == (int(region.sum()), 27)
    assert cost.by_family.keys() == {"glcm", "statistics", "morphology"}
    assert min(cost.by_family.values()) > 0
    assert sum(cost.by_family.values()) <= cost.seconds < math.inf
    assert 27 * 64 * 9 < cost.peak_bytes < 1 << 25
    # A larger stride takes fewer windows, a wider window more memory.
    assert Costing(seconds=0.01)(replace(maps, stride=2), image_of(values), regions_of(region)).windows == int(
        region[::2, ::2, ::2].sum()
    )


def test_the_window_of_a_corner_is_what_lies_in_the_image() -> None:
    values = torch.arange(27, dtype=torch.float64).view(3, 3, 3)
    made = FeatureMaps(MEASURE, ("statistics.mean", "statistics.maximum"), Cube(1))(
        image_of(values, unit="HU"), regions_of(torch.ones(3, 3, 3))
    )
    assert float(made["statistics.mean"].value[0, 0, 0]) == values[:2, :2, :2].mean()
    assert float(made["statistics.maximum"].value[2, 2, 1]) == 26
    assert made["statistics.mean"].unit == "HU"


def test_levels_are_those_of_the_whole_region() -> None:
    ramp = torch.arange(8, dtype=torch.float64).view(8, 1, 1)
    maps = FeatureMaps(Extraction(Preparation(FixedBinNumber(4))), ("intensity_histogram.mean",), Cube(1))
    (made,) = maps(image_of(ramp), regions_of(torch.ones(8, 1, 1))).values()
    levels = torch.tensor([1, 1, 2, 2, 3, 3, 4, 4], dtype=torch.float64)
    expected = [levels[max(i - 1, 0) : i + 2].mean() for i in range(8)]
    assert torch.allclose(made.value.flatten(), torch.stack(expected), rtol=1e-15)


def test_regions_are_mapped_side_by_side_and_never_mix() -> None:
    values, labels = torch.full((6, 2, 2), 1.0, dtype=torch.float64), torch.ones(6, 2, 2)
    values[3:], labels[3:], labels[5] = 5.0, 2, 0
    (made,) = FeatureMaps(MEASURE, ("statistics.mean",), Cube(2))(image_of(values), regions_of(labels)).values()
    assert made.value[:, 0, 0].tolist() == [1.0, 1.0, 1.0, 5.0, 5.0, 0.0]
    assert made.mask.equal(labels > 0)


def test_a_map_is_masked_where_the_feature_is_undefined() -> None:
    values, labels = torch.ones(5, 1, 1, dtype=torch.float64), torch.ones(5, 1, 1)
    values[4], labels[3] = 2.0, 0
    maps = FeatureMaps(MEASURE, ("glcm.contrast", "glcm.correlation", "statistics.mean"), Cube(1))
    made = maps(image_of(values), regions_of(labels))
    assert made["glcm.contrast"].mask.flatten().tolist() == [True, True, True, False, False]
    assert not made["glcm.correlation"].mask.any()
    assert made["statistics.mean"].mask.flatten().tolist() == [True, True, True, False, True]
    assert maps.taken(image_of(values), regions_of(labels)).equal(labels > 0)


def test_intensities_without_levels_have_statistics_and_no_texture() -> None:
    values = torch.linspace(0, 1, 27, dtype=torch.float64).view(3, 3, 3)
    made = FeatureMaps(MEASURE, QUICK, Cube(1))(image_of(values), regions_of(torch.ones(3, 3, 3)))
    assert {name.split(".")[0] for name, one in made.items() if one.mask.any()} == {"statistics"}


def test_a_stride_leaves_voxels_out_and_a_range_their_intensities() -> None:
    values = torch.arange(1, 65, dtype=torch.float64).view(4, 4, 4)
    maps = FeatureMaps(
        replace(MEASURE, preparation=Preparation(NoDiscretisation(), (IntensityRange(1, 40),))),
        ("statistics.maximum",),
        Cube(1),
        stride=2,
    )
    (made,) = maps(image_of(values), regions_of(torch.ones(4, 4, 4))).values()
    assert made.mask.nonzero().tolist() == [[0, 0, 0], [0, 0, 2], [0, 2, 0], [0, 2, 2], [2, 0, 0], [2, 0, 2]]
    assert float(made.value[2, 0, 2]) == 40


def test_a_resampled_map_lies_on_the_new_grid() -> None:
    values, region = levels_and_region((6, 6, 6))
    preparation = Preparation(FixedBinNumber(4), resampling=ResampleTo((2.0, 2.0, 2.0)))
    (made,) = FeatureMaps(Extraction(preparation), ("statistics.mean",))(image_of(values), regions_of(region)).values()
    assert made.grid.spacing == (2.0, 2.0, 2.0)
    assert made.value.shape == (3, 3, 3)


def test_a_square_is_one_slice_of_the_cube() -> None:
    values, region = levels_and_region((5, 5, 3), seed=6)
    extraction = Extraction(Preparation(NoDiscretisation()), (Glcm(),), (SLICES_AVERAGED,))
    (square,) = FeatureMaps(extraction, ("glcm.contrast",), Square(1))(image_of(values), regions_of(region)).values()
    for z in range(3):
        alone = regions_of(region[..., z : z + 1])
        (cube,) = FeatureMaps(extraction, ("glcm.contrast",), Cube(1))(image_of(values[..., z : z + 1]), alone).values()
        assert torch.allclose(square.value[..., z : z + 1], cube.value, rtol=1e-12)


def test_a_ball_counts_in_mm() -> None:
    stencil = Ball(2.0).stencil((9, 9, 9), (1.0, 2.0, 3.0))
    assert stencil.shape == (5, 3, 1)
    assert stencil[:, 1, 0].tolist() == [True] * 5
    assert stencil[:, 0, 0].tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Cube(-1), "GD-152"),
        (lambda: Square(1 << 20), "GD-152"),
        (lambda: Ball(math.nan), "GD-152"),
        (lambda: FeatureMaps(MEASURE, ()), "GD-152"),
        (lambda: FeatureMaps(MEASURE, ("glcm",), stride=0), "GD-152"),
        (lambda: FeatureMaps(MEASURE, ("glcm.contrats",)), "GD-102"),
        (lambda: FeatureMaps(replace(MEASURE, families=(Statistics(),)), ("glcm.contrast",)), "GD-102"),
    ],
)
def test_what_makes_no_maps_is_refused(make, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.code == code


def test_a_misspelt_feature_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'glcm\.contrast'"):
        FeatureMaps(MEASURE, ("glcm.contrats",))


def test_a_budget_below_one_window_and_regions_without_a_voxel_are_refused() -> None:
    values, region = levels_and_region((3, 3, 3))
    with pytest.raises(UsageError, match="GD-153"):
        FeatureMaps(MEASURE, ("glcm",), budget_bytes=100)(image_of(values), regions_of(region))
    with pytest.raises(InputError, match="GD-739"):
        FeatureMaps(MEASURE, ("glcm",))(image_of(values), regions_of(0 * region))


def test_parameters_are_plain_data_with_the_extraction_s_own() -> None:
    extraction = Extraction(Preparation(NoDiscretisation()), (Glcm(),), (VOLUME_MERGED,))
    said = FeatureMaps(extraction, ("glcm.contrast",), Ball(3.0)).parameters
    assert said["window"] == {"method": "Ball", "radius_mm": 3.0}
    assert said["extraction"] == extraction.parameters
