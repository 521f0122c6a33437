"""Spread within cases: closed forms, laws, and intervals that cover as they say."""

import math

import numpy as np
import pytest

from gradatim.base.errors import UsageError
from gradatim.radiomics.robustness.variation import WithinCaseDeviation, WithinCaseVariation

TABLE = np.array([[1.0, 1.2, 1.1], [2.0, 2.1, 2.4], [3.1, 2.9, 3.0]])


def test_the_deviation_is_the_root_of_the_mean_square_within_subjects() -> None:
    within = sum(((row - row.mean()) ** 2).sum() for row in TABLE) / (3 * 2)
    found = WithinCaseDeviation()(TABLE)
    assert found.estimate == pytest.approx(math.sqrt(within), rel=1e-12)
    assert (found.subjects, found.measurements, found.reason) == (3, 3, "")
    assert found.low < found.estimate < found.high


def test_two_measurements_of_one_subject_by_hand() -> None:
    assert WithinCaseDeviation()(np.array([[1.0, 3.0]])).estimate == pytest.approx(math.sqrt(2))
    assert WithinCaseVariation()(np.array([[1.0, 3.0]])).estimate == pytest.approx(math.sqrt(2) / 2)
    # χ² with one degree of freedom: 0.5 lies between 0.00098 and 5.0239 with 95 %.
    assert WithinCaseDeviation()(np.array([[1.0, 3.0]])).low == pytest.approx(math.sqrt(2 / 5.02389), rel=1e-5)


def test_gain_scales_the_deviation_and_leaves_the_coefficient() -> None:
    for factor in (-2.0, 1e-3):
        assert WithinCaseDeviation()(factor * TABLE).estimate == pytest.approx(
            abs(factor) * WithinCaseDeviation()(TABLE).estimate
        )
        assert WithinCaseVariation()(factor * TABLE).high == pytest.approx(WithinCaseVariation()(TABLE).high)


def test_what_a_subject_is_adds_nothing_to_the_deviation() -> None:
    moved = TABLE + np.array([[0.0], [100.0], [-7.0]])
    assert WithinCaseDeviation()(moved).estimate == pytest.approx(WithinCaseDeviation()(TABLE).estimate)


@pytest.mark.parametrize("kind", [WithinCaseDeviation, WithinCaseVariation])
def test_ninety_percent_intervals_cover_the_truth_in_ninety_of_a_hundred_studies(kind: type) -> None:
    draw, measure, covered = np.random.default_rng(1), kind(0.9), 0
    truth = 0.1 if kind is WithinCaseVariation else 1.0
    for _ in range(1000):
        case = draw.uniform(10, 30, (6, 1))
        scatter = draw.standard_normal((6, 4)) * (0.1 * case if kind is WithinCaseVariation else 1.0)
        found = measure(case + scatter)
        covered += found.low <= truth <= found.high
    assert 870 <= covered <= 930  # three standard errors of a share of 0.9 in 1000


def test_a_subject_without_a_value_is_left_out() -> None:
    more = np.vstack([TABLE, [[1.0, math.nan, 1.0]]])
    assert WithinCaseVariation()(more) == WithinCaseVariation()(TABLE)


@pytest.mark.parametrize("kind", [WithinCaseDeviation, WithinCaseVariation])
@pytest.mark.parametrize("table", [np.zeros((0, 3)), np.ones((3, 1)), np.full((2, 2), math.nan)])
def test_too_little_to_tell_is_said(kind: type, table: np.ndarray) -> None:
    found = kind()(table)
    assert math.isnan(found.estimate)
    assert found.reason.startswith("GD-731")


@pytest.mark.parametrize("row", [[-1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
def test_a_mean_that_means_nothing_is_said(row: list[float]) -> None:
    found = WithinCaseVariation()(np.array([[1.0, 2.0], row]))
    assert math.isnan(found.estimate)
    assert found.reason.startswith("GD-740")
    assert math.isfinite(WithinCaseDeviation()(np.array([[1.0, 2.0], row])).estimate)


def test_equal_values_have_no_spread() -> None:
    found = WithinCaseVariation()(np.full((2, 3), 5.0))
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", [WithinCaseDeviation, WithinCaseVariation])
@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
def test_another_level_is_refused(kind: type, level: float) -> None:
    with pytest.raises(UsageError, match="GD-148"):
        kind(level)
