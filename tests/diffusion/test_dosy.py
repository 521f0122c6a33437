"""Spectra of diffusivities: one stays one, two come apart where they can, and intervals cover."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.diffusion.dosy import DiffusionOrdered
from gradatim.diffusion.multi_exponential import MultiExponential, refined
from gradatim.diffusion.spectrum import DiffusionSpectrum, bands
from gradatim.solve.cross_validation import GeneralisedCrossValidation

B = torch.linspace(0.0, 5e9, 32, dtype=torch.float64)


def decay(*parts: tuple[float, float], sigma: float, seed: int) -> Tensor:
    """A sum of (amplitude, D) with noise."""
    random = torch.Generator().manual_seed(seed)
    clean = torch.stack([size * torch.exp(-B * rate) for size, rate in parts]).sum(0)
    return clean + sigma * torch.randn(len(B), generator=random, dtype=torch.float64)


def spectra(*parts: tuple[float, float], sigma: float, count: int) -> list[DiffusionSpectrum]:
    return [DiffusionOrdered(replicates=10)(decay(*parts, sigma=sigma, seed=i), b=B) for i in range(count)]


@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
def test_noise_does_not_split_one_component(sigma: float) -> None:
    found = spectra((100.0, 1e-9), sigma=sigma, count=12)
    assert [len(one.peaks) for one in found] == [1] * 12
    held = sum(one.peaks[0].low <= 1e-9 <= one.peaks[0].high for one in found)
    assert held >= 9  # of 12 at 95 %: fewer by chance once in 10 000
    assert sum(one.sigma for one in found) / 12 == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("rates", [(3e-10, 1.5e-9), (2e-10, 2e-9)])
def test_two_components_come_apart_at_a_known_separation(rates: tuple[float, float]) -> None:
    found = spectra((50.0, rates[0]), (50.0, rates[1]), sigma=0.2, count=12)
    assert sum(len(one.peaks) == 2 for one in found) >= 11
    ends = [
        (p.low, p.high, rate) for one in found if len(one.peaks) == 2 for p, rate in zip(one.peaks, rates, strict=True)
    ]
    assert sum(low <= rate <= high for low, high, rate in ends) >= len(ends) - 4  # 24 at 95 %
    assert all(p.share == pytest.approx(0.5, abs=0.05) for one in found if len(one.peaks) == 2 for p in one.peaks)


def test_an_unlucky_or_understated_noise_does_not_split_either() -> None:
    for seed in range(6):
        y = decay((100.0, 1e-9), sigma=1.0, seed=seed)
        assert [len(DiffusionOrdered(replicates=10, sigma=s)(y, b=B).peaks) for s in (1.0, 0.2)] == [1, 1]


def test_components_that_are_merged_leave_more_than_noise() -> None:
    y = decay((50.0, 2e-10), (50.0, 2e-9), sigma=1.0, seed=0)
    whole = DiffusionOrdered(replicates=10, sigma=8.0)(y, b=B)  # said to be so noisy that one component will do
    assert len(whole.peaks) == 1
    start = {"amplitudes": torch.tensor([100.0]).double(), "diffusivities": torch.tensor([6e-10]).double()}
    narrow, left = refined(y, B, **start, sigma=1.0, level=0.95)
    assert len(narrow) == 1
    assert left > 3.0


def test_a_spectrum_is_fitted_to_its_noise_and_is_not_negative() -> None:
    y = decay((50.0, 3e-10), (50.0, 1.5e-9), sigma=0.5, seed=2)
    found = DiffusionOrdered(sigma=0.5)(y, b=B)
    assert bool((found.amplitude >= 0).all())
    left = float((found.signal(B) - y).square().mean().sqrt())
    assert left == pytest.approx(0.5, rel=0.05)
    assert bool((found.low <= found.high).all())
    assert found.message == ""


def test_cross_validation_chooses_as_well() -> None:
    y = decay((50.0, 2e-10), (50.0, 2e-9), sigma=0.2, seed=0)
    found = DiffusionOrdered(GeneralisedCrossValidation(probes=4), replicates=10)(y, b=B)
    main = sorted(found.peaks, key=lambda p: -p.amplitude)[:2]
    assert sorted(p.diffusivity for p in main) == pytest.approx([2e-10, 2e-9], rel=0.1)


def test_scales_of_signal_and_weighting() -> None:
    y = decay((50.0, 3e-10), (50.0, 1.5e-9), sigma=0.2, seed=3)
    one, other = (DiffusionOrdered(replicates=10)(f * y, b=B * u) for f, u in ((1.0, 1.0), (1e4, 1e-3)))
    assert [p.diffusivity for p in other.peaks] == pytest.approx([1e3 * p.diffusivity for p in one.peaks], rel=1e-3)
    assert [p.amplitude for p in other.peaks] == pytest.approx([1e4 * p.amplitude for p in one.peaks], rel=1e-3)


def test_the_same_seed_gives_the_same_band() -> None:
    y = decay((100.0, 1e-9), sigma=1.0, seed=4)
    first, again, other = (DiffusionOrdered(replicates=10, seed=s)(y, b=B).high for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_slopes_of_a_sum_of_decays() -> None:
    model = MultiExponential(B, 3)
    state = torch.tensor([[0.1, -0.3, 0.5, -1.0, 0.2, 1.3]], dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.functional.jacobian(model.signal, state)[0, :, 0]
    torch.testing.assert_close(model.slopes(state.detach())[0], expected)


def test_intervals_of_refined_components_cover() -> None:
    held = 0
    for seed in range(60):
        y = decay((50.0, 3e-10), (50.0, 3e-9), sigma=1.0, seed=seed)
        start = {
            "amplitudes": torch.tensor([60.0, 40.0]).double(),
            "diffusivities": torch.tensor([4e-10, 2e-9]).double(),
        }
        found, left = refined(y, B, **start, sigma=1.0, level=0.95)
        held += sum(p.low <= rate <= p.high for p, rate in zip(found, (3e-10, 3e-9), strict=True))
        assert left == pytest.approx(1.0, abs=0.5)
    assert held / 120 == pytest.approx(0.95, abs=0.06)  # three binomial σ of 120


def test_bands_leave_ripples_out() -> None:
    assert bands(torch.tensor([0.0, 5.0, 0.0, 0.01, 0.0, 5.0])) == [(0, 2), (4, 6)]
    assert bands(torch.zeros(5)) == []
    assert bands(torch.tensor([0.0, 1.0, 1.0, 0.0])) == [(0, 4)]


def test_bad_settings_and_signals_are_refused() -> None:
    for bad in ({"bins": 3}, {"range": (1e-9, 1e-10)}, {"range": (0.0, 1.0)}):
        with pytest.raises(UsageError, match="GD-188"):
            DiffusionOrdered(**bad)
    for bad in ({"replicates": 1}, {"level": 0.0}):
        with pytest.raises(UsageError, match="GD-186"):
            DiffusionOrdered(**bad)
    with pytest.raises(UsageError, match="GD-187"):
        DiffusionOrdered(sigma=math.nan)
    with pytest.raises(InputError, match="GD-840"):
        DiffusionOrdered()(torch.ones(4), b=torch.arange(4.0))
    with pytest.raises(InputError, match="GD-844"):
        DiffusionOrdered(sigma=1.0)(torch.where(B > 4.9e9, 1e-3, -torch.exp(-B * 1e-9)), b=B)
