"""Restricted diffusion: completeness of the modes, limits, laws, own errors, derivatives and refusals."""

import math

import pytest
import torch
from scipy.special import jnp_zeros

from gradatim.base.errors import InputError, UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.diffusion.restricted.attenuation import GaussianPhase, LongTime, RestrictedSignal, ShortPulse
from gradatim.diffusion.restricted.bessel_roots import cylinder_roots, sphere_roots
from gradatim.diffusion.restricted.cumulant import half_variance, half_variance_of_short_pulses
from gradatim.diffusion.restricted.pores import Cylinder, Planes, Pore, Sphere
from gradatim.diffusion.restricted.pulses import PulsePair
from gradatim.diffusion.restricted.short_times import SurfaceToVolume

WATER = 2.2995e-9
PORES = [Planes(10e-6), Cylinder(5e-6), Sphere(5e-6)]
METHODS = [GaussianPhase(), ShortPulse(), LongTime()]
named = pytest.mark.parametrize("pore", PORES, ids=lambda pore: type(pore).__name__)


@pytest.mark.parametrize("order", [0, 1, 7, 40])
def test_roots_are_those_of_scipy(order: int) -> None:
    found = cylinder_roots(order, 120)
    assert found == pytest.approx(jnp_zeros(order, len(found)), rel=1e-12)


def test_the_roots_of_spheres_interlace() -> None:
    for order in range(1, 30):
        one, two = sphere_roots(order, 100), sphere_roots(order + 1, 100)
        assert (two[: len(one)] > one[: len(two)]).all()
        assert (one[1 : len(two) + 1] > two[: len(one) - 1]).all()


@named
def test_the_modes_are_complete(pore: Pore) -> None:
    """Without time nothing has moved, so that all shares add up to 1, also on roots; what is cut off falls as α⁻³."""
    p = torch.tensor([0.0, 1e-4, 1.0, 1.8411837813, 2.0815759778, math.pi, 2 * math.pi, 9.0], dtype=torch.float64)
    left = []
    for cutoff in (40, 160):
        shares, _ = pore.echo_modes(p, cutoff)
        assert bool((shares >= 0).all())
        left.append(1 - pore.form(p).square() - shares.sum(1))
    assert bool((left[0] > -1e-12).all())
    assert left[0].max() < 1e-3
    assert bool((left[1] <= left[0] / 30 + 1e-12).all())


@named
def test_echoes_are_smooth_across_roots(pore: Pore) -> None:
    root = float(pore.echo_modes(torch.zeros(1, dtype=torch.float64), 20)[1][3])
    p = root + torch.tensor([-1.6e-5, -0.8e-5, 0.0, 0.8e-5, 1.6e-5], dtype=torch.float64)
    values = pore.echo_modes(p, 20)[0].sum(1)
    assert values.diff().diff().abs().max() < 1e-9


@named
@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_without_gradients_all_signal_is_there(pore: Pore, method: RestrictedSignal) -> None:
    found = method(pore, PulsePair(0.0, 2e-3, 0.05), diffusivity=WATER)
    assert found.signal.item() == pytest.approx(1, abs=1e-12)
    assert bool(found.holds)


@pytest.mark.parametrize("make", [Planes, Cylinder, Sphere])
def test_wide_pores_leave_diffusion_free(make: type) -> None:
    """Of a pore of size R only a layer of √(DΔ) feels the wall: the error falls as 1/R, to exp(−bD)."""
    pulses = PulsePair(0.2, 2e-3, 0.02)
    free = (-pulses.b * WATER).item()
    off = [
        abs(GaussianPhase()(make(size), pulses, diffusivity=WATER).signal.log().item() / free - 1)
        for size in (1e-3, 1e-2)
    ]
    assert off[0] < 0.03
    assert off[1] == pytest.approx(off[0] / 10, rel=0.1)


@named
def test_echoes_of_short_times_are_free(pore: Pore) -> None:
    wide = type(pore)(2e-4)
    pulses = PulsePair(3e5 / (PROTON_GAMMA_RAD_PER_S_T * 1e-9), 1e-9, 2e-3)
    found = ShortPulse()(wide, pulses, diffusivity=WATER).signal.item()
    assert found == pytest.approx(math.exp(-(3e5**2) * WATER * 2e-3), rel=0.05)


@named
def test_all_forms_agree_for_weak_and_short_pulses(pore: Pore) -> None:
    pulses = PulsePair(0.5, 2e-5, 0.2)
    values = [method(pore, pulses, diffusivity=WATER) for method in METHODS]
    assert all(bool(value.holds) for value in values)
    assert values[0].signal.item() == pytest.approx(values[1].signal.item(), abs=1e-6)
    assert values[1].signal.item() == pytest.approx(values[2].signal.item(), abs=1e-6)


