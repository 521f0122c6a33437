import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.identity import Identity
from gradatim.solve.discrepancy_principle import DiscrepancyPrinciple
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.problem import Problem, Term
from gradatim.solve.selection import Selected

SHAPE = (40, 50)


def _ridge(y, weights=1.0):
    one = Identity(SHAPE)
    return lambda lam: Problem((Term(SquaredDistance(y, weights), one), Term(SquaredDistance(0 * y), one, lam)))


def _data(seed=0):
    return torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("level", [0.7, 1.0])
def test_the_weight_is_that_of_the_closed_form(level):
    """For a ridge the residual is λ/(1 + λ)·y, so that λ = s/(1 − s) with s = level·σ/rms(y)."""
    y, sigma = _data(), 0.4
    s = level * sigma / float(y.square().mean().sqrt())
    found = Selected(DiscrepancyPrinciple(sigma, level), NormalEquations())(_ridge(y), start=0 * y)
    assert found.weight == pytest.approx(s / (1 - s), rel=0.02)
    assert found.values[found.weights.index(found.weight)] == pytest.approx(1.0, rel=0.02)
    assert not found.at_edge


def test_with_inverse_variances_as_weights_the_level_is_one():
    y, sigma = _data(), 0.4
    plain = Selected(DiscrepancyPrinciple(sigma), NormalEquations())(_ridge(y), start=0 * y)
    weighted = Selected(DiscrepancyPrinciple(), NormalEquations())(_ridge(y, sigma**-2), start=0 * y)
    torch.testing.assert_close(plain.value, weighted.value, rtol=0.03, atol=0)
    assert weighted.weight == pytest.approx(plain.weight / sigma**2, rel=0.03)


def test_the_misfit_of_the_curve_rises():
    found = Selected(DiscrepancyPrinciple(0.4), NormalEquations())(_ridge(_data()), start=torch.zeros(SHAPE).double())
    assert list(found.values) == sorted(found.values)


@pytest.mark.parametrize(("sigma", "word"), [(1e-9, "understated"), (1e3, "overstated")])
def test_a_wrong_noise_level_ends_at_the_edge_and_says_so(sigma, word):
    found = Selected(DiscrepancyPrinciple(sigma), NormalEquations())(_ridge(_data()), start=torch.zeros(SHAPE).double())
    assert found.at_edge
    assert word in found.message
    assert found.weight == found.weights[-1 if word == "overstated" else 0]


def test_noise_that_is_not_positive_is_refused():
    for sigma in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="GD-101"):
            DiscrepancyPrinciple(sigma)
