"""ADMM against closed forms, and against a primal-dual method that shares no code with it."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.diagonal import Mask
from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.dipole import dipole_symbol
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.solve.admm import Admm
from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance
from gradatim.solve.norms import L1, GroupL1
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, SmallResidual

SHAPE, SPACING = (12, 10, 8), (1.0, 1.2, 1.6)
LONG = IterationBound(600) | SmallResidual(1e-10)


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _dipole() -> FourierMultiplier:
    return FourierMultiplier(dipole_symbol(SHAPE, SPACING, b0_direction=(0.0, 0.6, 0.8), dtype=torch.float64), SHAPE)


def _problem(data):
    """A box of 1 in a noisy field with an outlier, seen through the dipole kernel, with uneven weights."""
    chi = torch.zeros(SHAPE, dtype=torch.float64)
    chi[4:8, 3:7, 2:6] = 1.0
    y = _dipole().apply(chi) + 0.02 * _random(*SHAPE, seed=1)
    y[2, 2, 2] += 3.0
    weights = (0.5 + torch.rand(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(2))) * 100
    weights[:, :2] = 0.0
    return Problem((Term(data(y, weights), _dipole()), Term(GroupL1(), PeriodicGradient(SHAPE, SPACING), 0.3)))


def _primal_dual(problem, iterations):
    """Chambolle & Pock (J Math Imaging Vis 40:120-145, 2011) on the stacked operators, in plain steps."""
    terms = problem.terms
    squared = sum(float(t.operator.gram_symbol(torch.ones(1, dtype=torch.float64)).max()) for t in terms)
    sigma, tau = 30.0 / squared**0.5, 1.0 / 30.0 / squared**0.5
    x = torch.zeros(SHAPE, dtype=torch.float64)
    ahead, duals = x, [torch.zeros(t.operator.codomain_shape, dtype=torch.float64) for t in terms]
    for _ in range(iterations):
        for i, t in enumerate(terms):
            moved = duals[i] + sigma * t.operator.apply(ahead)
            duals[i] = moved - sigma * t.function.prox(moved / sigma, t.weight / sigma)  # Moreau
        new = x - tau * sum(t.operator.adjoint(d) for t, d in zip(terms, duals, strict=True))
        x, ahead = new, 2 * new - x
    return x


@pytest.mark.parametrize("data", [SquaredDistance, HuberDistance, lambda y, w: L1Distance(y, w.sqrt())])
def test_total_variation_dipole_inversion_reaches_the_certified_objective(data):
    problem = _problem(data)
    found = Admm(LONG)(problem, start=torch.zeros(SHAPE, dtype=torch.float64))
    reference = _primal_dual(problem, 2000)
    best, other = float(problem.value(found.value)), float(problem.value(reference))
    assert best == pytest.approx(other, rel=1e-5)
    assert best <= other * (1 + 1e-6)
    difference = found.value - reference
    assert float((difference - difference.mean()).norm() / reference.norm()) < 1e-2


def test_default_stop_is_within_a_thousandth_of_the_optimum():
    problem = _problem(SquaredDistance)
    start = torch.zeros(SHAPE, dtype=torch.float64)
    best = float(problem.value(Admm(LONG)(problem, start=start).value))
    found = Admm()(problem, start=start)
    assert found.converged
    assert float(problem.value(found.value)) <= 1.001 * best


def test_poor_first_penalties_are_repaired():
    problem = _problem(SquaredDistance)
    start = torch.zeros(SHAPE, dtype=torch.float64)
    best = float(problem.value(Admm(LONG)(problem, start=start).value))
    for factor in (1e-3, 1e3):
        found = Admm(IterationBound(300))(problem, start=start, penalties=(50.0 * factor, 3.0 * factor))
        assert float(problem.value(found.value)) <= 1.002 * best


def test_quadratic_has_its_closed_form():
    """½‖D x − y‖² + ½·μ‖∇x‖²: one division in Fourier space."""
    y, gradient, dipole = _random(*SHAPE), PeriodicGradient(SHAPE, SPACING), _dipole()
    flat = SquaredDistance(torch.zeros(3, *SHAPE, dtype=torch.float64), 0.2)
    found = Admm(LONG)(Problem((Term(SquaredDistance(y), dipole), Term(flat, gradient))), start=torch.zeros_like(y))
    symbol = dipole.gram_symbol(y) + 0.2 * gradient.gram_symbol(y)
    symbol[0, 0, 0] = 1.0
    exact = torch.fft.irfftn(torch.fft.rfftn(y) * dipole.symbol / symbol, s=SHAPE)
    torch.testing.assert_close(found.value, exact, rtol=0, atol=1e-7)


def test_denoising_one_step_in_one_dimension():
    """TV of a periodic 0/1 box moves each plateau by 2λ over its length and keeps the edges."""
    y = torch.zeros(20, 1, 1, dtype=torch.float64)
    y[5:13] = 1.0
    weight = 0.5
    problem = Problem((
        Term(SquaredDistance(y), Identity((20, 1, 1))),
        Term(GroupL1(weight), PeriodicGradient((20, 1, 1), (1.0, 1.0, 1.0))),
    ))  # fmt: skip
    exact = torch.where(y > 0, 1 - 2 * weight / 8, 2 * weight / 12).double()
    found = Admm(LONG)(problem, start=torch.zeros_like(y))
    torch.testing.assert_close(found.value, exact, rtol=0, atol=1e-7)


def test_soft_threshold_is_the_solution_of_two_identities():
    y = _random(4, 4, 4)
    problem = Problem((Term(SquaredDistance(y), Identity((4, 4, 4))), Term(L1(0.6), Identity((4, 4, 4)))))
    torch.testing.assert_close(Admm(LONG)(problem, start=torch.zeros_like(y)).value, L1(0.6).prox(y, 1.0))


def test_batch_and_single_precision():
    y = _random(2, *SHAPE).float()
    prior = Term(GroupL1(0.5), PeriodicGradient(SHAPE, SPACING))
    problem = Problem((Term(SquaredDistance(y), Identity(SHAPE)), prior))
    found = Admm(IterationBound(200) | RelativeChange(1e-6))(problem, start=torch.zeros_like(y)).value
    assert found.dtype is torch.float32
    for item, target in zip(found, y, strict=True):
        single = Problem((Term(SquaredDistance(target), Identity(SHAPE)), prior))
        alone = Admm(IterationBound(200) | RelativeChange(1e-6))(single, start=torch.zeros_like(target)).value
        torch.testing.assert_close(item, alone, rtol=0, atol=2e-4)


def test_failure_is_a_value():
    y = torch.full(SHAPE, float("inf"))
    found = Admm()(Problem((Term(SquaredDistance(y), Identity(SHAPE)),)), start=torch.zeros(SHAPE))
    assert found.reason is Stop.NON_FINITE


def test_what_does_not_fit_is_refused():
    zero = torch.zeros(2, 2, 2)
    with pytest.raises(UsageError, match="GD-101"):
        Admm(relaxation=2.0)
    with pytest.raises(UsageError, match="shift-invariant operators"):
        Admm()(Problem((Term(L1(), Mask(zero > 1)),)), start=zero)
    with pytest.raises(UsageError, match="GD-101"):
        Admm()(Problem((Term(L1(), Identity((2, 2, 2))),)), start=zero, penalties=(0.0,))


def test_a_prox_that_returns_its_argument_is_safe():
    """λ = 0 makes every prox the identity; the data must come back untouched."""
    y = _random(6, 5)
    prior = Term(GroupL1(axis=-3), PeriodicGradient((6, 5), (1.0, 1.0)), 0.0)
    free = Problem((Term(SquaredDistance(y), Identity((6, 5))), prior))
    found = Admm(IterationBound(300) | RelativeChange(1e-12))(free, start=torch.zeros_like(y))
    torch.testing.assert_close(found.value, y, rtol=0, atol=1e-9)
    assert found.certificate.gap < 1e-12
