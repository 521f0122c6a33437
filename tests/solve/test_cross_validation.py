import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.solve.cross_validation import GeneralisedCrossValidation
from gradatim.solve.degrees_of_freedom import MonteCarloDegreesOfFreedom, exact_degrees_of_freedom
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.problem import Problem, Term
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.selection import Selected
from gradatim.solve.stopping import IterationBound, SmallResidual

METHOD = NormalEquations(IterationBound(500) | SmallResidual(1e-9))


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _smooth(y, K, weights=1.0):
    nothing = torch.zeros(K.codomain_shape, dtype=y.dtype)
    shape = K.domain_shape
    return lambda lam: Problem(
        (Term(SquaredDistance(y, weights), Identity(shape)), Term(SquaredDistance(nothing), K, lam))
    )


def _influence(y, K, lam, weights=1.0):
    """A ∂x̂/∂y as a matrix, column by column."""
    size = y.numel()
    columns = torch.eye(size, dtype=y.dtype).view(size, *y.shape)
    W = torch.as_tensor(weights, dtype=y.dtype).expand(y.shape)
    S = torch.stack([(W * c + lam * K.adjoint(K.apply(c))).flatten() for c in columns], dim=1)
    return torch.linalg.solve(S, torch.diag(W.flatten()))


@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 5, 3), (4, 4, 1)])
def test_exact_freedom_is_the_trace_of_the_influence_matrix(shape):
    y, K = _random(*shape), PeriodicGradient(shape, (1.0, 0.7, 1.3))
    path = RegularisationPath(_smooth(y, K, 2.0), METHOD, y)
    assert exact_degrees_of_freedom(path, 0.3) == pytest.approx(float(_influence(y, K, 0.3, 2.0).trace()), rel=1e-10)


def test_complex_data_have_twice_the_freedom_of_real_ones():
    shape = (6, 5, 4)
    y, K = _random(*shape), PeriodicGradient(shape, (1.0, 0.7, 1.3))
    real, both = (RegularisationPath(_smooth(d, K), METHOD, d) for d in (y, torch.complex(y, 2.0 * y)))
    assert both.count == 2 * real.count
    assert exact_degrees_of_freedom(both, 0.3) == pytest.approx(2.0 * exact_degrees_of_freedom(real, 0.3), rel=1e-12)


def test_exact_freedom_is_not_claimed_where_fourier_does_not_diagonalise():
    y, shape = _random(6, 5, 4), (6, 5, 4)
    weights = _random(*shape, seed=1).square()
    for at in (
        _smooth(y, Gradient(shape, (1.0, 1.0, 1.0))),
        _smooth(y, PeriodicGradient(shape, (1.0, 1.0, 1.0)), weights),
    ):
        assert exact_degrees_of_freedom(RegularisationPath(at, METHOD, y), 0.3) is None


def test_monte_carlo_freedom_agrees_with_the_trace_within_its_own_error():
    """Weighted, a few data missing: the variance of a probe is 2·Σ of squared off-diagonals of the symmetric form."""
    shape, lam, probes = (6, 5, 4), 0.5, 64
    y, K = _random(*shape), Gradient(shape, (1.0, 1.0, 1.0))
    weights = _random(*shape, seed=1).square()
    weights[0, :2] = 0.0
    J = _influence(y, K, lam, weights)
    path = RegularisationPath(_smooth(y, K, weights), METHOD, y)
    found = MonteCarloDegreesOfFreedom(path, 0.1, probes, seed=3).at(lam)
    root = weights.flatten().sqrt()
    seen = root > 0
    H = (root[seen, None] * J[seen][:, seen]) / root[seen]
    H = 0.5 * (H + H.T)
    spread = float((2.0 * (H.square().sum() - H.diagonal().square().sum())).sqrt()) / probes**0.5
    assert abs(found - float(J.trace())) < 3.0 * spread


def test_exact_and_monte_carlo_choose_the_same_weight():
    """The same problem, once so that Fourier diagonalises it and once with weights as an image of ones."""
    shape = (32, 32, 1)
    t = torch.linspace(0, 6.28, 32, dtype=torch.float64)
    truth = torch.sin(t)[:, None, None] * torch.cos(t)[None, :, None]
    y, K = truth + 0.3 * _random(*shape), PeriodicGradient(shape, (1.0, 1.0, 1.0))
    exact = Selected(GeneralisedCrossValidation(), METHOD)(_smooth(y, K), start=y)
    chance = Selected(GeneralisedCrossValidation(probes=4), METHOD)(_smooth(y, K, torch.ones(shape).double()), start=y)
    assert not exact.at_edge
    assert not chance.at_edge
    assert chance.weight == pytest.approx(exact.weight, rel=0.25)


def test_the_choice_is_near_the_least_error_where_data_are_many():
    shape = (96, 96, 1)
    t = torch.linspace(0, 6.28, 96, dtype=torch.float64)
    truth = torch.sin(t)[:, None, None] * torch.cos(t)[None, :, None]
    y = truth + 0.3 * _random(*shape)
    smooth = _smooth(y, PeriodicGradient(shape, (1.0, 1.0, 1.0)))
    found = Selected(GeneralisedCrossValidation(), METHOD)(smooth, start=y)
    near = [METHOD(smooth(found.weight * 10 ** (0.1 * k)), start=y).value for k in range(-8, 9)]
    assert float((found.value - truth).square().mean()) < 1.1 * min(float((x - truth).square().mean()) for x in near)


def test_no_probe_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        GeneralisedCrossValidation(probes=0)
