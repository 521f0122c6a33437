"""The rows of the table: which regions, which reasons, which settings."""

import gc
import math
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.aggregation import EVERY_AGGREGATION, SLICES_AVERAGED
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.interpolation import CubicSpline
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PRESETS, QSM
from gradatim.radiomics.record import Family
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.resegment import IntensityRange, OutlierFence
from gradatim.radiomics.roi import NO_INTENSITIES, NO_VOXELS, Roi
from gradatim.radiomics.statistics import Statistics
from gradatim.radiomics.undefined import Undefined

EVERYTHING = Extraction(Preparation(FixedBinNumber(8), curve=IntensityBins(0.01)), aggregations=EVERY_AGGREGATION)
N_FEATURES = sum(len(family.features) * len(family.aggregations) for family in FAMILIES)


def chi(value: Tensor, mask: Tensor | None = None) -> QuantitativeMap:
    whole = torch.ones(value.shape, dtype=torch.bool) if mask is None else mask
    return QuantitativeMap(value, whole, grid(value), "susceptibility", "ppm")


def grid(value: Tensor) -> Grid:
    x, y, z = value.shape
    return Grid((x, y, z), (1.0, 1.0, 2.0))


def region(labels: Tensor, names: dict[int, str] | None = None) -> Regions:
    return Regions(labels, grid(labels), names or {})


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_name(features: tuple[Feature, ...]) -> dict[str, Feature]:
    """Of several features with one name that of the first family: the statistics' mean, the GLCM's contrast."""
    return {feature.feature: feature for feature in reversed(features)}


@pytest.mark.parametrize("large", [60000, 312782574])
@pytest.mark.parametrize("outside", [0, -1])
def test_regions_are_measured_one_by_one_in_the_order_of_labels(large: int, outside: int) -> None:
    value, labels = noise(6, 6, 6), torch.full((6, 6, 6), outside, dtype=torch.int32)
    labels[:3], labels[4:] = large, 7
    features = EVERYTHING(chi(value), region(labels, {7: "vein"}), case="01", image="Chimap")
    assert len(features) == 2 * N_FEATURES
    assert list(dict.fromkeys(feature.region for feature in features)) == ["vein", str(large)]
    assert {(f.case, f.image, f.settings) for f in features} == {("01", "Chimap", EVERYTHING.settings)}
    alone = EVERYTHING(chi(value), region(torch.where(labels == 7, 7, 0)))
    assert [f.value for f in features[:N_FEATURES]] == pytest.approx([f.value for f in alone], rel=1e-12)


def test_a_label_image_without_background_has_its_regions() -> None:
    labels = torch.full((2, 2, 2), 100_000, dtype=torch.int64)
    labels[1] = 200_000
    features = EVERYTHING(chi(noise(2, 2, 2)), region(labels))
    assert {f.value for f in features if f.feature == "volume_voxel_counting"} == {8.0}


def test_units_follow_the_map() -> None:
    features = by_name(QSM(chi(noise(4, 4, 4) / 20), region(torch.ones(4, 4, 4, dtype=torch.int64))))
    assert features["mean"].unit == "ppm"
    assert features["variance"].unit == "ppm²"
    assert features["volume_mesh"].unit == "mm³"
    assert features["surface_area"].unit == "mm²"
    assert features["surface_to_volume_ratio"].unit == "1/mm"
    assert features["contrast"].unit == features["skewness"].unit == ""


def test_a_named_region_without_voxels_is_undefined_with_its_reason() -> None:
    labels = torch.ones(2, 2, 2, dtype=torch.int64)
    features = EVERYTHING(chi(noise(2, 2, 2)), region(labels, {2: "left out"}))
    empty = [feature for feature in features if feature.region == "left out"]
    assert len(empty) == N_FEATURES
    assert all(math.isnan(feature.value) and feature.reason == f"GD-750 {NO_VOXELS}" for feature in empty)


def test_no_regions_give_no_rows() -> None:
    assert EVERYTHING(chi(noise(2, 2, 2)), region(torch.zeros(2, 2, 2, dtype=torch.int64))) == ()


