import math
from itertools import pairwise

import pytest
import torch
from scipy.optimize import minimize

from gradatim.base.errors import UsageError
from gradatim.solve.evaluate import Evaluate
from gradatim.solve.gradient_stopping import RelativeGradient
from gradatim.solve.lbfgs import Lbfgs, _inverse_hessian
from gradatim.solve.line_search import Trial, strong_wolfe
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound

F64 = torch.float64


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return (100 * (x[1:] - x[:-1].square()).square() + (1 - x[:-1]).square()).sum()


def counted(f):
    calls = []
    return lambda x: calls.append(1) or f(x), calls


@pytest.mark.parametrize("dimension", [2, 10, 50])
def test_rosenbrocks_valley_as_cheaply_as_the_peers(dimension):
    start = torch.tensor([-1.2, 1.0] * (dimension // 2), dtype=F64)
    f, calls = counted(rosenbrock)
    found = Lbfgs(rule=IterationBound(1000) | RelativeGradient(1e-9))(f, start=start)
    assert found.reason is Stop.GRADIENT
    assert found.value.tolist() == pytest.approx([1.0] * dimension, abs=1e-6)

    def with_gradient(x):
        at = Evaluate(rosenbrock)(torch.from_numpy(x))
        return at.objective, at.gradient.numpy()

    options = {"maxcor": 10, "ftol": 0.0, "gtol": 1e-7, "maxiter": 5000}
    theirs = minimize(with_gradient, start.numpy(), jac=True, method="L-BFGS-B", options=options)
    assert theirs.fun < 1e-10
    assert len(calls) <= 1.3 * theirs.nfev

    leaf, torchs = start.clone().requires_grad_(), []
    optimizer = torch.optim.LBFGS(
        [leaf], max_iter=1000, history_size=10, tolerance_grad=1e-7, line_search_fn="strong_wolfe"
    )

    def closure():
        torchs.append(1)
        optimizer.zero_grad()
        value = rosenbrock(leaf)
        value.backward()
        return value

    optimizer.step(closure)
    assert float(rosenbrock(leaf.detach())) < 1e-8
    assert len(calls) <= 1.3 * len(torchs)


def quadratic(size: int = 12):
    random = torch.Generator().manual_seed(4)
    basis = torch.linalg.qr(torch.randn(size, size, generator=random, dtype=F64)).Q
    hessian = basis @ torch.diag(torch.logspace(0, 2, size, dtype=F64)) @ basis.T
    return hessian, torch.randn(size, generator=random, dtype=F64)


def test_with_an_exact_search_a_quadratic_ends_in_as_many_steps_as_it_has_dimensions():
    hessian, right = quadratic(12)
    exact = Lbfgs(memory=12, decrease=1e-12, curvature=1e-9, rule=IterationBound(13) | RelativeGradient(1e-7))
    found = exact(lambda x: 0.5 * x @ hessian @ x - right @ x, start=torch.zeros(12, dtype=F64))
    assert found.reason is Stop.GRADIENT
    torch.testing.assert_close(found.value, torch.linalg.solve(hessian, right), rtol=0, atol=1e-6)


def test_the_two_loops_are_the_bfgs_matrix():
    hessian, _ = quadratic(6)
    random = torch.Generator().manual_seed(1)
    moves = tuple(torch.randn(6, generator=random, dtype=F64) for _ in range(4))
    bends = tuple(hessian @ move for move in moves)
    inverse = torch.eye(6, dtype=F64) * (moves[-1] @ bends[-1]) / (bends[-1] @ bends[-1])
    one = torch.eye(6, dtype=F64)
    for s, y in zip(moves, bends, strict=True):
        rho = 1 / (s @ y)
        left = one - rho * torch.outer(s, y)
        inverse = left @ inverse @ left.T + rho * torch.outer(s, s)
    g = torch.randn(6, generator=random, dtype=F64)
    torch.testing.assert_close(_inverse_hessian(g, moves, bends), inverse @ g, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(_inverse_hessian(bends[-1], moves, bends), moves[-1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_no_unit_matters(scale, unit):
    start = torch.tensor([-1.2, 1.0], dtype=F64)
    found = Lbfgs()(lambda x: scale * rosenbrock(x / unit), start=start * unit)
    assert found.converged
    assert (found.value / unit).tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
    assert found.iterations < 60


def test_the_objective_never_rises_and_float32_ends_at_its_rounding():
    start = torch.tensor([-1.2, 1.0] * 5)
    found = Lbfgs()(rosenbrock, start=start)
    objectives = [float(rosenbrock(start)), *(p.objective for p in found.history)]
    assert all(later <= earlier * (1 + 2e-6) for earlier, later in pairwise(objectives))
    assert found.converged
    assert found.value.dtype == torch.float32
    assert found.value.tolist() == pytest.approx([1.0] * 10, abs=2e-3)


def test_walls_and_stationary_starts():
    # −log x is infinite or undefined beyond 0: a trial there is no end of the search
    found = Lbfgs()(lambda x: (x - torch.log(x)).sum(), start=torch.tensor([1e-3, 30.0], dtype=F64))
    assert found.value.tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    still = Lbfgs()(lambda x: x.square().sum(), start=torch.zeros(2))
    assert still.converged
    assert still.value.tolist() == [0.0, 0.0]


def test_one_pair_and_complex_unknowns():
    hessian, right = quadratic(12)
    found = Lbfgs(memory=1)(lambda x: 0.5 * x @ hessian @ x - right @ x, start=torch.zeros(12, dtype=F64))
    torch.testing.assert_close(found.value, torch.linalg.solve(hessian, right), rtol=0, atol=1e-4)
    target = torch.tensor([1 + 2j, -3j], dtype=torch.complex128)
    weights = torch.tensor([1.0, 50.0], dtype=F64)
    found = Lbfgs()(lambda z: torch.sum(weights * (z - target).abs().square()), start=torch.zeros_like(target))
    torch.testing.assert_close(found.value, target, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [1e-8, 1e-3, 1.0, 1e3, 1e8])
@pytest.mark.parametrize("curvature", [0.9, 0.1, 1e-3])
def test_the_search_meets_the_wolfe_conditions(first, curvature):
    # φ(t) = −t/(t² + 2), Moré and Thuente's first function
    def trial(t: float) -> Trial:
        at = Evaluate(lambda x: -x / (x * x + 2))(torch.tensor(t, dtype=F64))
        return Trial(t, at.objective, at.gradient.item(), torch.tensor(t), at)

    start = trial(0.0)
    found = strong_wolfe(trial, start, first=first, decrease=1e-4, curvature=curvature, rounding=0.0)
    assert found is not None
    assert found.value <= start.value + 1e-4 * found.step * start.slope
    assert abs(found.slope) <= curvature * abs(start.slope)
    if curvature == 1e-3 and first <= 1.0:  # from far away it finds the far end, which is flat as well
        assert found.step == pytest.approx(math.sqrt(2), abs=0.01)


def test_impossible_settings_are_refused():
    for bad in ({"memory": 0}, {"decrease": 0.0}, {"curvature": 1.0}, {"decrease": 0.5, "curvature": 0.4}):
        with pytest.raises(UsageError, match="GD-101"):
            Lbfgs(**bad)
