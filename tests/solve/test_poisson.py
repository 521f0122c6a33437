"""The Poisson data term beyond the laws: the likelihood, dark voxels, precision of large counts, and refusals."""

import math

import pytest
import scipy.stats
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.identity import Identity
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.poisson import KullbackLeibler
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallGap
from gradatim.solve.variation import total_variation


def test_it_is_the_negative_log_likelihood_up_to_a_constant():
    y, b = torch.tensor([0.0, 3.0, 17.0]), 2.0
    f = KullbackLeibler(y, b)
    for u in (torch.tensor([1.0, 4.0, 9.0]), torch.tensor([0.5, 0.0, 20.0])):
        likelihood = scipy.stats.poisson.logpmf(y.numpy(), (u + b).numpy()).sum()
        best = scipy.stats.poisson.logpmf(y.numpy(), y.numpy()).sum()
        assert float(f.value(u)) == pytest.approx(best - likelihood, rel=1e-5)


def test_it_is_zero_at_the_data_and_positive_elsewhere():
    y = torch.tensor([0.0, 3.0, 17.0])
    assert KullbackLeibler(y, 2.0).value(y - 2.0) == 0
    for seed in range(20):
        u = 5 * torch.rand(3, generator=torch.Generator().manual_seed(seed))
        assert KullbackLeibler(y, 2.0).value(u) > 0


def test_outside_of_the_domain_it_is_infinite():
    f = KullbackLeibler(torch.tensor([0.0, 3.0]), 1.0)
    assert float(f.value(torch.tensor([-1.0, 1.0]))) == pytest.approx(3.0 * math.log(3.0 / 2.0) + 2.0 - 3.0)
    assert f.value(torch.tensor([-1.1, 1.0])) == math.inf
    assert f.value(torch.tensor([0.0, -1.0])) == math.inf
    assert f.value(torch.tensor([0.0, -2.0])) == math.inf


def test_a_dark_voxel_is_a_straight_line():
    f, v = KullbackLeibler(torch.zeros(3), 0.5), torch.tensor([4.0, 0.2, -3.0])
    torch.testing.assert_close(f.prox(v, 1.0), torch.tensor([3.0, -0.5, -0.5]))  # v − step, never below −b
    assert f.gradient(v.abs()).tolist() == [1.0, 1.0, 1.0]
    assert f.conjugate(torch.ones(3)) == -1.5
    assert f.dual_point(torch.full((3,), 2.0)).tolist() == [1.0, 1.0, 1.0]


def test_large_counts_keep_their_digits_in_single_precision():
    """A million photons and a thousand more expected: f = 10⁶·(r − log(1 + r)), r = 10⁻³, is 0.4997."""
    y, u = torch.full((1,), 1e6), torch.full((1,), 1.001e6)
    exact = 1e6 * (1e-3 - math.log1p(1e-3))
    assert float(KullbackLeibler(y).value(u)) == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("step", [1e-3, 1.0, 1e6])
def test_prox_is_exact_far_from_the_data(step):
    """Roots of very different size, in single precision against double."""
    y = torch.tensor([0.0, 1e-3, 1.0, 1e5])
    v = torch.tensor([-1e5, -1.0, 0.0, 1e5])[:, None]
    wide = KullbackLeibler(y.double()).prox(v.double(), step)
    torch.testing.assert_close(KullbackLeibler(y).prox(v, step).double(), wide, rtol=1e-6, atol=0)
    assert (wide[:, 1:] > 0).all()


def test_gradient_vanishes_at_the_data():
    y = torch.tensor([2.0, 5.0])
    assert KullbackLeibler(y, 1.0).gradient(y - 1.0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("counts", [[-1.0, 2.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(InputError, match="GD-651"):
        KullbackLeibler(torch.tensor(counts))


def test_a_negative_background_and_complex_numbers_are_refused():
    with pytest.raises(UsageError, match="background"):
        KullbackLeibler(torch.ones(2), -1.0)
    with pytest.raises(InputError, match="GD-650"):
        KullbackLeibler(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(InputError, match="GD-650"):
        KullbackLeibler(torch.ones(2)).value(torch.ones(2, dtype=torch.complex64))


def test_a_bound_is_kept_and_paid_for_in_the_conjugate():
    """Against a fine search for the supremum."""
    y, b = torch.tensor([0.0, 0.5, 4.0], dtype=torch.float64), 1.0
    f = KullbackLeibler(y, b, lower=0.0)
    assert f.value(torch.tensor([0.0, 0.0, -1e-9], dtype=torch.float64)) == math.inf
    assert f.prox(torch.full((3,), -50.0, dtype=torch.float64), 1.0).tolist() == [0.0, 0.0, 0.0]
    grid = torch.linspace(0.0, 400.0, 400001, dtype=torch.float64)[:, None]
    t = grid + b
    costs = torch.where(y > 0, t - y + torch.xlogy(y, y) - y * torch.log(t), t)
    for p in (-3.0, 0.0, 0.4, 0.6, 0.95):
        best = (p * grid - costs).amax(0).sum()
        assert float(f.conjugate(torch.full((3,), p, dtype=torch.float64))) == pytest.approx(float(best), abs=1e-6)
    far = KullbackLeibler(y, b, lower=-5.0)  # a bound below −b says nothing
    p = torch.tensor([0.3, -2.0, 0.8], dtype=torch.float64)
    assert far.conjugate(p) == KullbackLeibler(y, b).conjugate(p)


@pytest.mark.parametrize("lower", [math.nan, math.inf])
def test_a_bound_that_is_none_is_refused(lower):
    with pytest.raises(UsageError, match="GD-101"):
        KullbackLeibler(torch.ones(2), 1.0, lower)


def test_counts_are_denoised_with_a_certificate():
    """Poisson counts, total variation and u ≥ 0 as one convex problem: nearer to the truth, provably near the best."""
    shape = (16, 16)
    truth = torch.zeros(shape)
    truth[4:12, 4:12] = 20.0
    counts = torch.poisson(truth + 2.0, generator=torch.Generator().manual_seed(0))
    data = Term(KullbackLeibler(counts, 2.0, lower=0.0), Identity(shape))
    problem = Problem((data, total_variation(shape, (1.0, 1.0), weight=0.25)))
    found = Pdhg(IterationBound(1500) | SmallGap(1e-3), relaxation=1.0)(problem, start=counts)
    assert found.certificate is not None
    assert found.certificate.relative <= 1e-3
    assert float(found.value.min()) == 0.0
    assert float((found.value - truth).norm()) < 0.6 * float((counts - 2.0 - truth).norm())
