"""A problem: what a term of weight 0 is worth, and units whose squares leave single precision."""

import math

import pytest
import torch

from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.solve.admm import Admm
from gradatim.solve.constraints import NonNegative
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.fista import Fista
from gradatim.solve.norms import SquaredL2
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, RelativeChange

ONE = Identity((2,))


def test_a_term_of_weight_zero_is_not_there():
    """Even where its function is infinite: 0·inf must not make the objective NaN."""
    x = torch.tensor([-1.0, 2.0])
    data = Term(SquaredDistance(torch.ones(2)), ONE)
    free = Problem((data, Term(NonNegative(), ONE, 0.0)))
    assert float(free.value(x)) == float(Problem((data,)).value(x)) == 2.5
    assert free.certificate(x, [None, None]).gap == pytest.approx(2.5)  # the minimum is 0
    assert math.isinf(float(Problem((data, Term(NonNegative(), ONE))).value(x)))


@pytest.mark.parametrize("method", [Admm, Pdhg, Fista])
@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_the_change_is_measured_in_any_unit(method, unit):
    """In single precision the squares of such numbers are 0 or inf, and a first step looked like the last one."""
    y = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
    terms = (SquaredDistance(y), Identity((6, 5))), (SquaredL2(), PeriodicGradient((6, 5), (1.0, 1.0)), 2.0)
    rule = IterationBound(1000) | RelativeChange(1e-6)
    usual = method(rule)(Problem(tuple(Term(*term) for term in terms)), start=torch.zeros(6, 5))
    scaled = Problem((Term(SquaredDistance(unit * y), Identity((6, 5))), Term(*terms[1])))
    found = method(rule)(scaled, start=torch.zeros(6, 5))
    assert found.reason is usual.reason
    torch.testing.assert_close(found.value / unit, usual.value, rtol=0, atol=1e-4)
