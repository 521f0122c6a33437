import math

import pytest
import torch

from gradatim.linop.diagonal import Diagonal
from gradatim.linop.identity import Identity
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.l_curve import LCurve, curvature
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.problem import Problem, Term
from gradatim.solve.selection import Selected
from gradatim.solve.stopping import IterationBound, SmallResidual

METHOD = NormalEquations(IterationBound(1000) | SmallResidual(1e-12))
SIZE = 200
DECAY = torch.logspace(0, -4, SIZE, dtype=torch.float64)


def _ill_posed(sigma=1e-3):
    """A spectrum that falls over four decades, coefficients of the truth that fall with it, white noise."""
    noise = torch.randn(SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = DECAY * DECAY.sqrt() + sigma * noise
    return lambda lam: Problem(
        (Term(SquaredDistance(y), Diagonal(DECAY)), Term(SquaredDistance(0 * y), Identity((SIZE,)), lam))
    )


START = torch.zeros(SIZE, dtype=torch.float64)
RANGE = (1e-9, 1e-1)


def test_the_corner_is_where_the_analytic_curvature_is_greatest():
    """Closed form of both coordinates for a diagonal problem, its curvature on a fine grid."""
    found = Selected(LCurve(), METHOD, range=RANGE, points=25)(_ill_posed(), start=START)
    y = _ill_posed()(1.0).terms[0].function.target
    logs = torch.linspace(math.log(RANGE[0]), math.log(RANGE[1]), 4000, dtype=torch.float64)
    x = DECAY * y / (DECAY**2 + logs.exp()[:, None])
    misfit, prior = (DECAY * x - y).square().mean(1).log(), (0.5 * x.square().sum(1)).log()
    fine = torch.tensor(curvature(misfit.tolist(), prior.tolist())[1:-1])
    corner = float(logs[1:-1][fine.argmax()].exp())
    step = (RANGE[1] / RANGE[0]) ** (1 / 24)
    assert corner / step < found.weight < corner * step
    assert not found.at_edge


@pytest.mark.parametrize("bounds", [(3e-4, 1e-1), (1e-12, 1e-8)])
def test_a_range_without_the_corner_is_not_given_one(bounds):
    found = Selected(LCurve(), METHOD, range=bounds)(_ill_posed(), start=START)
    assert found.at_edge
    assert "corner" in found.message


def test_the_ends_have_no_curvature():
    found = Selected(LCurve(), METHOD, range=RANGE)(_ill_posed(), start=START)
    assert math.isnan(found.values[0])
    assert math.isnan(found.values[-1])
    assert not any(math.isnan(value) for value in found.values[1:-1])


def test_a_straight_line_has_none_and_a_point_has_no_value():
    assert curvature([0.0, 1.0, 2.0], [0.0, 2.0, 4.0])[1] == 0.0
    assert math.isnan(curvature([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])[1])


def test_a_standstill_at_the_lower_end_hides_no_corner():
    """Neighbours with one solution to the last digit have no curvature, and that must not decide."""
    floor = 1e-9  # below it the problem no longer changes, as where λ is lost in rounding
    still = Selected(LCurve(), lambda problem, *, start: METHOD(problem, start=START), range=(1e-12, 1e-1), points=12)
    found = still(lambda lam: _ill_posed()(max(lam, floor)), start=START)
    assert math.isnan(found.values[1])
    assert not found.at_edge
    assert found.weight == pytest.approx(1e-5)
