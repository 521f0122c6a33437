import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.solve.curvature import curvature, resting_length
from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance
from gradatim.solve.error_map import ErrorRule, LaplaceErrorMap
from gradatim.solve.langevin import AdjustedLangevin
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallGap

SHAPE, SPACING = (6, 5, 4), (1.0, 0.8, 1.5)


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _gaussian(y, weights, K, lam):
    return Problem((Term(SquaredDistance(y, weights), Identity(y.shape[-3:])), Term(SquaredL2(), K, lam)))


def _inverse_diagonal(problem, diagonals):
    """By brute force: every operator as a matrix."""
    shape = problem.domain_shape
    size = math.prod(shape)
    columns = torch.eye(size, dtype=torch.float64).view(size, *shape)
    H = torch.zeros(size, size, dtype=torch.float64)
    for term, d in zip(problem.terms, diagonals, strict=True):
        image = term.operator.apply(columns)
        M = image.reshape(size, -1).T
        H += M.T @ (torch.as_tensor(d, dtype=torch.float64).expand(image.shape[1:]).reshape(-1, 1).double() * M)
    return torch.linalg.inv(H).diagonal().view(shape)


def test_the_matrix_rule_is_the_diagonal_of_the_inverse():
    weights, K = _random(*SHAPE).square() + 0.1, Gradient(SHAPE, SPACING)
    problem = _gaussian(_random(*SHAPE, seed=1), weights, K, 0.4)
    found = LaplaceErrorMap(sigma=0.3)(problem, at=_random(*SHAPE))
    assert (found.rule, found.monte_carlo) == (ErrorRule.DENSE, 0.0)
    exact = 0.3 * _inverse_diagonal(problem, (weights, 0.4)).sqrt()
    torch.testing.assert_close(found.value, exact, rtol=1e-9, atol=0)


@pytest.mark.parametrize("shape", [SHAPE, (6, 5, 3)])
def test_the_fourier_rule_is_the_diagonal_of_the_inverse(shape):
    problem = _gaussian(_random(*shape, seed=1), 2.0, PeriodicGradient(shape, SPACING), 0.4)
    found = LaplaceErrorMap()(problem, at=_random(*shape))
    assert found.rule is ErrorRule.FOURIER
    torch.testing.assert_close(found.value, _inverse_diagonal(problem, (2.0, 0.4)).sqrt(), rtol=1e-9, atol=0)


def test_samples_agree_with_the_exact_map_within_their_reported_error():
    """The same problem told in two ways: weights as a number (Fourier) and as an image (samples)."""
    shape = (16, 16, 9)
    at, K = _random(*shape), PeriodicGradient(shape, SPACING)
    exact = LaplaceErrorMap()(_gaussian(at, 2.0, K, 0.4), at=at)
    found = LaplaceErrorMap(samples=96)(_gaussian(at, torch.full(shape, 2.0).double(), K, 0.4), at=at)
    assert (exact.rule, found.rule) == (ErrorRule.FOURIER, ErrorRule.SAMPLED)
    off = found.value / exact.value - 1.0
    assert float(off.square().mean().sqrt()) == pytest.approx(found.monte_carlo, rel=0.1)
    assert float(off.mean().abs()) < 0.2 * found.monte_carlo


def test_68_and_95_percent_of_the_truth_lie_within_one_and_two_errors():
    """Truth from the prior, data from the truth, 400 times: coverage voxel by voxel and over all."""
    weights, lam, repeats = _random(*SHAPE).square() + 0.1, 0.7, 400
    K, one = Gradient(SHAPE, SPACING), Identity(SHAPE)
    columns = torch.eye(120, dtype=torch.float64).view(120, *SHAPE)
    precision = (lam * K.adjoint(K.apply(columns)) + 0.2 * columns).reshape(120, 120)
    factor = torch.linalg.cholesky(precision)
    truth = torch.linalg.solve_triangular(factor.T, _random(120, repeats, seed=1), upper=True).T.view(repeats, *SHAPE)
    y = truth + _random(repeats, *SHAPE, seed=2) / weights.sqrt()
    problem = Problem((Term(SquaredDistance(y, weights), one), Term(SquaredL2(), K, lam), Term(SquaredL2(), one, 0.2)))
    solution = NormalEquations()(problem, start=torch.zeros_like(y)).value
    error = LaplaceErrorMap()(problem, at=solution[0]).value
    for times, wanted in ((1.0, 0.6827), (2.0, 0.9545)):
        inside = ((solution - truth).abs() < times * error).double().mean(0)
        spread = math.sqrt(wanted * (1 - wanted) / repeats)
        assert float(inside.mean()) == pytest.approx(wanted, abs=0.01)
        assert float((inside - wanted).abs().max()) < 4.5 * spread


def test_total_variation_takes_lagged_diffusivity_at_the_solution():
    y, K, lam, sigma = _random(*SHAPE), Gradient(SHAPE, SPACING), 0.3, 0.5
    problem = Problem((Term(SquaredDistance(y), Identity(SHAPE)), Term(GroupL1(), K, lam)))
    x = Pdhg(IterationBound(2000) | SmallGap(1e-8))(problem, start=y).value
    found = LaplaceErrorMap(sigma=sigma)(problem, at=x)
    epsilon = 4.0 * sigma**2 / lam
    assert found.epsilons == (math.inf, pytest.approx(epsilon))
    length = K.apply(x).square().sum(0, keepdim=True)
    exact = sigma * _inverse_diagonal(problem, (1.0, lam / (length + epsilon**2).sqrt())).sqrt()
    torch.testing.assert_close(found.value, exact, rtol=1e-8, atol=0)


