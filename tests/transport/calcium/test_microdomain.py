"""Laws of the microdomain: identities, limits, honest flags, the way there against an exact series."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import InputError
from gradatim.transport.calcium.approximations import ExcessBuffer, Linearised, RapidBuffer, SteadyApproximation
from gradatim.transport.calcium.full import FullSolution
from gradatim.transport.calcium.microdomain import Buffer, Microdomain
from gradatim.transport.calcium.shells import Shells
from gradatim.transport.calcium.transient import Transient

AT = torch.logspace(-8.5, -6, 30, dtype=torch.float64)
BAPTA = Microdomain(0.1e-12, Buffer(1.0, 4e5, 1.76e-4, 95e-12))
WEAK = Microdomain(0.1e-12, Buffer(0.1, 1e5, 1e-2, 50e-12))
APPROXIMATIONS = [ExcessBuffer(), Linearised(), RapidBuffer()]

buffers = st.builds(
    Buffer,
    total=st.floats(0.02, 10.0),
    on_rate=st.floats(1e3, 1e6),
    dissociation=st.floats(1e-4, 0.1),
    diffusivity=st.floats(1e-11, 3e-10),
)


@pytest.mark.parametrize("method", APPROXIMATIONS)
@given(buffer=buffers, current=st.floats(0.02e-12, 1e-12))
def test_where_an_approximation_says_that_it_holds_it_does(
    method: SteadyApproximation, buffer: Buffer, current: float
) -> None:
    domain = Microdomain(current, buffer)
    found = method(domain, radius=AT)
    truth = FullSolution(tolerance=1e-7)(domain, radius=AT)
    error = (found.calcium / truth - 1).abs()
    assert float(error[found.holds].max() if bool(found.holds.any()) else 0.0) < 0.08


def test_flags_are_not_always_down() -> None:
    assert bool(ExcessBuffer()(BAPTA, radius=AT).holds.any())
    assert bool(Linearised()(WEAK, radius=AT[AT > 2e-7]).holds.any())
    fast = Microdomain(0.1e-12, Buffer(0.1, 1e8, 1e-2, 50e-12))
    assert bool(RapidBuffer()(fast, radius=AT[-10:]).holds.all())
    assert not bool(RapidBuffer()(BAPTA, radius=AT[:10]).holds.any())


@given(buffer=buffers)
def test_the_full_solution_satisfies_its_equation_and_keeps_buffer_positive(buffer: Buffer) -> None:
    """D∇²c = k₊(Bc − K(B_T − B)), by differences in r·c."""
    domain = Microdomain(0.1e-12, buffer)
    r, h = 40e-9, 0.5e-9
    radius = torch.tensor([r - h, r, r + h], dtype=torch.float64)
    c = FullSolution()(domain, radius=radius)
    free = domain.free_buffer(c, radius)
    assert bool(((free > 0) & (free < buffer.total * (1 + 1e-9))).all())
    u = radius * c
    spread = domain.diffusivity * (u[2] - 2 * u[1] + u[0]) / h**2 / r
    binding = buffer.on_rate * (free[1] * c[1] - buffer.dissociation * (buffer.total - free[1]))
    scale = buffer.on_rate * (free[1] * c[1]) + buffer.on_rate * buffer.dissociation * (buffer.total - free[1])
    assert abs(float(spread - binding)) < 2e-3 * float(scale)


def test_mobile_buffers_lower_and_narrow_the_domain() -> None:
    free, bound = WEAK.free_diffusion(AT), FullSolution()(WEAK, radius=AT)
    assert bool((bound < free).all())
    assert bool(((bound - 1e-4) / (free - 1e-4)).diff().le(1e-9).all())


def test_approximations_meet_in_their_limits() -> None:
    """Little current: nothing is depleted, so that the linearised form is exact."""
    little = Microdomain(1e-17, WEAK.buffer)
    torch.testing.assert_close(
        Linearised()(little, radius=AT).calcium - 1e-4,
        FullSolution()(little, radius=AT) - 1e-4,
        rtol=2e-4,
        atol=1e-12,
    )
    fast = Microdomain(0.1e-12, Buffer(0.1, 1e8, 1e-2, 50e-12))
    far = AT[AT > 1e-7]
    torch.testing.assert_close(
        RapidBuffer()(fast, radius=far).calcium, FullSolution()(fast, radius=far), rtol=1e-3, atol=0.0
    )


def test_free_calcium_on_its_way_is_the_exact_series() -> None:
    """Point source in a ball at rest outside: r·c is a sum of sines."""
    domain, ball = Microdomain(0.1e-12, Buffer(0.0, 1e5, 1e-2)), Transient(shells=400)
    times = torch.tensor([1e-4, 1e-3, 1e-2], dtype=torch.float64)
    r = ball.radius[ball.radius > 2e-8]
    n = torch.arange(1, 3000, dtype=torch.float64) * math.pi / ball.outer
    modes = (n * r[:, None]).sin() / (n * ball.outer)
    decay = (-domain.diffusivity * n**2 * times[:, None]).exp()
    expected = domain.length / r * (1 - r / ball.outer - 2 * (decay @ modes.T))
    found = ball(domain, times=times).calcium[:, ball.radius > 2e-8] - domain.resting
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.max()) * 1e-2)


def test_what_comes_in_stays_or_leaves() -> None:
    """With buffer: the channel's ions are in the shells or went through the outer wall; early on none has."""
    domain, ball = Microdomain(0.1e-12, Buffer(0.5, 1e5, 1e-2, 20e-12)), Transient()
    found = ball(domain, times=torch.tensor([2e-5], dtype=torch.float64))
    edges = torch.logspace(math.log10(1e-9), math.log10(2e-6), 201, dtype=torch.float64)
    edges[0] = 0.0
    volume = 2 * math.pi / 3 * (edges**3).diff()
    rest = domain.buffer.total - domain.buffer.free(domain.resting)
    gained = ((found.calcium[0] - domain.resting + found.bound[0] - rest) * volume).sum().item()
    assert gained == pytest.approx(domain.source * 2e-5, rel=1e-6)