@named
def test_the_double_integral_over_two_pulses(pore: Pore) -> None:
    """½γ²∫∫G G′⟨x x′⟩ on a fine grid of midpoints, the autocorrelation summed mode by mode."""
    small, big, count = 3e-3, 10e-3, 600
    step = small / count
    t = (torch.arange(count, dtype=torch.float64) + 0.5) * step
    times, sign = torch.cat([t, big + t]), torch.cat([torch.ones(count), -torch.ones(count)]).double()
    lag = (times[:, None] - times).abs()
    shares, roots = pore.position_modes(60)
    correlation = sum(b * torch.exp(-((a / pore.size) ** 2) * WATER * lag) for b, a in zip(shares, roots, strict=True))
    total = 0.5 * (PROTON_GAMMA_RAD_PER_S_T * 0.1 * pore.size * step) ** 2 * (sign @ correlation @ sign)
    found, left = half_variance(pore, PulsePair(0.1, small, big), WATER)
    assert found.item() == pytest.approx(total.item(), rel=2e-4)
    assert left.item() < 1e-6 * found.item()


@named
def test_no_length_is_the_limit_of_short_pulses(pore: Pore) -> None:
    pulses = PulsePair(1e3, 1e-8, 5e-3)
    assert half_variance(pore, pulses, WATER)[0].item() == pytest.approx(
        half_variance_of_short_pulses(pore, pulses, WATER).item(), rel=2e-3
    )


@named
def test_gradients_of_the_gaussian_form(pore: Pore) -> None:
    given = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.1, 3e-3, 0.02, 2.0)]
    assert torch.autograd.gradcheck(
        lambda g, s, b, d: GaussianPhase()(pore, PulsePair(g, s, b), diffusivity=1e-9 * d).signal, given, eps=1e-7
    )


@named
def test_short_pulses_broadcast_and_fall_with_time(pore: Pore) -> None:
    pulses = PulsePair(torch.tensor([[0.1], [0.3]]), 1e-3, torch.tensor([2e-3, 5e-3, 0.02]))
    found = ShortPulse()(pore, pulses, diffusivity=WATER)
    assert found.signal.shape == (2, 3)
    assert bool((found.signal.diff(dim=1) < 0).all())
    assert bool((found.signal[0] > found.signal[1]).all())


@pytest.mark.parametrize("size", [0.0, -1e-6, math.nan, math.inf])
@pytest.mark.parametrize("make", [Planes, Cylinder, Sphere])
def test_impossible_pores_are_refused(make: type, size: float) -> None:
    with pytest.raises(UsageError, match="GD-194"):
        make(size)


@pytest.mark.parametrize("diffusivity", [0.0, -1e-9, math.nan, math.inf, 2.3])
def test_impossible_diffusivities_are_refused(diffusivity: float) -> None:
    for method in METHODS:
        with pytest.raises(UsageError, match="GD-194"):
            method(Sphere(5e-6), PulsePair(0.1, 1e-3, 0.02), diffusivity=diffusivity)


def test_what_else_is_refused() -> None:
    with pytest.raises(InputError, match="GD-805"):
        PulsePair(0.1, 2e-3, 1e-3)
    strong = PulsePair(100.0, 1e-3, 0.02)
    for method in (ShortPulse(), LongTime()):
        with pytest.raises(InputError, match="GD-854"):
            method(Sphere(5e-6), strong, diffusivity=WATER)
    with pytest.raises(UsageError, match="GD-194"):
        ShortPulse(tolerance=0.0)
    with pytest.raises(UsageError, match="GD-194"):
        SurfaceToVolume(dimensions=4)
    time = torch.linspace(1e-5, 1e-4, 8, dtype=torch.float64)
    flat = torch.full((8,), WATER, dtype=torch.float64)
    for measured, at in (
        (flat[:3], time[:3]),
        (flat * math.nan, time),
        (flat, -time),
        (-flat, time),
        (flat, 0 * time + 1),
    ):
        with pytest.raises(InputError, match="GD-855"):
            SurfaceToVolume()(measured, time=at)


def test_far_beyond_the_gaussian_form_claims_nothing() -> None:
    found = GaussianPhase()(Sphere(50e-6), PulsePair(100.0, 1e-4, 0.02), diffusivity=WATER)
    assert not bool(found.holds)