def test_edges_are_less_certain_than_flat_parts_and_masked_voxels_least():
    truth = torch.zeros(12, 12, 1, dtype=torch.float64)
    truth[6:] = 1.0
    weights = torch.full_like(truth, 100.0)
    weights[2, 2] = 0.0
    y, K = truth + 0.1 * _random(12, 12, 1), Gradient((12, 12, 1), (1.0, 1.0, 1.0))
    problem = Problem((Term(SquaredDistance(y, weights), Identity((12, 12, 1))), Term(GroupL1(), K, 10.0)))
    x = Pdhg(IterationBound(2000) | SmallGap(1e-6))(problem, start=y).value
    error = LaplaceErrorMap()(problem, at=x).value[..., 0]
    assert float(error[5:7, 3:9].min()) > float(error[8:11, 3:9].max())
    assert int(error.argmax()) == 2 * 12 + 2


def test_the_map_has_the_unit_of_the_image():
    """Image and noise in a unit a thousand times smaller: errors a thousand times larger, without a knob."""
    y, K = _random(*SHAPE), Gradient(SHAPE, SPACING)

    def error(scale):
        problem = Problem((Term(SquaredDistance(scale * y), Identity(SHAPE)), Term(GroupL1(), K, 0.3 * scale)))
        return LaplaceErrorMap(sigma=0.5 * scale)(problem, at=scale * y).value

    torch.testing.assert_close(error(1000.0), 1000.0 * error(1.0), rtol=1e-10, atol=0)


@pytest.mark.parametrize(
    "function", [L1(1.3), GroupL1(1.3, axis=-1), GroupHuber(0.4, 1.3, axis=-1), SquaredL2(1.3), HuberDistance(
        torch.full((4, 2), 0.3, dtype=torch.float64), 1.7, 0.5), SquaredDistance(torch.ones(4, 2).double(), 2.0)
    ], ids=lambda f: type(f).__name__,
)  # fmt: skip
def test_the_parabola_touches_the_function_from_above(function):
    """Same value and slope at u, nowhere below f."""
    u = _random(4, 2)
    centre = getattr(function, "target", torch.zeros_like(u))
    D = torch.as_tensor(curvature(function, u, 1e-9), dtype=torch.float64)
    torch.testing.assert_close(D * (u - centre), function.gradient(u), rtol=1e-6, atol=1e-9)
    f_u = function.value(u)
    for seed in range(20):
        v = u + _random(4, 2, seed=seed)
        parabola = f_u + 0.5 * (D * ((v - centre).square() - (u - centre).square())).sum()
        assert float(function.value(v)) <= float(parabola) + 1e-9


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_resting_curvature_is_the_inverse_variance_of_the_prior(d):
    """Vectors of density exp(−w‖u‖/T): gamma-distributed length, uniform direction; 400 000 of them."""
    w, T = 2.0, 0.3
    torch.manual_seed(0)
    length = torch.distributions.Gamma(float(d), w / T).sample((400_000,))
    direction = torch.nn.functional.normalize(torch.randn(400_000, d), dim=1)
    variance = float((length[:, None] * direction).square().mean())
    function, at = GroupL1(w, axis=-1), torch.zeros(d)
    epsilon = resting_length(function, at, T)
    assert T / float(curvature(function, at, epsilon)) == pytest.approx(variance, rel=0.01)


@pytest.mark.slow
def test_langevin_samples_have_the_errors_of_the_map():
    """An adjusted chain draws from the posterior itself: equal for a quadratic prior, for total variation a bound.

    The chain's own relative error, seen in the quadratic case, is about 2 %.
    """
    shape = (12, 12)
    truth = torch.zeros(shape, dtype=torch.float64)
    truth[6:] = 1.0
    y, K = truth + 0.1 * _random(*shape), Gradient(shape, (1.0, 1.0))
    chain = AdjustedLangevin(count=15000, burn_in=3000)

    def ratio(prior, sampled):
        data = Term(SquaredDistance(y, 100.0), Identity(shape))
        problem, smooth = (Problem((data, Term(f, K, 20.0))) for f in (prior, sampled))
        x = Pdhg(IterationBound(1000) | SmallGap(1e-6))(problem, start=y).value
        drawn = chain(smooth.value, start=x, gradient=smooth.gradient)
        return LaplaceErrorMap()(problem, at=x).value / drawn.variance.sqrt()

    quadratic = ratio(SquaredL2(), SquaredL2())
    assert float(quadratic.mean()) == pytest.approx(1.0, abs=0.01)
    assert float((quadratic - 1.0).abs().max()) < 0.08
    variation = ratio(GroupL1(axis=-3), GroupHuber(0.002, axis=-3))
    assert 1.0 < float(variation.mean()) < 1.3
    assert float(variation[5:7].mean()) == pytest.approx(1.0, abs=0.1)


def test_what_cannot_be_told_is_refused():
    y, one = _random(*SHAPE), Identity(SHAPE)
    with pytest.raises(InputError, match="GD-644"):
        LaplaceErrorMap()(Problem((Term(L1Distance(y), one),)), at=y)
    with pytest.raises(InputError, match="GD-645"):
        LaplaceErrorMap()(_gaussian(y, torch.zeros(SHAPE).double(), Gradient(SHAPE, SPACING), 1.0), at=y)
    with pytest.raises(InputError, match="GD-645"):
        LaplaceErrorMap()(_gaussian(y, 0.0, PeriodicGradient(SHAPE, SPACING), 1.0), at=y)
    for bad in (
        lambda: LaplaceErrorMap(sigma=0.0),
        lambda: LaplaceErrorMap(epsilon=-1.0),
        lambda: LaplaceErrorMap(samples=1),
    ):
        with pytest.raises(UsageError, match="GD-101"):
            bad()
