"""Which intensities count: ranges and outliers, and what they refuse."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.resegment import IntensityRange, OutlierFence

samples = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


def tensor(values: list[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_a_range_holds_its_ends() -> None:
    assert IntensityRange(-500.0, 400.0).holds(tensor([-501, -500, 0, 400, 401])).tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (-math.inf, 0.0), (0.0, math.nan)])
def test_ends_that_are_no_range_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        IntensityRange(*ends)


@given(samples, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_no_more_than_chebyshev_allows_lie_outside_the_fence(values: list[int], sigma: float) -> None:
    outside = int((~OutlierFence(sigma).holds(tensor(values))).sum())
    assert outside <= len(values) / sigma**2


@given(samples, st.sampled_from([0.5, 4.0, -1.0]), st.integers(-64, 64))
def test_a_fence_knows_no_unit(values: list[int], factor: float, offset: int) -> None:
    plain, moved = OutlierFence(1.37).holds(tensor(values)), OutlierFence(1.37).holds(tensor(values) * factor + offset)
    assert plain.equal(moved)


def test_the_fence_uses_the_variance_without_bias_correction() -> None:
    # Of 0, 0, 0, 4: mean 1, σ √3 = 1.732 without and 2 with correction; 4 lies 3 away.
    values = tensor([0, 0, 0, 4])
    assert OutlierFence(1.74).holds(values).all()
    assert OutlierFence(1.72).holds(values).tolist() == [True, True, True, False]


def test_equal_intensities_are_no_outliers() -> None:
    assert OutlierFence(0.5).holds(torch.full((7,), 0.1)).all()


def test_no_intensities_have_no_outliers() -> None:
    assert OutlierFence(3.0).holds(torch.zeros(0)).shape == (0,)


@pytest.mark.parametrize("sigma", [0.0, -3.0, math.inf, math.nan])
def test_a_fence_that_is_none_is_refused(sigma: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        OutlierFence(sigma)
