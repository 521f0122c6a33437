"""Primal-dual steps: closed forms, units that do not matter, certificates that hold."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.diagonal import Diagonal, Mask
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.solve.admm import Admm
from gradatim.solve.constraints import Box
from gradatim.solve.distances import L1Distance, SquaredDistance
from gradatim.solve.fista import Fista
from gradatim.solve.norms import L1, GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _blur(shape):
    """A periodic Gaussian blur of 1 pixel."""
    fx, fy = torch.fft.fftfreq(shape[0], dtype=torch.float64), torch.fft.rfftfreq(shape[1], dtype=torch.float64)
    return FourierMultiplier(torch.exp(-2 * (torch.pi**2) * (fx[:, None] ** 2 + fy**2)), shape)


def _deblurring(shape=(12, 10), weight=0.05):
    """Blur, a third of the pixels lost, total variation."""
    truth = torch.zeros(shape, dtype=torch.float64)
    truth[4:10, 3:8] = 1.0
    kept = torch.rand(shape, generator=torch.Generator().manual_seed(1)) > 0.3
    y = _blur(shape).apply(truth) + 0.01 * _random(*shape, seed=2)
    data = Term(SquaredDistance(y, kept.double()), _blur(shape))
    return Problem((data, Term(GroupL1(axis=-3), PeriodicGradient(shape, (1.0, 1.0)), weight)))


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_the_scale_of_an_operator_does_not_matter(scale):
    """K scaled by c with λ scaled by 1/c is the same problem; it must be solved as well, without a knob."""
    y = _random(16, 16)
    K = scale * Gradient((16, 16), (1.0, 1.0))
    problem = Problem((Term(SquaredDistance(y), Identity((16, 16))), Term(L1(), K, 0.3 / scale)))
    found = Pdhg(IterationBound(300) | SmallGap(1e-6))(problem, start=y)
    best = Pdhg(IterationBound(400))(
        Problem((problem.terms[0], Term(L1(), Gradient((16, 16), (1.0, 1.0)), 0.3))), start=y
    )
    assert found.certificate.relative < 1e-4
    assert float((found.value - best.value).norm()) <= found.certificate.distance + best.certificate.distance


@pytest.mark.parametrize("millimetres", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("grey", [1e-3, 1.0, 1e3])
def test_units_of_length_and_value_do_not_matter(millimetres, grey):
    """Without a strongly convex term as with one: the same number of iterations, the same picture."""
    shape = (12, 10)
    plain = _deblurring()
    y, kept = plain.terms[0].function.target, plain.terms[0].function.weights
    gradient = PeriodicGradient(shape, (millimetres, millimetres))
    scaled = Problem((
        Term(SquaredDistance(grey * y, kept), _blur(shape)),
        Term(GroupL1(axis=-3), gradient, 0.05 * grey * millimetres),
    ))  # fmt: skip
    method = Pdhg(IterationBound(50))
    found = method(scaled, start=torch.zeros_like(y)).value / grey
    torch.testing.assert_close(found, method(plain, start=torch.zeros_like(y)).value, rtol=0, atol=1e-9)


def test_agrees_with_admm_and_with_a_closed_form():
    problem = _deblurring()
    start = torch.zeros(12, 10, dtype=torch.float64)
    ours = Pdhg(IterationBound(500))(problem, start=start)
    theirs = Admm(IterationBound(500) | SmallResidual(1e-11))(problem, start=start)
    assert float(problem.value(ours.value)) == pytest.approx(float(problem.value(theirs.value)), rel=1e-5)
    torch.testing.assert_close(ours.value, theirs.value, rtol=0, atol=2e-3)
    y, d = _random(6, 5), torch.rand(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) + 0.5
    ridge = Problem(
        (Term(SquaredDistance(y), Diagonal(d)), Term(SquaredDistance(torch.zeros_like(y)), Identity((6, 5)), 0.2))
    )
    found = Pdhg(IterationBound(400))(ridge, start=torch.zeros_like(y))
    assert float((found.value - d * y / (d.square() + 0.2)).norm()) <= found.certificate.distance * (1 + 1e-6) < 0.05


@pytest.mark.parametrize("weight", [1e-4, 1e-2, 1.0, 1e2])
def test_four_decades_of_the_weight_need_no_other_steps(weight):
    y = _random(24, 20)
    problem = Problem(
        (Term(SquaredDistance(y), Identity((24, 20))), Term(GroupL1(axis=-3), Gradient((24, 20), (1.0, 1.0)), weight))
    )
    found = Pdhg()(problem, start=y)
    assert found.reason is Stop.GAP


def _random_problem(seed):
    """A convex problem drawn at random: data behind a mask, a blur or the identity; one or two priors."""
    draw = torch.Generator().manual_seed(seed)
    shape = (7, 6)
    pick = int(torch.randint(3, (1,), generator=draw))
    operator = (Identity(shape), Mask(torch.rand(shape, generator=draw) > 0.2), _blur(shape))[pick]
    y = torch.randn(shape, generator=draw, dtype=torch.float64)
    data = (SquaredDistance(y), L1Distance(y))[int(torch.randint(2, (1,), generator=draw))]
    weight = 10.0 ** float(torch.empty(1).uniform_(-2, 0.5, generator=draw))
    priors = [Term(GroupL1(axis=-3), Gradient(shape, (1.0, 0.8)), weight), Term(L1(), Identity(shape), 0.3 * weight)]
    return Problem((Term(data, operator), *priors[: 1 + int(torch.randint(2, (1,), generator=draw))]))


@pytest.mark.parametrize("seed", range(50))
def test_the_reported_gap_is_at_least_the_true_one(seed):
    problem = _random_problem(seed)
    start = torch.zeros(7, 6, dtype=torch.float64)
    best = Pdhg(IterationBound(250))(problem, start=start)
    for count in (10, 60):
        rough = Pdhg(IterationBound(count))(problem, start=start)
        if rough.certificate is None:
            assert not rough.value.any()  # at 0 without a smooth term nothing tells how far the minimum is
            continue
        if rough.certificate.radius > 0 and float((rough.value - best.value).norm()) > rough.certificate.radius:
            assert count == 10  # the premise of the bound may fail only at the very start
            continue
        excess = float(problem.value(rough.value)) - float(problem.value(best.value))
        assert excess <= rough.certificate.gap * (1 + 1e-9) + 1e-12


def test_fista_agrees_and_its_gap_holds():
    shape = (12, 10)
    y = _blur(shape).apply(_random(*shape))
    problem = Problem((Term(SquaredDistance(y), _blur(shape)), Term(L1(), Identity(shape), 0.05)))
    ours = Pdhg(IterationBound(500))(problem, start=torch.zeros_like(y))
    theirs = Fista(IterationBound(1000) | SmallResidual(1e-12))(problem, start=torch.zeros_like(y))
    assert float(problem.value(ours.value)) == pytest.approx(float(problem.value(theirs.value)), rel=1e-7)
    rough = Fista(IterationBound(20))(problem, start=torch.zeros_like(y))
    assert float(problem.value(rough.value) - problem.value(theirs.value)) <= rough.certificate.gap


def test_fista_restarts_rather_than_ripples():
    """On an ill-conditioned quadratic the restarted objective falls faster than the momentum alone lets it."""
    d = torch.logspace(0, -1, 40, dtype=torch.float64)
    y = _random(40)
    problem = Problem((Term(SquaredDistance(y), Diagonal(d)),))
    found = Fista(IterationBound(2000) | SmallResidual(1e-13))(problem, start=torch.zeros_like(y))
    assert found.reason is Stop.RESIDUAL
    torch.testing.assert_close(found.value, y / d, rtol=1e-6, atol=0)


@pytest.mark.parametrize("data", [SquaredDistance, L1Distance])
def test_a_constraint_is_kept_exactly_and_certified(data):
    """Over-relaxed steps leave the box; the answer must not, or its objective would be infinite."""
    y = 2.0 * _random(9, 8)
    prior = Term(GroupL1(axis=-3), Gradient((9, 8), (1.0, 1.0)), 0.3)
    terms = (Term(data(y), Identity((9, 8))), Term(Box(0.0, 1.0), Identity((9, 8))), prior)
    found = Pdhg(IterationBound(300))(Problem(terms), start=y)
    assert float(found.value.min()) >= 0.0
    assert float(found.value.max()) <= 1.0
    assert found.certificate.relative < 1e-3


def test_restarts_make_the_error_of_a_smooth_problem_fall_geometrically():
    """Shrinking steps alone leave a gap of 1e-4 here after 100 iterations, for they promise only 1/k²."""
    y = _random(8, 8)
    problem = Problem((Term(SquaredDistance(y), Identity((8, 8))), Term(L1(), Identity((8, 8)), 0.4)))
    gaps = [Pdhg(IterationBound(count))(problem, start=y).certificate.relative for count in (20, 40, 80)]
    assert gaps[0] < 1e-2
    assert gaps[1] < 1e-2 * gaps[0]
    assert gaps[2] < 1e-2 * gaps[1]


def test_a_step_is_pure():
    problem = _deblurring()
    method = Pdhg()
    state = method.init(problem, torch.zeros(12, 10, dtype=torch.float64))
    copies = [p.clone() for p in (state.x, *state.duals)]
    first, second = method.step(problem, state), method.step(problem, state)
    assert torch.equal(first.x, second.x)
    assert all(torch.equal(a, b) for a, b in zip(copies, (state.x, *state.duals), strict=True))


def test_complex_unknowns():
    y = torch.complex(_random(8, 8), _random(8, 8, seed=5))
    problem = Problem((Term(SquaredDistance(y), Identity((8, 8))), Term(L1(), Identity((8, 8)), 0.4)))
    found = Pdhg(IterationBound(400))(problem, start=torch.zeros_like(y))
    assert (
        float((found.value - L1(0.4).prox(y, 1.0)).abs().square().sum().sqrt())
        <= found.certificate.distance * (1 + 1e-6)
        < 0.05
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        Pdhg(relaxation=2.0)
    with pytest.raises(UsageError, match="GD-101"):
        Fista()(_deblurring(), start=torch.zeros(12, 10))
    with pytest.raises(UsageError, match="GD-101"):
        Problem(())
    with pytest.raises(UsageError, match="GD-103"):
        Problem((Term(L1(), Identity((2, 2))), Term(L1(), Identity((2, 3)))))
    with pytest.raises(UsageError, match="GD-101"):
        Term(L1(), Identity((2, 2)), -1.0)


@pytest.mark.parametrize("method", [Fista(), Pdhg()])
def test_a_start_at_zero_is_not_taken_for_the_minimum(method):
    """Where data lie in a direction that A weakens, x grows slowly from 0 and a ball of 2‖x‖ holds no minimum."""
    y = torch.tensor([0.0, 1.0], dtype=torch.float64)
    problem = Problem((Term(SquaredDistance(y), Diagonal(torch.tensor([1.0, 0.002], dtype=torch.float64))),))
    found = method(problem, start=torch.zeros_like(y))
    assert found.reason is not Stop.GAP or float(problem.value(found.value)) < 1e-3
    assert float(problem.value(found.value)) <= found.certificate.gap  # the minimum is 0


def test_at_zero_a_certificate_claims_a_duality_gap_only_where_it_is_one():
    zero, one = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    stretch = Diagonal(torch.tensor([1.0, 2.0], dtype=torch.float64))
    smooth = Problem((Term(SquaredDistance(one), stretch),)).certificate(zero, [None])
    assert smooth.radius > math.sqrt(1.0 + 0.25)  # ‖x*‖
    assert smooth.gap >= smooth.objective
    sharp = Problem((Term(L1Distance(one), stretch),))
    assert sharp.certificate(zero, [-0.5 * one]) is None  # nothing tells how far the minimum is
    assert sharp.certificate(zero, [0.0 * one]).radius == 0.0  # r = 0: a bound whatever x* is
