"""Grey levels: the three rules, their edges, and what they refuse."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.discretise import Discretisation, FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.undefined import Undefined

whole_numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


def tensor(values: list[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(whole_numbers, st.integers(1, 64))
def test_fixed_bin_number_fills_its_range(values: list[int], count: int) -> None:
    levels = FixedBinNumber(count)(tensor(values))
    assert int(levels.min()) == 1
    assert int(levels.max()) == (count if len(set(values)) > 1 else 1)


@given(whole_numbers, st.integers(1, 64), st.sampled_from([0.25, 2.0, 1024.0]), st.integers(-512, 512))
def test_fixed_bin_number_knows_no_unit(values: list[int], count: int, factor: float, offset: int) -> None:
    plain, scaled = tensor(values), tensor(values) * factor + offset
    assert FixedBinNumber(count)(plain).equal(FixedBinNumber(count)(scaled))


@given(whole_numbers, st.sampled_from([2.0, 2.5, 25.0]))
def test_fixed_bin_size_is_a_ruler(values: list[int], width: float) -> None:
    rule = FixedBinSize(width=width, origin=-1000.0)
    levels = rule(tensor(values))
    assert isinstance(levels, Tensor)
    lower_edge = -1000.0 + (levels - 1) * width
    assert bool(((lower_edge <= tensor(values)) & (tensor(values) < lower_edge + width)).all())


def test_below_the_first_bin_there_are_no_levels() -> None:
    levels = FixedBinSize(width=1.0, origin=0.0)(tensor([5, -1]))
    assert levels == Undefined("the lowest intensity, -1, lies below the first bin, which starts at 0")


@pytest.mark.parametrize("value", [0.5, 0.0, -3.0])
def test_no_discretisation_takes_grey_levels_only(value: float) -> None:
    assert isinstance(NoDiscretisation()(torch.tensor([1.0, value])), Undefined)


@pytest.mark.parametrize("rule", [NoDiscretisation(), FixedBinSize(width=1.0, origin=0.0)])
@pytest.mark.parametrize("value", [5000.0, 1e30])
def test_more_levels_than_a_matrix_can_hold_are_none(rule: Discretisation, value: float) -> None:
    levels = rule(torch.tensor([1.0, value], dtype=torch.float64))
    assert isinstance(levels, Undefined)
    assert "more than 1024" in levels.reason


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_bins_are_refused(width: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        FixedBinSize(width=width, origin=0.0)
    with pytest.raises(UsageError, match="GD-101"):
        FixedBinSize(width=1.0, origin=float("nan"))
    with pytest.raises(UsageError, match="GD-101"):
        FixedBinNumber(0)
