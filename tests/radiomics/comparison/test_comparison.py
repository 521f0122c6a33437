"""Two settings against each other: what is said, where they part, and which setting moves which features."""

import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.aggregation import VOLUME_AVERAGED, VOLUME_MERGED
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.comparison.counterparts import definitions, meaning, pairs, shared_part
from gradatim.radiomics.comparison.parameters import changed_settings, parameter_differences
from gradatim.radiomics.comparison.steps import STAGES, compare_steps, parted
from gradatim.radiomics.comparison.substitution import NOTICEABLE, contrast
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.interpolation import Nearest
from gradatim.radiomics.local_intensity import LocalIntensity
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import IBSI_C, PRESETS, PYRADIOMICS_3_1
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.statistics import Statistics

GRID = Grid((9, 8, 6), (1.0, 1.0, 2.0))
X, Y, Z = torch.meshgrid(torch.arange(9), torch.arange(8), torch.arange(6), indexing="ij")
IMAGE = QuantitativeMap(
    ((X * 37 + Y * 61 + Z * 101 + X * Y * Z * 13) % 211).to(torch.float64),
    torch.ones(GRID.shape).bool(),
    GRID,
    "made",
    "HU",
)
REGIONS = Regions(((X - 4) ** 2 + (Y - 4) ** 2 + (Z - 3) ** 2 < 10).long(), GRID, {1: "ball"})
PLAIN = Preparation(FixedBinSize(25.0, origin=0.0))


def feature(name: str, value: float, aggregation: str = "") -> Feature:
    return Feature("", "", "ball", "glcm", name, "", aggregation, value, "", "", "")


def test_equal_settings_have_no_difference() -> None:
    assert all(parameter_differences(each, each) == () for each in PRESETS.values())


@pytest.mark.parametrize("first", PRESETS)
@pytest.mark.parametrize("second", PRESETS)
def test_every_difference_between_presets_is_explained(first: str, second: str) -> None:
    differences = parameter_differences(PRESETS[first], PRESETS[second])
    assert {d.setting for d in differences} >= set(changed_settings(PRESETS[first], PRESETS[second]))
    assert all(d.effect and d.first != d.second for d in differences)


def test_definitions_that_differ_are_named() -> None:
    found = {d.setting for d in parameter_differences(IBSI_C, PYRADIOMICS_3_1) if d.setting.startswith("definition")}
    assert {"definition of statistics.excess_kurtosis", "definition of morphology.major_axis_length"} <= found
    assert "definition of glcm.contrast" not in found


def test_all_but_five_features_of_pyradiomics_mean_one_of_ibsi() -> None:
    known = definitions(PYRADIOMICS_3_1)
    assert len(known) == 107
    assert len(known.keys() & CATALOGUE.keys()) == 102


def test_shared_codes_do_not_confuse() -> None:
    assert meaning("somebody_elses", "fraction", "BC2M") == "somebody_elses.fraction"


def test_pairs_by_aggregation_or_by_being_the_only_one() -> None:
    a = [feature("contrast", 1.0, "ITBB"), feature("contrast", 2.0, "IAZD"), feature("correlation", 3.0, "ITBB")]
    b = [feature("contrast", 4.0, "IAZD"), feature("correlation", math.nan, "IAZD"), feature("joint_average", 1.0)]
    found = pairs(a, b)
    assert [(pair.meaning, pair.first.value) for pair in found] == [("glcm.contrast", 2.0), ("glcm.correlation", 3.0)]
    assert [pair.difference for pair in found] == [0.5, math.inf]


@pytest.mark.parametrize(("one", "other", "difference"), [(0.0, 0.0, 0.0), (1.0, -1.0, 2.0), (0.0, 5.0, 1.0)])
def test_the_relative_difference(one: float, other: float, difference: float) -> None:
    (pair,) = pairs([feature("contrast", one)], [feature("contrast", other)])
    assert pair.difference == difference


def test_two_undefined_values_are_no_pair() -> None:
    assert pairs([feature("contrast", math.nan)], [feature("contrast", math.nan)]) == ()


