import numpy as np
import pytest
import torch
from scipy.sparse.linalg import gmres

from gradatim.base.errors import UsageError
from gradatim.solve.gmres import Gmres
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, SmallResidual

TIGHT = IterationBound(500) | SmallResidual(1e-12)


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_it_agrees_with_a_direct_solver():
    M, b = _random(30, 30) + 6 * torch.eye(30).double(), _random(30, seed=1)
    found = Gmres(TIGHT)(b, system=lambda x: M @ x)
    torch.testing.assert_close(found.value, torch.linalg.solve(M, b), rtol=0, atol=1e-10)
    assert found.reason is Stop.RESIDUAL


@pytest.mark.parametrize("restart", [5, 30])
def test_its_residuals_are_those_of_scipy(restart):
    M, b = _random(30, 30) + 8 * torch.eye(30).double(), _random(30, seed=1)
    theirs = []
    gmres(
        M.numpy(), b.numpy(), restart=restart, rtol=1e-10, maxiter=100, callback=theirs.append, callback_type="pr_norm"
    )
    found = Gmres(IterationBound(len(theirs)), restart=restart)(b, system=lambda x: M @ x)
    np.testing.assert_allclose([p.residual for p in found.history], theirs, rtol=1e-4)


def test_a_singular_system_with_a_solution_is_solved():
    M = torch.diag(torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=torch.float64))
    found = Gmres(TIGHT)(torch.tensor([0.0, 1.0, 1.0, 1.0], dtype=torch.float64), system=lambda x: M @ x)
    torch.testing.assert_close(M @ found.value, torch.tensor([0.0, 1.0, 1.0, 1.0], dtype=torch.float64))
    assert found.converged


def test_a_system_without_a_solution_is_not_said_to_be_solved():
    M = torch.diag(torch.tensor([0.0, 1.0], dtype=torch.float64))
    found = Gmres(TIGHT)(torch.ones(2, dtype=torch.float64), system=lambda x: M @ x)
    assert not found.converged


def test_nothing_gives_nothing_and_infinity_a_reason():
    assert Gmres()(torch.zeros(3), system=lambda x: x).converged
    assert Gmres()(torch.tensor([1.0, float("inf")]), system=lambda x: x).reason is Stop.NON_FINITE


def test_no_vector_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        Gmres(restart=0)
