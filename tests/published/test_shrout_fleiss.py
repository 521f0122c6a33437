"""Intraclass correlations of published tables."""

import numpy as np
import pytest

from gradatim.radiomics.robustness.icc import OneWayRandom, TwoWayMixed, TwoWayRandom

JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
"""Shrout and Fleiss, Psychol Bull 86:420 (1979), table 2: six targets, four judges."""


@pytest.mark.parametrize(
    ("form", "name", "estimate", "low", "high"),
    [
        (OneWayRandom(), "ICC(1,1)", 0.17, -0.133, 0.723),
        (TwoWayRandom(), "ICC(2,1)", 0.29, 0.019, 0.761),
        (TwoWayMixed(), "ICC(3,1)", 0.71, 0.342, 0.946),
    ],
)
def test_six_targets_and_four_judges(form, name: str, estimate: float, low: float, high: float) -> None:
    """Estimates as the paper prints them; 95 % intervals as R's package psych prints them for the same table."""
    found = form(JUDGES)
    assert (form.name, found.subjects, found.measurements, found.reason) == (name, 6, 4, "")
    assert found.estimate == pytest.approx(estimate, abs=0.005)
    assert (found.low, found.high) == (pytest.approx(low, abs=5.1e-4), pytest.approx(high, abs=5.1e-4))
