"""Chains against a Gaussian posterior, whose every moment is known, autocorrelation and all."""

import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.langevin import AdjustedLangevin, Langevin, Samples, _Moments

F64 = torch.float64
SIGMAS = 5.0
"""A bound on 60 numbers that a right chain breaks once in thirty thousand runs; the seeds are fixed besides."""


def posterior(size: int = 6):
    """½‖A x − y‖²/σ² + ½‖x‖²/τ²: energy, mean and covariance."""
    random = torch.Generator().manual_seed(2)
    forward = torch.randn(8, size, generator=random, dtype=F64)
    data = torch.randn(8, generator=random, dtype=F64)
    precision = forward.T @ forward / 0.5**2 + torch.eye(size, dtype=F64) / 2.0**2
    covariance = torch.linalg.inv(precision)
    mean = covariance @ (forward.T @ data) / 0.5**2

    def energy(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * (forward @ x - data).square().sum() / 0.5**2 + 0.5 * x.square().sum() / 2.0**2

    return energy, mean, covariance


def test_the_unadjusted_chain_has_its_own_known_law():
    # in the eigenbasis θ⁺ = (1 − ελ)θ + √(2ε)ξ: an autoregression of correlation ρ = 1 − ελ and of variance
    # 1/(λ(1 − ελ/2)), so that the error of its sample mean and variance is known as well
    curvature = torch.logspace(0, 1, 40, dtype=F64)
    step, count = 0.05, 8000
    chain = Langevin(step, count=count, burn_in=300)
    found = chain(lambda x: 0.5 * torch.sum(curvature * x * x), start=torch.zeros(40, dtype=F64), seed=1)
    ratio = 1 - step * curvature
    variance = 1 / (curvature * (1 - step * curvature / 2))
    error = torch.sqrt(variance / count * (1 + ratio) / (1 - ratio))
    assert float((found.mean.abs() / error).max()) < SIGMAS
    assert 0.7 < float((found.mean / error).std()) < 1.4  # and no smaller than it should be
    spread = variance * torch.sqrt(2 / count * (1 + ratio**2) / (1 - ratio**2))
    assert float(((found.variance - variance).abs() / spread).max()) < SIGMAS
    exact = 1 / curvature
    assert float(((found.variance - exact).abs() / spread).max()) > SIGMAS  # the bias is seen, not hidden
    assert float((found.standard_error / error).mean()) == pytest.approx(1.0, abs=0.15)
    assert found.accepted == 1.0


def test_the_adjusted_chain_samples_the_posterior_itself():
    energy, mean, covariance = posterior()
    found = AdjustedLangevin(count=6000, burn_in=1000)(energy, start=torch.zeros(6, dtype=F64), seed=3)
    assert float(((found.mean - mean).abs() / found.standard_error).max()) < SIGMAS
    # N samples are worth σ²/se² independent ones for the mean, and at least half as many for the variance
    worth = found.variance / found.standard_error**2
    spread = covariance.diagonal() * torch.sqrt(2 / (worth / 2))
    assert float(((found.variance - covariance.diagonal()).abs() / spread).max()) < SIGMAS
    assert found.accepted == pytest.approx(0.574, abs=0.1)


def test_a_step_that_is_too_long_is_refused_not_followed():
    energy, mean, _ = posterior()
    found = AdjustedLangevin(1e3, count=200, burn_in=0)(energy, start=mean, seed=0)
    assert found.accepted == 0.0
    assert torch.equal(found.mean, mean)
    assert float(found.variance.max()) == 0.0


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_step_is_found_in_any_unit(scale):
    energy, mean, covariance = posterior()
    found = Langevin(count=50, burn_in=0)(lambda x: energy(x / scale), start=mean * scale, seed=0)
    largest = float(torch.linalg.eigvalsh(torch.linalg.inv(covariance)).max())
    assert found.step_size * largest / scale**2 == pytest.approx(0.1, rel=0.12)


def test_a_seed_is_a_stream():
    energy, mean, _ = posterior()
    short = AdjustedLangevin(0.01, count=60, burn_in=5)
    first, again, other = (short(energy, start=mean, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.last, again.last)
    assert torch.equal(first.mean, again.mean)
    assert not torch.equal(first.last, other.last)
    assert isinstance(first, Samples)
    assert first.count == 60


def test_the_moments_are_those_of_the_samples():
    samples = 100.0 + torch.randn(103, 5, generator=torch.Generator().manual_seed(0), dtype=F64)
    moments = _Moments(103, samples[0])
    for sample in samples:
        moments.add(sample)
    torch.testing.assert_close(moments.mean, samples.mean(0))
    torch.testing.assert_close(moments.square / 102, samples.var(0))
    batches = samples[:100].view(25, 4, 5).mean(1)
    torch.testing.assert_close(moments.standard_error, batches.std(0) / 5)


def test_what_cannot_be_sampled_is_refused():
    for make in (Langevin, AdjustedLangevin):
        for bad in ({"step_size": 0.0}, {"count": 49}, {"burn_in": -1}, {"step_size": math.nan}):
            with pytest.raises(UsageError, match="GD-101"):
                make(**bad)
    with pytest.raises(UsageError, match="GD-104"):
        AdjustedLangevin(burn_in=0)
    with pytest.raises(InputError, match="GD-650"):
        Langevin(0.1)(lambda z: z.abs().square().sum(), start=torch.zeros(2, dtype=torch.complex64))