def test_one_voxel_has_size_and_intensity_but_neither_axes_nor_neighbours() -> None:
    labels = torch.zeros(3, 3, 3, dtype=torch.int64)
    labels[2, 2, 2] = 1
    features = EVERYTHING(chi(torch.full((3, 3, 3), 0.3)), region(labels))
    named = by_name(features)
    assert named["volume_voxel_counting"].value == 2.0
    assert named["volume_mesh"].value == pytest.approx(2.0 / 6)
    assert named["mean"].value == pytest.approx(0.3)
    assert named["major_axis_length"].reason == named["flatness"].reason == "GD-754 one voxel has no axes"
    texture = [feature for feature in features if feature.family == "glcm"]
    assert {feature.reason for feature in texture} == {f"GD-753 {Glcm.nothing}"}


def test_one_level_has_the_values_that_follow_and_no_correlation() -> None:
    features = by_name(EVERYTHING(chi(torch.full((3, 3, 3), 0.1)), region(torch.ones(3, 3, 3, dtype=torch.int64))))
    assert features["skewness"].value == features["excess_kurtosis"].value == features["variance"].value == 0
    assert features["joint_maximum"].value == features["angular_second_moment"].value == 1
    assert features["joint_entropy"].value == features["contrast"].value == 0
    assert features["information_correlation_2"].value == 0
    assert features["correlation"].reason == features["information_correlation_1"].reason
    assert features["correlation"].reason == "GD-754 all pairs have one grey level"


def test_intensities_outside_mask_range_and_reason_do_not_count_but_keep_their_shape() -> None:
    value = torch.tensor([0.1, 0.2, 5.0, float("nan"), 0.0]).view(5, 1, 1)
    mask = torch.tensor([True, True, True, True, False]).view(5, 1, 1)
    rule = Extraction(Preparation(FixedBinNumber(4), (IntensityRange(-1.0, 1.0),)))
    features = by_name(rule(chi(value, mask), region(torch.ones(5, 1, 1, dtype=torch.int64))))
    assert features["mean"].value == pytest.approx(0.15)
    assert features["maximum"].value == pytest.approx(0.2)
    assert features["volume_voxel_counting"].value == 10.0


def test_a_region_without_intensities_keeps_its_shape() -> None:
    nowhere = torch.zeros(2, 2, 2, dtype=torch.bool)
    features = EVERYTHING(chi(torch.zeros(2, 2, 2), nowhere), region(torch.ones(2, 2, 2, dtype=torch.int64)))
    for feature in features:
        if feature.family != "morphology":
            assert feature.reason == f"GD-751 {NO_INTENSITIES}"
        elif "intensit" not in feature.reason:
            assert math.isfinite(feature.value)


def test_texture_without_levels_says_why() -> None:
    everywhere = region(torch.ones(2, 2, 2, dtype=torch.int64))
    reasons = {
        NoDiscretisation(): "not whole numbers",
        FixedBinSize(width=0.1, origin=100.0): "below the first bin",
        FixedBinSize(width=1e-4, origin=-10.0): "use wider or fewer bins",
    }
    for rule, words in reasons.items():
        texture = by_name(Extraction(Preparation(rule), families=(Glcm(),))(chi(noise(2, 2, 2)), everywhere))
        assert all(feature.reason.startswith("GD-752") and words in feature.reason for feature in texture.values())


def test_matrices_where_a_feature_is_undefined_leave_its_mean() -> None:
    value = noise(4, 4, 2)
    value[:, :, 1] = value[0, 0, 0]  # this slice has one grey level, hence no correlation
    rule = Extraction(Preparation(FixedBinNumber(4)), families=(Glcm(),), aggregations=(SLICES_AVERAGED,))
    both = by_name(rule(chi(value), region(torch.ones(4, 4, 2, dtype=torch.int64))))
    first = by_name(rule(chi(value[:, :, :1]), region(torch.ones(4, 4, 1, dtype=torch.int64))))
    assert both["correlation"].value == pytest.approx(first["correlation"].value)
    assert both["contrast"].value == pytest.approx(first["contrast"].value / 2)


def test_two_grids_are_refused() -> None:
    labels = torch.ones(2, 2, 2, dtype=torch.int64)
    with pytest.raises(UsageError, match="GD-103"):
        EVERYTHING(chi(noise(2, 2, 2)), Regions(labels, Grid((2, 2, 2), (1.0, 1.0, 1.0))))


