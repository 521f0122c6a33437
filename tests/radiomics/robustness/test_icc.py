"""Intraclass correlations: simulated components of variance, coverage, laws, and what is undefined."""

import math

import numpy as np
import pytest

from gradatim.base.errors import UsageError
from gradatim.radiomics.robustness.icc import OneWayRandom, TwoWayMixed, TwoWayRandom

FORMS = (OneWayRandom, TwoWayRandom, TwoWayMixed)
TABLE = np.random.default_rng(4).normal(size=(9, 1)) * 2 + np.random.default_rng(5).normal(size=(9, 4))


def table(generator: np.random.Generator, n: int, k: int, *, readers: float) -> np.ndarray:
    """Subjects of variance 4, readers of the given variance, rest of variance 1."""
    subject, reader = generator.normal(size=(n, 1)) * 2, generator.normal(size=(1, k)) * math.sqrt(readers)
    return subject + reader + generator.normal(size=(n, k))


def test_components_of_variance_are_recovered() -> None:
    generator = np.random.default_rng(1)
    crossed = [table(generator, 60, 40, readers=1.5) for _ in range(40)]
    agreement, consistency = (np.mean([form()(t).estimate for t in crossed]) for form in (TwoWayRandom, TwoWayMixed))
    assert agreement == pytest.approx(4 / 6.5, abs=0.02)
    assert consistency == pytest.approx(4 / 5, abs=0.02)
    nested = [table(generator, 60, 40, readers=0) for _ in range(40)]
    assert np.mean([OneWayRandom()(t).estimate for t in nested]) == pytest.approx(4 / 5, abs=0.02)


@pytest.mark.parametrize(
    ("form", "readers", "truth"), [(OneWayRandom, 0, 0.8), (TwoWayRandom, 1.5, 4 / 6.5), (TwoWayMixed, 1.5, 0.8)]
)
def test_intervals_cover_the_truth_as_often_as_they_say(form, readers: float, truth: float) -> None:
    """700 simulated studies, intervals of 90 %; four standard errors of a share of 0.9 are 0.045."""
    generator = np.random.default_rng(2)
    found = [form(level=0.9)(table(generator, 15, 4, readers=readers)) for _ in range(700)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert covered == pytest.approx(0.9, abs=0.045)


@pytest.mark.parametrize("form", FORMS)
def test_units_and_order_do_not_count(form) -> None:
    first = form()(TABLE)
    for other in (TABLE * -3.7, TABLE * 1e-9 + 1e-7, TABLE[::-1], TABLE[:, [2, 0, 3, 1]]):
        assert form()(other).estimate == pytest.approx(first.estimate, rel=1e-6)
        assert form()(other).low == pytest.approx(first.low, rel=1e-6)
    assert first.low < first.estimate < first.high


def test_an_offset_of_one_measurement_counts_for_agreement_only() -> None:
    shifted = TABLE + np.array([0, 0, 0, 5.0])
    assert TwoWayMixed()(shifted).estimate == pytest.approx(TwoWayMixed()(TABLE).estimate)
    assert TwoWayRandom()(shifted).estimate < TwoWayRandom()(TABLE).estimate


@pytest.mark.parametrize("form", FORMS)
def test_wider_levels_give_wider_intervals(form) -> None:
    narrow, wide = form(level=0.5)(TABLE), form(level=0.99)(TABLE)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("form", FORMS)
def test_perfect_agreement_and_none(form) -> None:
    exact = form()(np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [5.0, 5.0, 5.0]]))
    assert (exact.estimate, exact.low, exact.high) == (1.0, 1.0, 1.0)
    none = form()(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0]]))
    assert none.estimate == pytest.approx(-2.0 if form is TwoWayRandom else -1.0)
    assert none.low <= none.estimate <= none.high


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([[3.0, 3.0], [3.0, 3.0]], "GD-732"),
        ([[0.0, 0.0], [0.0, 0.0]], "GD-732"),
        ([[0.1 + 0.2, 0.3], [0.3, 0.3]], "GD-732"),
        ([[1.0, 2.0]], "GD-731"),
        ([[1.0], [2.0]], "GD-731"),
        ([[1.0, math.nan], [2.0, 2.0]], "GD-731"),
        (np.empty((0, 3)), "GD-731"),
    ],
)
def test_what_is_undefined_says_why(form, values, code: str) -> None:
    found = form()(np.array(values))
    assert math.isnan(found.estimate)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.reason.startswith(code)


def test_two_subjects_and_two_measurements_of_equal_means_have_no_agreement() -> None:
    found = TwoWayRandom()(np.array([[1.0, 2.0], [2.0, 1.0]]))  # −MSE / 0
    assert math.isnan(found.estimate)
    assert found.reason.startswith("GD-732")


@pytest.mark.parametrize("form", FORMS)
def test_subjects_with_a_gap_are_left_out(form) -> None:
    holes = np.vstack([TABLE, [[1.0, math.nan, 2.0, 3.0], [math.inf, 1.0, 1.0, 1.0]]])
    assert form()(holes) == form()(TABLE)


@pytest.mark.parametrize("form", FORMS)
def test_impossible_requests(form) -> None:
    for level in (0.0, 1.0, 95.0, math.nan):
        with pytest.raises(UsageError, match="GD-148"):
            form(level=level)
    with pytest.raises(UsageError, match="GD-148"):
        form()(np.zeros(4))