def test_the_jacobian_is_the_slope_of_the_rates() -> None:
    ball = Transient(shells=5)
    shells = Shells(WEAK, torch.cat([torch.zeros(1), ball.radius * 1.1]).double().numpy(), ball.radius.numpy())
    state = torch.linspace(0.01, 0.09, 10, dtype=torch.float64).numpy()
    bands = shells.slope(state)
    for column in range(10):
        step = torch.zeros(10, dtype=torch.float64)
        step[column] = 1e-6
        slope = (shells.rate(state + step.numpy()) - shells.rate(state - step.numpy())) / 2e-6
        for row in range(10):
            expected = bands[2 + row - column, column] if abs(row - column) <= 2 else 0.0
            assert slope[row] == pytest.approx(expected, abs=1e-5 * abs(slope).max())


def test_the_end_of_the_way_is_the_steady_state() -> None:
    ball = Transient(outer=0.5e-6)
    late = ball(WEAK, times=torch.tensor([10.0], dtype=torch.float64)).calcium[0]
    torch.testing.assert_close(ball.steady(WEAK).calcium[0], late, rtol=1e-5, atol=0.0)


def test_what_cannot_be_is_refused() -> None:
    fixed = Microdomain(0.1e-12, Buffer(0.5, 1e5, 1e-2))
    for method in APPROXIMATIONS:
        with pytest.raises(InputError, match="GD-852"):
            method(fixed, radius=AT)
        with pytest.raises(InputError, match="GD-853"):
            method(WEAK, radius=torch.zeros(1))
    for bad in (-1.0, float("nan"), 0.0):
        with pytest.raises(InputError, match="GD-852"):
            Microdomain(bad, WEAK.buffer)
    with pytest.raises(InputError, match="GD-852"):
        Buffer(-1.0, 1e5, 1e-2)
    with pytest.raises(InputError, match="GD-852"):
        Transient(shells=2)
    with pytest.raises(InputError, match="GD-852"):
        Transient()(WEAK, times=torch.tensor([2e-3, 1e-3]))
    torch.testing.assert_close(FullSolution()(fixed, radius=AT), fixed.free_diffusion(AT))
