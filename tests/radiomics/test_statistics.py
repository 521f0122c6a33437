"""Intensity statistics against NumPy and SciPy, and the values IBSI gives to a constant region."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from gradatim.radiomics.statistics import Sample, Statistics

RECORDS = {record.id: record for record in Statistics.features}

samples = st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=40).filter(lambda x: np.ptp(x) > 1e-3)


def value(name: str, values: list[float] | Tensor) -> float:
    return float(RECORDS[name].compute(Sample(torch.as_tensor(values, dtype=torch.float64))))


@given(samples)
def test_moments_and_order_are_those_of_numpy_and_scipy(x: list[float]) -> None:
    p10, p25, p50, p75, p90 = np.percentile(x, [10, 25, 50, 75, 90])
    core = np.array([v for v in x if p10 <= v <= p90])
    expected = {
        "mean": np.mean(x),
        "variance": np.var(x),
        "skewness": stats.skew(x),
        "excess_kurtosis": stats.kurtosis(x),
        "median": p50,
        "percentile_10": p10,
        "percentile_90": p90,
        "minimum": min(x),
        "maximum": max(x),
        "interquartile_range": p75 - p25,
        "range": np.ptp(x),
        "mean_absolute_deviation": np.abs(x - np.mean(x)).mean(),
        "median_absolute_deviation": np.abs(x - p50).mean(),
        "energy": np.square(x).sum(),
        "root_mean_square": np.sqrt(np.square(x).mean()),
    }
    if len(core):
        expected["robust_mean_absolute_deviation"] = np.abs(core - core.mean()).mean()
    for name, truth in expected.items():
        assert value(name, x) == pytest.approx(truth, rel=1e-7, abs=1e-9), name


@given(st.floats(-1e3, 1e3, width=32).filter(bool), st.integers(1, 20))
def test_a_constant_region_has_the_values_ibsi_gives_it(level: float, count: int) -> None:
    x = [level] * count
    for name in ("mean", "median", "minimum", "maximum", "percentile_10", "percentile_90"):
        assert value(name, x) == level
    for name in ("variance", "skewness", "excess_kurtosis", "range", "coefficient_of_variation"):
        assert value(name, x) == 0
    assert value("robust_mean_absolute_deviation", x) == 0


def test_zero_mean_has_no_coefficient_of_variation() -> None:
    assert not np.isfinite(value("coefficient_of_variation", [-1.0, 1.0]))


def test_statistics_are_differentiable_in_the_intensities() -> None:
    x = torch.randn(9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for record in Statistics.features:
        assert torch.autograd.gradcheck(lambda values, record=record: record.compute(Sample(values)), (x,)), record.id