def test_texture_without_aggregation_is_refused() -> None:
    with pytest.raises(UsageError, match=r"GD-104.*IAZD"):
        Extraction(Preparation(FixedBinNumber(8)), aggregations=())
    Extraction(Preparation(FixedBinNumber(8)), families=(Statistics(),), aggregations=())


@pytest.mark.parametrize("families", [(), (Statistics(), Glcm(), Statistics())])
def test_no_family_and_a_family_twice_are_refused(families: tuple[Family, ...]) -> None:
    with pytest.raises(UsageError, match=r"GD-101.*families.*each once"):
        Extraction(Preparation(FixedBinNumber(8)), families=families)


def test_an_impossible_range_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        IntensityRange(1.0, 1.0)


def test_settings_tell_extractions_apart() -> None:
    several = [
        *PRESETS.values(),
        EVERYTHING,
        Extraction(Preparation(FixedBinNumber(9)), aggregations=EVERY_AGGREGATION),
    ]
    several.append(
        Extraction(Preparation(FixedBinNumber(8), (IntensityRange(0.0, 1.0),)), aggregations=EVERY_AGGREGATION)
    )
    assert len({extraction.settings for extraction in several}) == len(several)
    again = Extraction(Preparation(FixedBinNumber(8), curve=IntensityBins(0.01)), aggregations=EVERY_AGGREGATION)
    assert again.settings == EVERYTHING.settings


def test_an_extraction_travels_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(QSM)) == QSM  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "preparation",
    [
        Preparation(FixedBinNumber(400), (OutlierFence(2.5),), curve=IntensityBins(0.1)),
        Preparation(
            FixedBinNumber(32), resampling=ResampleTo((1.1, 1.1, 1.7), CubicSpline()), curve=IntensityBins(0.1)
        ),
    ],
    ids=["many levels", "resampled"],
)
def test_no_value_depends_on_the_number_of_threads(preparation: Preparation) -> None:
    value = torch.randn(47, 46, 45, generator=torch.Generator().manual_seed(1)) + 100.7
    regions = Regions(torch.ones(value.shape, dtype=torch.int64), grid(value))
    families = tuple(family for family in FAMILIES if family.id != "local_intensity")
    extraction, before, found = Extraction(preparation, families), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4):
            torch.set_num_threads(threads)
            found.append([row.value for row in extraction(chi(value), regions)])
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:  # a thread to come has as many as before
                assert pool.submit(torch.get_num_threads).result() == threads
    finally:
        torch.set_num_threads(before)
    assert all(row == found[0] for row in found)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_values() -> None:
    value, labels = noise(12, 11, 10), torch.ones(12, 11, 10, dtype=torch.int64)
    here = EVERYTHING(chi(value), region(labels))
    there = EVERYTHING(chi(value.cuda(), torch.ones(12, 11, 10, dtype=torch.bool).cuda()), region(labels.cuda()))
    assert [f.value for f in there] == pytest.approx([f.value for f in here], rel=1e-10)


def test_features_that_are_left_out_have_no_row_and_change_no_other() -> None:
    everywhere = region(torch.ones(4, 4, 4, dtype=torch.int64))
    names = ("morphology.moran_i", "glcm.contrast", *(f"glszm.{record.id}" for record in Glszm.features))
    less = replace(EVERYTHING, leave_out=names)
    features = less(chi(noise(4, 4, 4)), everywhere)
    whole = EVERYTHING(chi(noise(4, 4, 4)), everywhere)
    kept = [f for f in whole if f"{f.family}.{f.feature}" not in names]
    assert [(f.feature, f.aggregation, f.value) for f in features] == [
        (f.feature, f.aggregation, f.value) for f in kept
    ]
    assert less.settings != EVERYTHING.settings
    with pytest.raises(UsageError, match=r"GD-102.*did you mean 'glcm.contrast'"):
        replace(EVERYTHING, leave_out=("glcm.contrst",))


def test_a_measured_region_is_gone_without_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[Tensor]] = []
    levels = Roi.levels

    def watched(roi: Roi) -> Tensor | Undefined:
        found = levels.fget(roi)
        seen.append(weakref.ref(found))
        return found

    monkeypatch.setattr(Roi, "levels", property(watched))
    gc.disable()
    try:
        EVERYTHING(chi(noise(4, 4, 4)), region(torch.ones(4, 4, 4, dtype=torch.int64)))
        assert seen
        assert all(ref() is None for ref in seen)
    finally:
        gc.enable()
