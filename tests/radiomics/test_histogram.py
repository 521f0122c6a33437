"""Histogram features against the statistics of the levels voxel by voxel, and what the manual says of ties and ends."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.radiomics.aggregation import WHOLE
from gradatim.radiomics.discretise import FixedBinNumber, NoDiscretisation
from gradatim.radiomics.histogram import Histogram, IntensityHistogram
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.statistics import Sample, Statistics
from gradatim.radiomics.undefined import Undefined

RECORDS = {record.id: record for record in IntensityHistogram.features}
OF_LEVELS_ALONE = {"mode", "entropy", "uniformity"} | {name for name in RECORDS if "gradient" in name}

levels = st.lists(st.integers(1, 12), min_size=1, max_size=40)


def histogram(x: list[int]) -> Histogram:
    return Histogram(torch.bincount(torch.tensor(x))[1:].to(torch.float64))


def value(name: str, x: list[int]) -> float:
    return float(RECORDS[name].compute(histogram(x)))


def test_sixteen_features_are_shared_with_the_statistics_by_name() -> None:
    assert {record.id for record in Statistics.features} - RECORDS.keys() == {"energy", "root_mean_square"}
    assert RECORDS.keys() - {record.id for record in Statistics.features} == OF_LEVELS_ALONE


@given(levels)
def test_shared_features_are_the_statistics_of_the_levels(x: list[int]) -> None:
    sample = Sample(torch.tensor(x, dtype=torch.float64))
    for record in Statistics.features:
        if record.id in RECORDS:
            expected = float(record.compute(sample))
            assert value(record.id, x) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), record.id


@given(levels)
def test_entropy_uniformity_and_gradients_are_those_of_numpy(x: list[int]) -> None:
    counts = np.bincount(x)[1:]
    p = counts[counts > 0] / len(x)
    assert value("entropy", x) == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-12)
    assert value("uniformity", x) == pytest.approx((p**2).sum())
    if len(counts) > 1:
        slope = np.gradient(counts)
        assert value("maximum_histogram_gradient", x) == slope.max()
        assert value("maximum_histogram_gradient_intensity", x) == slope.argmax() + 1
        assert value("minimum_histogram_gradient", x) == slope.min()
        assert value("minimum_histogram_gradient_intensity", x) == slope.argmin() + 1


@pytest.mark.parametrize(
    ("x", "mode"),
    [([1, 2, 2], 2), ([1, 1, 5, 5, 6], 5), ([1, 1, 2, 3, 3, 9], 3), ([2, 2, 4, 4], 2)],
    ids=["most", "closest to the mean", "closest again", "the lower of two as close"],
)
def test_mode(x: list[int], mode: int) -> None:
    assert value("mode", x) == mode


def test_one_level_has_no_gradient() -> None:
    assert all(math.isnan(value(name, [1, 1])) for name in RECORDS if "gradient" in name)
    assert value("entropy", [1, 1]) == 0
    assert value("mode", [1, 1]) == value("mean", [1, 1]) == value("uniformity", [1, 1]) == 1


def test_features_of_counts_are_differentiable() -> None:
    counts = torch.tensor([3.0, 0.5, 4.0, 1.0], dtype=torch.float64, requires_grad=True)
    for name in ("mean", "variance", "skewness", "excess_kurtosis", "entropy", "uniformity", "mean_absolute_deviation"):
        compute = RECORDS[name].compute
        assert torch.autograd.gradcheck(lambda c, compute=compute: compute(Histogram(c)), (counts,)), name


def test_a_region_gives_its_levels_and_no_others() -> None:
    inside = torch.tensor([True, True, True, False]).view(4, 1, 1)
    values = torch.tensor([1.0, 3.0, 3.0, 7.0], dtype=torch.float64).view(4, 1, 1)
    roi = Roi(values, inside, inside, (1.0, 1.0, 1.0), NoDiscretisation())
    [found] = IntensityHistogram().measure(roi, WHOLE)  # type: ignore[misc]
    assert found.counts.tolist() == [1.0, 0.0, 2.0]
    empty = Roi(values, inside, ~inside & inside, (1.0, 1.0, 1.0), FixedBinNumber(4))
    assert IntensityHistogram().measure(empty, WHOLE) == Undefined(NO_INTENSITIES)