@pytest.mark.parametrize(
    ("second", "stage"),
    [
        (replace(PLAIN, resampling=ResampleTo((2.0, 2.0, 2.0), interpolation=Nearest())), "resampled"),
        (replace(PLAIN, resegmentation=(IntensityRange(0.0, 100.0),)), "re-segmented"),
        (replace(PLAIN, discretisation=FixedBinSize(25.0, origin=-100.0)), "grey levels"),
    ],
)
def test_where_two_preparations_part(second: Preparation, stage: str) -> None:
    found = compare_steps(PLAIN, second, IMAGE, REGIONS)
    assert parted(found) == {"ball": stage}
    assert [step.stage for step in found] == list(STAGES[: STAGES.index(stage) + 1])
    assert found[0].first.voxels == float((REGIONS.labels == 1).sum())


def test_the_shift_of_the_bins_is_counted_in_levels() -> None:
    *_, last = compare_steps(PLAIN, Preparation(FixedBinSize(25.0, origin=-100.0)), IMAGE, REGIONS)
    assert (last.second.minimum - last.first.minimum, last.second.maximum - last.first.maximum) == (4.0, 4.0)
    assert last.second.mean - last.first.mean == pytest.approx(4.0)


def test_equal_preparations_agree_after_every_step() -> None:
    found = compare_steps(PLAIN, PLAIN, IMAGE, REGIONS)
    assert [step.stage for step in found] == list(STAGES)
    assert all(step.same for step in found)
    assert parted(found) == {}


@pytest.mark.parametrize("preparation", [PLAIN, Preparation(FixedBinSize(25.0, origin=50.0))])
def test_a_region_without_levels_has_numbers_that_say_so(preparation: Preparation) -> None:
    named = Regions(REGIONS.labels, GRID, {1: "ball", 2: "nowhere"})
    found = compare_steps(preparation, preparation, IMAGE, named)
    assert all(step.same for step in found)
    nowhere = [step for step in found if step.region == "nowhere"]
    assert all(math.isnan(step.first.mean) for step in nowhere)


def test_each_setting_moves_its_own_features() -> None:
    first = Extraction(PLAIN, (Statistics(), Glcm()), (VOLUME_AVERAGED, VOLUME_MERGED))
    bins = replace(first, preparation=Preparation(FixedBinSize(25.0, origin=-100.0)))
    second = replace(bins, aggregations=(VOLUME_MERGED,))
    found = contrast(first, second, IMAGE, [REGIONS])
    origin, aggregations = found.substitutions
    assert (origin.setting, aggregations.setting) == ("discretisation", "aggregations")
    moved = {pair.meaning for pair in origin.changed}
    # Four levels more: what counts levels from zero moves; what counts their differences does not.
    assert moved == {"glcm.joint_average", "glcm.sum_average", "glcm.autocorrelation"} | {
        "glcm.normalised_inverse_difference",
        "glcm.normalised_inverse_difference_moment",
    }
    assert aggregations.changed == ()
    assert {pair.meaning for pair in found.changed} == moved
    average = next(p for p in found.changed if p.meaning == "glcm.joint_average")
    assert average.second.value - average.first.value == pytest.approx(4.0)
    differences = [pair.difference for pair in found.changed]
    assert differences == sorted(differences, reverse=True)
    assert min(differences) > NOTICEABLE


def test_the_last_step_is_only_definitions() -> None:
    first = Extraction(Preparation(ZeroAlignedBins(25.0)), aggregations=PYRADIOMICS_3_1.aggregations)
    found = contrast(first, PYRADIOMICS_3_1, IMAGE, [REGIONS])
    assert found.compared == 102
    assert [step.setting for step in found.substitutions] == ["families"]
    assert {pair.meaning for pair in found.changed} == {
        "statistics.excess_kurtosis",
        "morphology.major_axis_length",
        "morphology.minor_axis_length",
        "morphology.least_axis_length",
    }
    kurtosis = next(p for p in found.changed if p.meaning == "statistics.excess_kurtosis")
    assert kurtosis.second.value - kurtosis.first.value == pytest.approx(3.0)


def test_the_shared_part_leaves_the_rest_out() -> None:
    part = shared_part(IBSI_C, PYRADIOMICS_3_1)
    assert part is not None
    assert {"morphology.moran_i", "glcm.dissimilarity"} <= set(part.leave_out)
    assert len(definitions(part)) == 102


def test_settings_with_nothing_in_common_are_refused() -> None:
    one, other = Extraction(PLAIN, (Statistics(),)), Extraction(PLAIN, (LocalIntensity(),))
    with pytest.raises(UsageError, match="GD-150"):
        contrast(one, other, IMAGE, [REGIONS])
