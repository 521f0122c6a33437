"""Bins that start at each region's minimum: what they share with a ruler, and what they do not."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.bins_from_minimum import FixedBinSizeFromMinimum
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.undefined import Undefined

whole_numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


@given(whole_numbers, st.sampled_from([2.0, 25.0]), st.integers(-500, 500))
def test_an_offset_changes_no_level(values: list[int], width: float, offset: int) -> None:
    intensities = torch.tensor(values, dtype=torch.float64)
    levels = FixedBinSizeFromMinimum(width)(intensities)
    assert isinstance(levels, Tensor)
    assert int(levels.min()) == 1
    moved = FixedBinSizeFromMinimum(width)(intensities + offset)
    assert isinstance(moved, Tensor)
    assert moved.equal(levels)


def test_it_is_the_ruler_from_the_minimum() -> None:
    values = torch.tensor([-37.0, 4.0, 800.0], dtype=torch.float64)
    levels, ruler = FixedBinSizeFromMinimum(25.0)(values), FixedBinSize(25.0, origin=-37.0)(values)
    assert isinstance(levels, Tensor)
    assert isinstance(ruler, Tensor)
    assert levels.equal(ruler)


def test_too_many_levels_say_so() -> None:
    levels = FixedBinSizeFromMinimum(0.1)(torch.tensor([0.0, 1000.0]))
    assert isinstance(levels, Undefined)
    assert "wider" in levels.reason


@pytest.mark.parametrize("width", [0.0, -1.0, math.nan, math.inf])
def test_a_width_that_is_none_is_refused(width: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        FixedBinSizeFromMinimum(width)
