"""R2*: exact without noise, unbiased at the noise floor, honest about its error."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.relaxation.log_linear import LogLinear
from gradatim.relaxation.mono_exponential import MonoExponential

TIMES = (0.004, 0.012, 0.020, 0.028)


def scan(magnitude: Tensor, times: tuple[float, ...] = TIMES) -> MultiEcho:
    """A scan of which only the magnitude matters."""
    return MultiEcho(magnitude, torch.zeros_like(magnitude), times, 3.0, Grid(tuple(magnitude.shape[1:]), (1.0,) * 3))


def decay(s0: float, rate: float, *, edge: int = 4, times: tuple[float, ...] = TIMES) -> Tensor:
    """S0·exp(−R2*·TE) in every voxel."""
    echo_times = torch.tensor(times, dtype=torch.float64).view(-1, 1, 1, 1)
    return (s0 * torch.exp(-rate * echo_times)).expand(-1, edge, edge, edge).contiguous()


def noisy(s0: float, rate: float, *, edge: int = 40, seed: int = 0) -> MultiEcho:
    """Rician magnitudes with σ = 1 per channel."""
    signal = decay(s0, rate, edge=edge)
    noise = torch.randn(2, *signal.shape, dtype=signal.dtype, generator=torch.Generator().manual_seed(seed))
    return scan(torch.hypot(signal + noise[0], noise[1]))


@pytest.mark.parametrize("method", [LogLinear(), MonoExponential(noise=1e-4), MonoExponential(noise=1e-12)])
@pytest.mark.parametrize("rate", [5.0, 40.0, 150.0])
def test_a_pure_decay_is_found_exactly(method, rate: float) -> None:
    maps = method(scan(decay(10.0, rate)))
    assert maps.r2star.value.numpy() == pytest.approx(rate, rel=1e-5)
    assert maps.t2star.value.numpy() == pytest.approx(1.0 / rate, rel=1e-5)
    assert maps.s0.value.numpy() == pytest.approx(10.0, rel=1e-5)
    assert maps.undefined == 0


def test_two_echoes_are_enough_and_one_is_not() -> None:
    times = (0.005, 0.015)
    maps = MonoExponential(noise=1e-6)(scan(decay(3.0, 25.0, times=times), times))
    assert maps.r2star.value.numpy() == pytest.approx(25.0, rel=1e-6)
    for method in (MonoExponential(), LogLinear()):
        with pytest.raises(InputError, match="GD-604"):
            method(scan(decay(3.0, 25.0, times=(0.005,)), (0.005,)))


@pytest.mark.parametrize(("s0", "rate"), [(10.0, 60.0), (5.0, 30.0)])
def test_the_noise_floor_bends_the_log_line_but_not_the_fit(s0: float, rate: float) -> None:
    data = noisy(s0, rate, edge=28)
    fit, line = MonoExponential(noise=1.0)(data), LogLinear()(data)
    fitted = fit.r2star.value[fit.r2star.mask]
    # the median of 22000 voxels is known to 0.8 % of their spread, here 0.2 1/s
    assert float(fitted.median()) == pytest.approx(rate, rel=0.04)
    assert float(line.r2star.value.median()) < 0.87 * rate
    assert fit.undefined < 0.01 * data.magnitude[0].numel()


@pytest.mark.parametrize(("s0", "rate"), [(50.0, 30.0), (20.0, 30.0), (20.0, 10.0)])
def test_one_standard_error_covers_68_per_cent(s0: float, rate: float) -> None:
    maps = MonoExponential(noise=1.0)(noisy(s0, rate))
    expected = math.erf(math.sqrt(0.5))
    pairs = [(maps.r2star, rate), (maps.s0, s0)]
    if s0 >= 50:  # the error of 1/R2* is only one where R2* itself is known to a few per cent
        pairs.append((maps.t2star, 1.0 / rate))
    for found, truth in pairs:
        covered = ((found.value - truth).abs() < found.error)[found.mask].double().mean()
        # binomial σ of the share of 64000 voxels is 0.0018; the rest is curvature of the model
        assert float(covered) == pytest.approx(expected, abs=0.01)


def test_the_fit_is_unbiased_where_the_signal_is_clear() -> None:
    maps = MonoExponential(noise=1.0)(noisy(50.0, 30.0))
    error = float(maps.r2star.value.std()) / math.sqrt(maps.r2star.value.numel())
    assert abs(float(maps.r2star.value.mean()) - 30.0) < 5.0 * error + 0.002 * 30.0


def test_noise_alone_has_no_answer_rather_than_a_wild_one() -> None:
    maps = MonoExponential(noise=1.0)(noisy(0.0, 0.0, edge=20))
    assert maps.undefined > 0.3 * 8000
    assert maps.undefined + int(maps.r2star.mask.sum()) == 8000
    assert bool(torch.isfinite(maps.r2star.value).all())
    assert float(maps.r2star.value.abs().max()) <= MonoExponential().largest
    assert bool((maps.t2star.value[~maps.t2star.mask] == 0).all())
    assert bool((maps.t2star.value[maps.t2star.mask] > 0).all())


def test_the_noise_is_estimated_where_it_is_not_given() -> None:
    inside = torch.zeros(32, 32, 32, dtype=torch.bool)
    inside[8:24, 8:24, 8:24] = True
    signal = decay(100.0, 30.0, edge=32) * inside
    noise = torch.randn(2, *signal.shape, dtype=signal.dtype, generator=torch.Generator().manual_seed(3))
    maps = MonoExponential()(scan(torch.hypot(signal + noise[0], noise[1])), mask=inside)
    assert maps.noise == pytest.approx(1.0, rel=0.02)
    assert bool((maps.r2star.value[~inside] == 0).all())


def test_the_scale_of_the_magnitude_does_not_matter() -> None:
    data = noisy(20.0, 30.0, edge=8)
    one = MonoExponential(noise=1.0)(data)
    thousand = MonoExponential(noise=1000.0)(scan(1000.0 * data.magnitude))
    torch.testing.assert_close(one.r2star.value, thousand.r2star.value, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(1000.0 * one.s0.value, thousand.s0.value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", [LogLinear(), MonoExponential(noise=1.0)])
def test_gradients_are_those_of_finite_differences(method) -> None:
    magnitude = noisy(20.0, 30.0, edge=2).magnitude.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda m: method(scan(m)).r2star.value, (magnitude,), eps=1e-5, atol=1e-4, rtol=1e-3
    )


def test_a_voxel_without_an_answer_does_not_poison_gradients() -> None:
    magnitude = decay(20.0, 30.0, edge=2)
    magnitude[:, 0, 0, 0] = 0.1
    magnitude.requires_grad_()
    maps = MonoExponential(noise=1.0)(scan(magnitude))
    assert maps.undefined == 1
    maps.r2star.value.sum().backward()
    assert bool(torch.isfinite(magnitude.grad).all())


@pytest.mark.parametrize("bad", [{"noise": 0.0}, {"noise": -1.0}, {"largest": 0.0}, {"iterations": 0}])
def test_settings_out_of_range_are_refused(bad: dict) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        MonoExponential(**bad)


def test_bad_input_is_refused() -> None:
    good = decay(10.0, 30.0)
    hole = good.clone()
    hole[1, 0, 0, 0] = torch.nan
    everywhere = torch.ones(4, 4, 4, dtype=torch.bool)
    with pytest.raises(InputError, match="GD-603"):
        MonoExponential(noise=1.0)(scan(hole), mask=everywhere)
    with pytest.raises(InputError, match="GD-601"):
        MonoExponential(noise=1.0)(scan(good), mask=~everywhere)
    with pytest.raises(UsageError, match="GD-103"):
        MonoExponential(noise=1.0)(scan(good), mask=everywhere[:3])
    with pytest.raises(InputError, match="GD-640"):
        MonoExponential()(scan(good))
