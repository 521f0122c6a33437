"""Decays: exact without noise, intervals that cover what they claim, and honest where the data cannot tell."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.diffusion.bi_exponential import BiExponentialDiffusion
from gradatim.diffusion.fitted import DecayFit, Verdict
from gradatim.diffusion.intervals import ProfileIntervals, QuadraticIntervals
from gradatim.diffusion.log_linear import LogLinearDiffusion
from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
from gradatim.diffusion.noise_models import GaussianNoise, RicianNoise
from gradatim.diffusion.stretched_exponential import StretchedExponentialDiffusion

B = torch.linspace(0.0, 2e9, 9, dtype=torch.float64)
FAR = torch.linspace(0.0, 3e9, 12, dtype=torch.float64)
MONO = (LogLinearDiffusion(), MonoExponentialDiffusion(), MonoExponentialDiffusion(RicianNoise(1e-6)))


def noisy(signal: Tensor, sigma: float, count: int, *, seed: int) -> Tensor:
    """Repeats of a decay in Gaussian noise, (n, count)."""
    random = torch.Generator().manual_seed(seed)
    return signal[:, None] + sigma * torch.randn(len(signal), count, generator=random, dtype=torch.float64)


def magnitudes(signal: Tensor, sigma: float, count: int, *, seed: int) -> Tensor:
    """Repeats of a decay as magnitudes, (n, count)."""
    random = torch.Generator().manual_seed(seed)
    channels = sigma * torch.randn(2, len(signal), count, generator=random, dtype=torch.float64)
    return torch.hypot(signal[:, None] + channels[0], channels[1])


def coverage(fit: DecayFit, name: str, truth: float) -> float:
    """Share of the fitted voxels whose interval holds the truth."""
    good = fit.verdict == int(Verdict.FITTED)
    one = fit[name]
    return float(((one.low <= truth) & (truth <= one.high))[good].double().mean())


@pytest.mark.parametrize("method", MONO)
@pytest.mark.parametrize("diffusivity", [1e-11, 7e-10, 3e-9])
def test_a_pure_decay_is_found_exactly(method, diffusivity: float) -> None:
    fit = method(50.0 * torch.exp(-B * diffusivity), b=B)
    assert fit["diffusivity"].value.item() == pytest.approx(diffusivity, rel=1e-7)
    assert fit["s0"].value.item() == pytest.approx(50.0, rel=1e-8)
    assert fit.verdict.item() == int(Verdict.FITTED)


def test_stretched_and_two_decays_are_found_exactly() -> None:
    stretched = StretchedExponentialDiffusion()(9.0 * torch.exp(-((FAR * 0.8e-9) ** 0.6)), b=FAR)
    for name, truth in (("s0", 9.0), ("diffusivity", 0.8e-9), ("alpha", 0.6)):
        assert stretched[name].value.item() == pytest.approx(truth, rel=1e-6)
    signal = 100.0 * (0.85 * torch.exp(-FAR * 0.7e-9) + 0.15 * torch.exp(-FAR * 20e-9))
    two = BiExponentialDiffusion()(signal, b=FAR)
    for name, truth in (("s0", 100.0), ("fraction", 0.15), ("slow", 0.7e-9), ("fast", 20e-9)):
        assert two[name].value.item() == pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize(
    ("method", "sigma"),
    [
        (MonoExponentialDiffusion(), 5.0),
        (MonoExponentialDiffusion(GaussianNoise(5.0)), 5.0),
        (LogLinearDiffusion(), 5.0),
    ],
)
def test_95_per_cent_of_intervals_hold_the_truth(method, sigma: float) -> None:
    fit = method(noisy(100.0 * torch.exp(-B * 1e-9), sigma, 4000, seed=0), b=B)
    for name, truth in (("s0", 100.0), ("diffusivity", 1e-9)):
        # binomial σ of 4000 voxels is 0.0034; three of them
        assert coverage(fit, name, truth) == pytest.approx(0.95, abs=0.0105)
    if method.__class__ is MonoExponentialDiffusion and method.noise.known is None:
        assert float(fit.sigma.square().mean()) == pytest.approx(sigma**2, rel=0.03)


def test_the_noise_floor_is_in_the_rician_model_and_not_in_the_others() -> None:
    data = magnitudes(20.0 * torch.exp(-B * 2e-9), 1.0, 4000, seed=1)
    floor = MonoExponentialDiffusion(RicianNoise(1.0))(data, b=B)
    assert coverage(floor, "diffusivity", 2e-9) == pytest.approx(0.95, abs=0.0105)
    assert float(floor["diffusivity"].value.median()) == pytest.approx(2e-9, rel=0.01)
    for blind in (MonoExponentialDiffusion(), LogLinearDiffusion()):
        assert coverage(blind(data, b=B), "diffusivity", 2e-9) < 0.9


def test_rician_information_is_the_variance_of_the_score() -> None:
    random = torch.Generator().manual_seed(2)
    one = torch.ones((), dtype=torch.float64)
    for height in (0.3, 1.0, 3.0, 12.0, 25.0):
        channels = torch.randn(2, 400_000, generator=random, dtype=torch.float64)
        data = torch.hypot(height + channels[0], channels[1])
        signal = torch.full_like(data, height)
        score = RicianNoise(1.0).pull(signal, data, one)
        expected = float(RicianNoise(1.0).information(signal[:1], one))
        assert abs(float(score.mean())) < 5e-3
        assert float(score.square().mean()) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("intervals", [QuadraticIntervals(), ProfileIntervals()])
def test_intervals_of_a_stretched_decay_cover(intervals) -> None:
    data = noisy(100.0 * torch.exp(-((FAR * 1e-9) ** 0.7)), 2.0, 1000, seed=3)
    fit = StretchedExponentialDiffusion(intervals=intervals)(data, b=FAR)
    assert fit.count(Verdict.FITTED) == 1000
    for name, truth in (("diffusivity", 1e-9), ("alpha", 0.7)):
        assert coverage(fit, name, truth) == pytest.approx(0.95, abs=0.021)  # three binomial σ of 1000


def test_intervals_of_two_decays_cover_where_both_are_seen() -> None:
    data = noisy(70.0 * torch.exp(-FAR * 0.5e-9) + 30.0 * torch.exp(-FAR * 5e-9), 1.5, 500, seed=4)
    fit = BiExponentialDiffusion()(data, b=FAR)
    assert fit.count(Verdict.FITTED) == 500
    for name, truth in (("fraction", 0.3), ("slow", 0.5e-9), ("fast", 5e-9)):
        assert coverage(fit, name, truth) == pytest.approx(0.95, abs=0.03)  # three binomial σ of 500
    assert bool(fit["fast"].high.isinf().any())  # the data set no upper end to a compartment that has gone at once


def test_a_second_compartment_that_is_not_there_is_not_reported() -> None:
    fit = BiExponentialDiffusion()(noisy(100.0 * torch.exp(-FAR * 1e-9), 1.0, 400, seed=5), b=FAR)
    assert fit.count(Verdict.UNIDENTIFIABLE) > 0.95 * 400
    assert bool(fit["fraction"].value[fit.verdict == int(Verdict.UNIDENTIFIABLE)].isnan().all())


def test_a_profile_of_a_parabola_is_the_quadratic_interval() -> None:
    data = noisy(100.0 * torch.exp(-B * 1e-9), 0.01, 20, seed=6)
    quadratic, profile = (
        MonoExponentialDiffusion(intervals=each)(data, b=B)["diffusivity"]
        for each in (QuadraticIntervals(), ProfileIntervals())
    )
    width = quadratic.high - quadratic.low
    assert float(((profile.low - quadratic.low) / width).abs().max()) < 1e-3
    assert float(((profile.high - quadratic.high) / width).abs().max()) < 1e-3


def test_least_squares_are_those_of_scipy() -> None:
    data = noisy(100.0 * torch.exp(-FAR * 1.2e-9), 3.0, 5, seed=7)
    fit = MonoExponentialDiffusion()(data, b=FAR)
    for i in range(5):
        value, spread = curve_fit(lambda b, s, d: s * torch.exp(-torch.from_numpy(b) * d * 1e-9).numpy(),
                                  FAR.numpy(), data[:, i].numpy(), p0=(90.0, 1.0))  # fmt: skip
        assert fit["diffusivity"].value[i].item() == pytest.approx(value[1] * 1e-9, rel=1e-6)
        assert fit["diffusivity"].error[i].item() == pytest.approx(math.sqrt(spread[1, 1]) * 1e-9, rel=1e-4)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (LogLinearDiffusion(), "diffusivity"),
        (MonoExponentialDiffusion(), "diffusivity"),
        (MonoExponentialDiffusion(RicianNoise(2.0)), "diffusivity"),
        (StretchedExponentialDiffusion(), "alpha"),
        (BiExponentialDiffusion(intervals=QuadraticIntervals()), "fraction"),
    ],
)
def test_gradients_are_those_of_finite_differences(method, name: str) -> None:
    signal = 70.0 * torch.exp(-FAR * 0.5e-9) + 30.0 * torch.exp(-FAR * 5e-9)
    data = noisy(signal, 0.5, 2, seed=8).requires_grad_()
    scale = 1e9 if name == "diffusivity" else 1.0
    assert torch.autograd.gradcheck(
        lambda y: scale * method(y, b=FAR)[name].value, (data,), eps=1e-4, rtol=1e-3, atol=1e-7
    )


@given(factor=st.floats(1e-6, 1e6), unit=st.floats(1e-3, 1e3))
def test_scale_of_signal_and_of_b_are_those_of_the_answer(factor: float, unit: float) -> None:
    data = noisy(100.0 * torch.exp(-B * 1e-9), 3.0, 3, seed=9)
    for method in (MonoExponentialDiffusion(), LogLinearDiffusion()):
        one, other = method(data, b=B), method(factor * data, b=unit * B)
        torch.testing.assert_close(other["s0"].value, factor * one["s0"].value, rtol=1e-6, atol=0.0)
        for part in ("value", "error", "low", "high"):
            a, b = getattr(one["diffusivity"], part), getattr(other["diffusivity"], part)
            torch.testing.assert_close(b * unit, a, rtol=1e-6, atol=0.0)


def test_any_shape_of_voxels_and_a_mask() -> None:
    data = noisy(100.0 * torch.exp(-B * 1e-9), 3.0, 24, seed=10)
    mask = torch.ones(2, 3, 4, dtype=torch.bool)
    mask[0, 0, 0] = False
    fit = MonoExponentialDiffusion()(data.reshape(-1, 2, 3, 4), b=B, mask=mask)
    flat = MonoExponentialDiffusion()(data, b=B)
    assert fit["diffusivity"].value[0, 0, 0].item() == 0.0
    assert fit.verdict[0, 0, 0].item() == int(Verdict.OUTSIDE)
    torch.testing.assert_close(fit["diffusivity"].value.flatten()[1:], flat["diffusivity"].value[1:])


def test_dark_voxels_have_no_answer_and_do_not_poison_others() -> None:
    data = noisy(100.0 * torch.exp(-FAR * 1e-9), 1.0, 3, seed=11)
    data[:, 1] = 0.0
    mask = torch.ones(3, dtype=torch.bool)
    for method in (*MONO[:2], StretchedExponentialDiffusion(), BiExponentialDiffusion()):
        fit = method(data.clone().requires_grad_(), b=FAR, mask=mask)
        assert fit.verdict[1].item() == int(Verdict.DARK)
        assert bool(next(iter(fit.estimates.values())).value[1].isnan())


def test_bad_input_is_refused() -> None:
    good = 100.0 * torch.exp(-B * 1e-9)
    fit = MonoExponentialDiffusion()
    with pytest.raises(UsageError, match="GD-103"):
        fit(good, b=B[:-1])
    with pytest.raises(InputError, match="GD-841"):
        fit(good, b=-B)
    with pytest.raises(InputError, match="GD-840"):
        fit(good, b=torch.full_like(B, 1e9))
    with pytest.raises(InputError, match="GD-840"):
        BiExponentialDiffusion()(good[:4], b=B[:4])
    with pytest.raises(InputError, match="GD-843"):
        fit(torch.zeros_like(good), b=B)
    with pytest.raises(InputError, match="GD-603"):
        fit(good[:, None] * math.nan, b=B, mask=torch.ones(1).bool())
    with pytest.raises(InputError, match="GD-601"):
        fit(good[:, None], b=B, mask=torch.zeros(1).bool())
    for make in (
        lambda: GaussianNoise(0.0),
        lambda: RicianNoise(-1.0),
        lambda: RicianNoise(math.inf),
    ):
        with pytest.raises(UsageError, match="GD-187"):
            make()
    for make in (
        lambda: QuadraticIntervals(1.0),
        lambda: ProfileIntervals(0.95, 0),
        lambda: MonoExponentialDiffusion(iterations=0),
        lambda: LogLinearDiffusion(rounds=0),
        lambda: BiExponentialDiffusion(evidence=2.0),
    ):
        with pytest.raises(UsageError, match="GD-186"):
            make()


def test_values_above_zero_at_one_weighting_alone_are_no_decay() -> None:
    b = torch.tensor([0.7e9, 0.7e9, 0.7e9, 1e9, 2.1e9], dtype=torch.float64)
    found = LogLinearDiffusion()(torch.tensor([1.0, 1.1, 0.9, -1.0, 0.0], dtype=torch.float64), b=b)
    assert found.verdict.item() == int(Verdict.DARK)
    assert found["diffusivity"].value.isnan().item()


def test_rounding_is_no_second_compartment() -> None:
    """Clean decays of one diffusivity, and constants, leave nothing but rounding, which must not be tested as noise."""
    b = torch.linspace(0.0, 3e9, 12, dtype=torch.float64)
    random = torch.Generator().manual_seed(0)
    diffusivity = 10 ** (-8 - 3 * torch.rand(60, generator=random, dtype=torch.float64))
    size = 10 ** (6 * torch.rand(60, generator=random, dtype=torch.float64) - 3)
    clean = torch.cat([size * torch.exp(-b[:, None] * diffusivity), size.expand(12, 60)], 1)
    assert BiExponentialDiffusion(intervals=QuadraticIntervals())(clean, b=b).count(Verdict.FITTED) == 0
