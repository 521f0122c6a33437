import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.diagonal import Diagonal, Mask
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.dipole import dipole_symbol
from gradatim.linop.fourier import CentredFourier
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.operator import LinearOperator
from gradatim.linop.sampled import SampledFourier
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.least_squares import ConjugateGradientLeastSquares
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.norms import SquaredL2
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import Discrepancy, IterationBound, RelativeChange, SmallResidual

SHAPE, SPACING = (5, 4, 6), (1.0, 0.8, 1.5)
TIGHT = IterationBound(500) | SmallResidual(1e-12)


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _matrix(operator: LinearOperator) -> torch.Tensor:
    size = torch.Size(operator.domain_shape).numel()
    columns = torch.eye(size, dtype=torch.float64).view(size, *operator.domain_shape)
    return operator.apply(columns).reshape(size, -1).T


def _dipole() -> FourierMultiplier:
    return FourierMultiplier(dipole_symbol(SHAPE, SPACING, b0_direction=(0.6, 0.0, 0.8), dtype=torch.float64), SHAPE)


def test_system_agrees_with_a_direct_solver():
    gradient = Gradient(SHAPE, SPACING)
    system = gradient.H @ gradient + 0.3 * Identity(SHAPE)
    right = _random(*SHAPE)
    found = ConjugateGradient(TIGHT)(right, system=system)
    direct = torch.linalg.solve(_matrix(system), right.flatten()).view(SHAPE)
    torch.testing.assert_close(found.value, direct, rtol=0, atol=1e-10)
    assert found.reason is Stop.RESIDUAL


def test_system_agrees_with_the_exact_fourier_solve():
    gradient, dipole = PeriodicGradient(SHAPE, SPACING), _dipole()
    system = dipole.H @ dipole + 0.1 * (gradient.H @ gradient) + 0.01 * Identity(SHAPE)
    right = _random(*SHAPE)
    symbol = dipole.gram_symbol(right) + 0.1 * gradient.gram_symbol(right) + 0.01
    exact = torch.fft.irfftn(torch.fft.rfftn(right) / symbol, s=SHAPE)
    torch.testing.assert_close(ConjugateGradient(TIGHT)(right, system=system).value, exact, rtol=0, atol=1e-9)


def test_least_squares_agrees_with_the_normal_equations():
    A, weights = Gradient(SHAPE, SPACING), _random(3, *SHAPE, seed=1).square()
    y = _random(3, *SHAPE, seed=2)
    found = ConjugateGradientLeastSquares(TIGHT)(y, operator=A, weights=weights)
    M, w = _matrix(A), weights.flatten()
    exact = torch.linalg.pinv(M.T @ (w[:, None] * M)) @ (M.T @ (w * y.flatten()))
    torch.testing.assert_close(found.value.flatten(), exact, rtol=0, atol=1e-8)  # minimum norm: started at 0


def test_masked_dipole_least_squares_satisfies_the_normal_equations():
    A, y = Mask(_random(*SHAPE, seed=3) > -0.5) @ _dipole(), _random(*SHAPE, seed=4)
    x = ConjugateGradientLeastSquares(TIGHT)(y, operator=A).value
    assert float(A.adjoint(y - A.apply(x)).norm()) < 1e-10 * float(A.adjoint(y).norm())


def test_as_many_steps_as_distinct_eigenvalues():
    system = Diagonal(torch.tensor([1.0, 1.0, 4.0, 9.0, 9.0], dtype=torch.float64))
    assert ConjugateGradient(TIGHT)(_random(5), system=system).iterations == 3


def test_warm_start_at_the_solution_stops_at_once():
    system, x = Diagonal(torch.tensor([1.0, 2.0, 4.0])), torch.tensor([1.0, -1.0, 0.5])
    assert ConjugateGradient()(system.apply(x), system=system, start=x).iterations == 0
    assert ConjugateGradientLeastSquares()(system.apply(x), operator=system, start=x).iterations == 0


