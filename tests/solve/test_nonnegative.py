"""Non-negative least squares: scipy's answer, the conditions of a minimum, and what is refused."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.identity import Identity
from gradatim.linop.matrix import Matrix
from gradatim.solve.constraints import NonNegative
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.fista import Fista
from gradatim.solve.nonnegative import NonNegativeLeastSquares
from gradatim.solve.norms import L1, SquaredL2
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, SmallResidual

RANDOM = torch.Generator().manual_seed(0)
A = torch.randn(12, 7, generator=RANDOM, dtype=torch.float64)
Y = torch.randn(12, generator=RANDOM, dtype=torch.float64)
WEIGHTS = torch.rand(12, generator=RANDOM, dtype=torch.float64) + 0.1
BOUND = Term(NonNegative(), Identity((7,)))
START = torch.zeros(7, dtype=torch.float64)


def test_scipy_gives_the_same() -> None:
    found = NonNegativeLeastSquares()(Problem((Term(SquaredDistance(Y), Matrix(A)), BOUND)), start=START)
    np.testing.assert_allclose(found.value.numpy(), nnls(A.numpy(), Y.numpy())[0], atol=1e-12)
    assert found.reason is Stop.RESIDUAL


def test_weights_and_penalty_meet_the_conditions_of_a_minimum() -> None:
    problem = Problem((Term(SquaredDistance(Y, WEIGHTS), Matrix(A)), Term(SquaredL2(2.0), Identity((7,)), 0.3), BOUND))
    x = NonNegativeLeastSquares()(problem, start=START).value
    slope = A.T @ (WEIGHTS * (A @ x - Y)) + 0.6 * x
    assert bool((x >= 0).all())
    assert float(slope[x > 0].abs().max()) < 1e-10
    assert float(slope[x == 0].min()) > -1e-10
    slow = Fista(IterationBound(20_000) | SmallResidual(1e-12))(problem, start=START).value
    torch.testing.assert_close(slow, x, rtol=1e-6, atol=1e-9)


def test_other_terms_and_sizes_are_refused() -> None:
    data = Term(SquaredDistance(Y), Matrix(A))
    with pytest.raises(InputError, match="GD-641"):
        NonNegativeLeastSquares()(Problem((data, Term(L1(), Identity((7,)), 1.0))), start=START)
    with pytest.raises(UsageError, match="GD-101"):
        NonNegativeLeastSquares()(Problem((data, BOUND)), start=torch.zeros(2, 7).double())
    large = Problem((Term(SquaredL2(), Identity((3000,))),))
    with pytest.raises(UsageError, match="GD-101"):
        NonNegativeLeastSquares()(large, start=torch.zeros(3000).double())
