"""Laws of pulsatile flow: the equation itself, conservation, the wall, the inverse, and honest limits."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import InputError, UsageError
from gradatim.transport.series import PressureGradient, harmonics_of, series_of
from gradatim.transport.vessel import Vessel
from gradatim.transport.womersley import Womersley, womersley_function
from gradatim.transport.womersley_limits import BoundaryLayer, FlowLimit, InertiaAlone, QuasiSteady

AORTA = Womersley(Vessel(0.0125), frequency=1.2)
GRADIENT = torch.tensor([80.0, 900.0 - 200.0j, -350.0j, 120.0], dtype=torch.complex128)


@pytest.mark.parametrize("radius", [2e-5, 0.0005, 0.0125])
def test_the_solution_obeys_its_equation(radius: float) -> None:
    """inωρu = G + μ(u″ + u′/r), by central differences."""
    flow = Womersley(Vessel(radius), 1.2)
    at, h = 0.6 * radius, 1e-3 * radius / max(1.0, flow.vessel.womersley(3.6))
    u = flow.velocity(GRADIENT, radius=torch.tensor([at - h, at, at + h], dtype=torch.float64))
    spread = (u[2] - 2 * u[1] + u[0]) / h**2 + (u[2] - u[0]) / (2 * h * at)
    n = torch.arange(4, dtype=torch.float64)
    left = 1j * n * 2 * math.pi * 1.2 * 1060.0 * u[1]
    torch.testing.assert_close(left, GRADIENT + 3.5e-3 * spread, rtol=1e-4, atol=1e-3)


@given(st.floats(1e-6, 0.03), st.floats(0.1, 20.0))
def test_flow_is_the_integral_of_the_profile_and_the_wall_holds_it(radius: float, frequency: float) -> None:
    flow = Womersley(Vessel(radius), frequency)
    nodes = torch.cos(math.pi * (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000)
    r = radius * (nodes + 1) / 2
    weights = math.pi / 4000 * (1 - nodes.square()).sqrt() * radius / 2
    total = (flow.velocity(GRADIENT, radius=r) * (2 * math.pi * r * weights)[:, None]).sum(0)
    expected = flow.flow(GRADIENT)
    torch.testing.assert_close(total, expected, rtol=1e-4, atol=1e-6 * expected.abs().max().item())
    wall = flow.velocity(GRADIENT, radius=torch.tensor([radius], dtype=torch.float64))
    assert wall.abs().max() <= 1e-12 * flow.velocity(GRADIENT, radius=torch.zeros(1)).abs().max()


def test_momentum_is_conserved() -> None:
    """Pressure drives inertia and drag: G = inωρ·Q/(πR²) + 2τ/R."""
    n = torch.arange(4, dtype=torch.float64)
    inertia = 1j * n * 2 * math.pi * 1.2 * 1060.0 * AORTA.mean_velocity(GRADIENT)
    drag = 2 * AORTA.wall_shear(GRADIENT) / 0.0125
    torch.testing.assert_close(inertia + drag, GRADIENT, rtol=1e-12, atol=1e-9)


def test_shear_is_the_slope_of_the_profile() -> None:
    h = 1e-8
    u = AORTA.velocity(GRADIENT, radius=torch.tensor([0.0125 - h], dtype=torch.float64))[0]
    torch.testing.assert_close(3.5e-3 * u / h, AORTA.wall_shear(GRADIENT), rtol=1e-4, atol=1e-6)


def test_slow_pulses_are_poiseuilles() -> None:
    slow = Womersley(Vessel(1e-5), 0.01)
    both = slow.mean_velocity(torch.tensor([1.0, 1.0], dtype=torch.complex128))
    assert (both[1] / both[0] - 1).abs().item() == pytest.approx(slow.vessel.womersley(0.01) ** 2 / 6, rel=1e-4)


def test_the_inverse_gives_the_gradient_back() -> None:
    torch.testing.assert_close(AORTA.gradient_of_flow(AORTA.flow(GRADIENT)), GRADIENT)
    at = AORTA.velocity(GRADIENT, radius=torch.tensor(0.006, dtype=torch.float64))
    torch.testing.assert_close(AORTA.gradient_of_velocity(at, radius=0.006), GRADIENT)


def test_everything_is_linear_in_the_gradient_and_carries_its_derivative() -> None:
    given_ = GRADIENT.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda g: AORTA.flow(g) * 1e5, given_)
    assert torch.autograd.gradcheck(AORTA.wall_shear, given_)


def test_harmonics_and_series_are_inverse() -> None:
    for samples in (7, 8):
        series = torch.randn(samples, generator=torch.Generator().manual_seed(samples), dtype=torch.float64)
        torch.testing.assert_close(series_of(harmonics_of(series), samples=samples), series)


def test_the_error_of_a_measured_gradient_is_its_scatter() -> None:
    truth = torch.tensor([1.0, 0.8 - 0.5j, 0.3j, -0.1], dtype=torch.complex128) * 1e-4
    clean = series_of(truth, samples=40)
    inverse = PressureGradient(AORTA, harmonics=5)
    expected = series_of(AORTA.gradient_of_flow(torch.cat([truth, torch.zeros(2, dtype=torch.complex128)])), samples=40)
    torch.testing.assert_close(inverse(clean).series, expected, rtol=1e-9, atol=1e-6)
    draw = torch.Generator().manual_seed(5)
    found = [inverse(clean + 3e-6 * torch.randn(40, generator=draw, dtype=torch.float64)) for _ in range(400)]
    scatter = (torch.stack([one.series for one in found]) - expected).square().mean().sqrt().item()
    assert sum(one.error for one in found) / 400 == pytest.approx(scatter, rel=0.03)
    assert sum(one.noise for one in found) / 400 == pytest.approx(3e-6, rel=0.03)


def test_a_velocity_on_the_axis_gives_the_same_gradient() -> None:
    flow = AORTA.flow(GRADIENT)
    axis = AORTA.velocity(GRADIENT, radius=torch.tensor(0.0, dtype=torch.float64))
    inverse = PressureGradient(AORTA, harmonics=3)
    torch.testing.assert_close(
        inverse(series_of(flow, samples=16)).series, inverse.of_velocity(series_of(axis, samples=16)).series
    )


@pytest.mark.parametrize("limit", [QuasiSteady(), BoundaryLayer(), InertiaAlone()])
@given(alpha=st.floats(0.01, 1e4))
def test_where_a_limit_says_that_it_holds_it_is_right_to_two_per_cent(limit: FlowLimit, alpha: float) -> None:
    found = limit(alpha)
    assert not found.holds or found.exact_error < 0.02
    assert abs(found.value / womersley_function(alpha) - 1) == pytest.approx(found.exact_error, abs=1e-12)


def test_limits_do_hold_where_they_should() -> None:
    assert QuasiSteady()(0.5).holds
    assert BoundaryLayer()(10.0).holds
    assert InertiaAlone()(500.0).holds
    assert not InertiaAlone()(18.889).holds


def test_what_cannot_be_is_refused() -> None:
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="GD-101"):
            Vessel(bad)
        with pytest.raises(UsageError, match="GD-101"):
            Womersley(Vessel(0.01), bad)
        with pytest.raises(UsageError, match="GD-101"):
            QuasiSteady()(bad)
    with pytest.raises(UsageError, match="GD-101"):
        AORTA.velocity(GRADIENT, radius=torch.tensor([0.02]))
    with pytest.raises(UsageError, match="GD-101"):
        AORTA.gradient_of_velocity(GRADIENT, radius=0.0125)
    with pytest.raises(UsageError, match="GD-101"):
        AORTA.flow(torch.tensor([float("nan")], dtype=torch.complex128))
    with pytest.raises(InputError, match="GD-851"):
        PressureGradient(AORTA, harmonics=10)(torch.ones(20, dtype=torch.float64))


def test_a_wall_in_single_precision_is_the_wall() -> None:
    """0.0125 in float32 lies 2e-10 m outside; a tenth of a per cent outside is refused still."""
    assert AORTA.velocity(GRADIENT, radius=torch.tensor([0.0125], dtype=torch.float32)).abs().max() == 0
    with pytest.raises(UsageError, match="GD-101"):
        AORTA.velocity(GRADIENT, radius=torch.tensor([0.0125 * 1.001]))


def test_a_series_that_is_no_vector_is_refused() -> None:
    for series in (torch.tensor(1.0), torch.ones(40, 2)):
        with pytest.raises(UsageError, match="GD-101"):
            PressureGradient(AORTA, harmonics=4)(series)