def test_nothing_to_solve_gives_zero():
    found = ConjugateGradient()(torch.zeros(3), system=Diagonal(torch.ones(3)))
    assert found.value.tolist() == [0.0, 0.0, 0.0]
    assert found.converged


def test_the_bound_is_reported_as_a_bound():
    found = ConjugateGradient(IterationBound(2) | RelativeChange(1e-12))(
        _random(20), system=Diagonal(torch.linspace(0.01, 1, 20, dtype=torch.float64))
    )
    assert (found.reason, found.iterations, len(found.history), found.converged) == (Stop.BOUND, 2, 2, False)


def test_discrepancy_stops_at_the_noise():
    """A decaying spectrum, noise of known size: the early stop beats the converged solution."""
    size, sigma = 400, 0.02
    A = Diagonal(torch.logspace(0, -4, size, dtype=torch.float64))
    truth = torch.sin(torch.linspace(0, 6, size, dtype=torch.float64))
    y = A.apply(truth) + sigma * _random(size, seed=5)
    weights = torch.full((size,), sigma**-2, dtype=torch.float64)
    stopped = ConjugateGradientLeastSquares(IterationBound(2000) | Discrepancy(1.05))(y, operator=A, weights=weights)
    full = ConjugateGradientLeastSquares(IterationBound(2000))(y, operator=A, weights=weights)
    assert stopped.reason is Stop.DISCREPANCY
    assert stopped.history[-1].misfit <= 1.05 < stopped.history[-2].misfit
    assert (stopped.value - truth).norm() < 0.1 * (full.value - truth).norm()


def test_unrolled_gradient_is_right():
    system = Diagonal(torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64))
    right = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    ConjugateGradient(IterationBound(3))(right, system=system).value.sum().backward()
    torch.testing.assert_close(right.grad, torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64))


def test_infinite_data_end_as_a_value_not_as_a_crash():
    right = torch.tensor([float("inf"), 1.0])
    assert ConjugateGradient()(right, system=Diagonal(torch.tensor([1.0, 2.0]))).reason is Stop.NON_FINITE


def test_a_system_that_is_not_square_is_refused():
    with pytest.raises(UsageError, match="GD-103"):
        ConjugateGradient()(torch.zeros(3, *SHAPE), system=Gradient(SHAPE, SPACING))


def test_nothing_on_the_right_side_has_the_solution_zero_from_any_start():
    found = ConjugateGradient()(torch.zeros(SHAPE), system=Identity(SHAPE), start=torch.ones(SHAPE))
    assert not bool(found.value.any())
    assert found.reason is Stop.RESIDUAL


def test_complex_systems_and_least_squares():
    """Hermitian products throughout: without the conjugate the iteration fails on the first complex image."""
    coils = torch.complex(_random(3, 6, 5, seed=1), _random(3, 6, 5, seed=2))
    mask = torch.rand(6, 5, generator=torch.Generator().manual_seed(3)) < 0.6
    A = SampledFourier(CentredFourier((6, 5)), mask, coils)
    y = A.apply(torch.complex(_random(6, 5, seed=4), _random(6, 5, seed=5)))
    columns = A.apply(torch.eye(30, dtype=torch.complex128).view(30, 6, 5)).reshape(30, -1).T
    found = ConjugateGradientLeastSquares(TIGHT)(y, operator=A)
    expected = torch.linalg.lstsq(columns, y.reshape(-1, 1), driver="gelsd").solution.view(6, 5)
    torch.testing.assert_close(found.value, expected, rtol=0, atol=1e-8)

    gradient = PeriodicGradient((6, 5), (1.0, 0.7))
    ridge = Problem((Term(SquaredDistance(y), A), Term(SquaredL2(), gradient, 0.3)))
    solved = NormalEquations(TIGHT)(ridge, start=torch.zeros(6, 5, dtype=torch.complex128)).value
    assert float(ridge.gradient(solved).abs().max()) < 1e-10
    assert float(ridge.gradient(torch.zeros_like(solved)).abs().max()) > 1e-2
