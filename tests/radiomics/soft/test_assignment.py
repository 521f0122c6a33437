"""Soft grey levels against the hard ones, and against dithered hard ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.soft.assignment import SoftAssignment, SoftLevels
from gradatim.radiomics.undefined import Undefined

TEMPERATURES = st.floats(1e-3, 1.0)


def soft(values: torch.Tensor, rule: object, temperature: float) -> SoftLevels:
    levels = SoftAssignment(temperature)(values, rule)
    assert isinstance(levels, SoftLevels)
    return levels


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9), TEMPERATURES)
def test_at_bin_centres_every_temperature_gives_the_hard_level(bins: list[int], temperature: float) -> None:
    values = torch.tensor(bins, dtype=torch.float64) * 8 + 4
    rule = FixedBinSize(width=8.0, origin=0.0)
    assert soft(values, rule, temperature).expected.tolist() == rule(values).tolist()


@given(st.lists(st.floats(0, 9.99), min_size=2, max_size=9))
def test_linear_splitting_keeps_the_place_between_two_centres(places: list[float]) -> None:
    values = torch.tensor(places, dtype=torch.float64)
    levels = soft(values, FixedBinSize(width=1.0, origin=0.0), 1.0)
    assert torch.allclose(levels.expected, (values + 0.5).clamp(min=1), atol=1e-12)


@given(st.lists(st.integers(0, 80), min_size=2, max_size=9), st.sampled_from([1e-2, 1e-5]))
def test_the_limit_is_the_hard_level_on_the_edges_too(eighths: list[int], temperature: float) -> None:
    values = torch.tensor(eighths, dtype=torch.float64) / 4
    for rule in (FixedBinSize(width=1.0, origin=0.0), FixedBinNumber(count=5)):
        off = soft(values, rule, temperature).expected - rule(values)
        assert float(off.abs().max()) <= temperature / 2 + 1e-9


@given(st.floats(0, 5), TEMPERATURES)
def test_the_share_is_the_chance_of_the_level_under_a_dither(place: float, temperature: float) -> None:
    rule = FixedBinSize(width=1.0, origin=0.0)
    steps = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    dither = -(temperature**2) / 2 + temperature * steps
    seen = rule((place + dither).clamp(min=0)).to(torch.float64).mean()
    levels = soft(torch.tensor([place], dtype=torch.float64), rule, temperature)
    assert float(levels.expected) == pytest.approx(float(seen), abs=1e-3)


def test_occupancy_adds_up_to_the_voxels() -> None:
    values = torch.rand(50, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 7 + 1
    assert float(soft(values, NoDiscretisation(), 0.6).occupancy.sum()) == pytest.approx(50)


def test_a_constant_region_is_level_one() -> None:
    levels = soft(torch.full((3,), 4.0, dtype=torch.float64), FixedBinNumber(8), 1.0)
    assert levels.occupancy.tolist() == [3.0]


@pytest.mark.parametrize(
    ("values", "rule"),
    [([-1.0], FixedBinSize(1.0, 0.0)), ([0.2], NoDiscretisation()), ([0.0, 2000.0], FixedBinSize(1.0, 0.0))],
)
def test_intensities_without_levels_say_why(values: list[float], rule: object) -> None:
    assert isinstance(SoftAssignment()(torch.tensor(values, dtype=torch.float64), rule), Undefined)


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1.5, float("nan")])
def test_another_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        SoftAssignment(temperature)


def test_a_rule_without_a_ruler_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-144"):
        SoftAssignment()(torch.ones(1, dtype=torch.float64), torch.round)
