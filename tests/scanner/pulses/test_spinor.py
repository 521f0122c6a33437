"""Cayley-Klein parameters: closed forms, laws, and derivatives against finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from gradatim.base.errors import InputError
from gradatim.base.sequence import Block, Pulse, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.pulses.profile import Profile, profile, response
from gradatim.scanner.pulses.sinc import SincPulse, sinc_field
from gradatim.scanner.pulses.spinor import Spinor, pulse_spinor, spinor
from gradatim.scanner.system import System

EXACT = torch.float64


def random_train(steps: int, places: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    field = 1e-5 * torch.randn(steps, dtype=torch.complex128, generator=draw)
    lengths = 1e-5 * (0.5 + torch.rand(steps, dtype=EXACT, generator=draw))
    return field, lengths, 2e3 * torch.randn(places, steps, dtype=EXACT, generator=draw)


def bloch(field: torch.Tensor, steps: torch.Tensor, precession: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """An independent way: dM/dt = Ω × M as a matrix exponential a step."""
    magnetisation = start
    for b1, step, offset in zip(field, steps, precession, strict=True):
        x, y = PROTON_GAMMA_RAD_PER_S_T * b1.real, PROTON_GAMMA_RAD_PER_S_T * b1.imag
        z, nil = 2 * math.pi * offset, torch.zeros((), dtype=EXACT)
        cross = torch.stack([torch.stack([nil, -z, y]), torch.stack([z, nil, -x]), torch.stack([-y, x, nil])])
        magnetisation = torch.from_numpy(expm((cross * step).numpy())) @ magnetisation
    return magnetisation


def test_every_rotation_is_that_of_the_bloch_equation() -> None:
    field, steps, precession = random_train(37, 4)
    found = spinor(field, steps, precession)
    for place in range(4):
        up = bloch(field, steps, precession[place], torch.tensor([0.0, 0.0, 1.0], dtype=EXACT))
        across = bloch(field, steps, precession[place], torch.tensor([1.0, 0.0, 0.0], dtype=EXACT))
        assert complex(up[0], up[1]) == pytest.approx(complex(found.transverse[place]), abs=1e-12)
        assert float(up[2]) == pytest.approx(float(found.longitudinal[place]), abs=1e-12)
        mixed = found.alpha[place].conj() ** 2 - found.beta[place] ** 2
        assert complex(across[0], across[1]) == pytest.approx(complex(mixed), abs=1e-12)


@given(steps=st.integers(1, 200), seed=st.integers(0, 100))
def test_unitarity(steps: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    field = 2e-5 * torch.randn(steps, dtype=torch.complex128, generator=draw)
    found = spinor(field, torch.full((steps,), 1e-5), 1e4 * torch.randn(5, steps, generator=draw))
    assert (found.alpha.abs() ** 2 + found.beta.abs() ** 2 - 1).abs().max() < 1e-13


@pytest.mark.parametrize("offset", [0.0, 137.0, -2500.0])
def test_constant_b1_off_resonance_is_rabis_formula(offset: float) -> None:
    pulse = HardPulse(1.2, 300e-6)(System())
    nutation = 1.2 / (2 * math.pi * 300e-6)
    whole = math.hypot(nutation, offset)
    found = pulse_spinor(pulse, offset=torch.tensor([offset], dtype=EXACT))
    assert float(found.refocused) == pytest.approx((nutation / whole) ** 2 * math.sin(math.pi * whole * 300e-6) ** 2)


def test_a_pulse_about_x_turns_z_to_minus_y_and_an_offset_turns_forwards() -> None:
    quarter = pulse_spinor(HardPulse(math.pi / 2, 1e-5)(System(max_b1=1e-3)), offset=torch.zeros(1, dtype=EXACT))
    assert complex(quarter.transverse) == pytest.approx(-1j, abs=1e-12)
    later = quarter.turned(torch.tensor([0.25], dtype=EXACT))
    assert complex(later.transverse) == pytest.approx(1.0 + 0j, abs=1e-12)


def test_a_rotation_and_then_another_is_the_whole() -> None:
    field, steps, precession = random_train(100, 3)
    whole = spinor(field, steps, precession)
    first, second = (spinor(field[s], steps[s], precession[:, s]) for s in (slice(0, 41), slice(41, 100)))
    joined = first.then(second)
    assert torch.allclose(joined.alpha, whole.alpha, atol=1e-13)
    assert torch.allclose(joined.beta, whole.beta, atol=1e-13)


def test_a_pulse_with_a_frequency_meets_spins_of_that_offset() -> None:
    pulse = SincPulse(1.0, 2e-3)(System())
    offset = torch.linspace(-2e3, 2e3, 41, dtype=EXACT)
    shifted = Pulse(0, pulse.edges, pulse.field, pulse.centre, frequency=700.0, phase=0.4)
    still = pulse_spinor(pulse, offset=offset)
    moved = pulse_spinor(shifted, offset=offset + 700.0)
    assert torch.allclose(moved.refocused, still.refocused, atol=1e-13)
    sampled = 700.0 * (pulse.edges[1:] + pulse.edges[:-1]).double() / 2e9
    chopped = pulse.field * torch.polar(torch.ones_like(sampled), 2 * math.pi * sampled + 0.4)
    by_samples = pulse_spinor(Pulse(0, pulse.edges, chopped, pulse.centre), offset=offset + 700.0)
    assert torch.allclose(by_samples.transverse, moved.transverse, atol=1e-4)


def test_a_gradient_acts_as_an_offset_that_grows_with_the_place() -> None:
    pulse = SincPulse(1.0, 2e-3)(System())
    lobe = trapezoid(0, 100_000, 2_000_000, 100_000, amplitude=0.01)
    waveform = Sequence((Block(2_200_000, lobes=(None, None, lobe)),)).waveform
    z = torch.linspace(-5e-3, 5e-3, 11, dtype=EXACT)
    position = torch.stack([torch.zeros_like(z), torch.zeros_like(z), z], 1)
    found = pulse_spinor(pulse, offset=torch.zeros(11, dtype=EXACT), position=position, gradients=waveform, start=1e-4)
    known = pulse_spinor(pulse, offset=PROTON_GAMMA_BAR_HZ_PER_T * 0.01 * z)
    assert torch.allclose(found.transverse, known.transverse, atol=1e-12)


def test_derivatives_by_field_steps_and_precession() -> None:
    field, steps, precession = (value.requires_grad_() for value in random_train(7, 2))

    def parts(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = spinor(*given)
        return found.alpha.real, found.alpha.imag, found.beta.real, found.beta.imag

    scaled = (field.detach() * 1e5, steps.detach() * 1e5, precession.detach() / 1e3)
    inputs = tuple(value.requires_grad_() for value in scaled)
    assert torch.autograd.gradcheck(lambda b, t, f: parts(b * 1e-5, t * 1e-5, f * 1e3), inputs)


def test_derivatives_exist_where_nothing_turns() -> None:
    field = torch.zeros(3, dtype=torch.complex128, requires_grad=True)
    found = spinor(field, torch.full((3,), 1e-3), torch.zeros(1, 3))
    found.beta.imag.sum().backward()
    assert field.grad is not None
    assert field.grad.real.tolist() == pytest.approx([-PROTON_GAMMA_RAD_PER_S_T * 0.5e-3] * 3)


@pytest.mark.parametrize("use", ["excited", "refocused"])
def test_the_profile_has_derivatives_by_every_parameter_of_the_pulse(use: str) -> None:
    """Row 0.1: angle, duration, time-bandwidth product, apodization, gradient and place, by finite differences."""
    place = torch.linspace(-4e-3, 4e-3, 5, dtype=EXACT)
    start = torch.tensor([1.3, 2.0, 4.0, 0.45, 9.4, 0.3], dtype=EXACT, requires_grad=True)

    def values(parameters: torch.Tensor) -> torch.Tensor:
        flip, milliseconds, product, apodization, gradient, shift = parameters
        seconds = milliseconds * 1e-3 / 40
        field = sinc_field(40, flip=flip, seconds=seconds, time_bandwidth=product, apodization=apodization)
        precession = PROTON_GAMMA_BAR_HZ_PER_T * gradient * 1e-3 * (place + shift * 1e-3)
        found = spinor(field, seconds.expand(40), precession[:, None])
        return found.refocused if use == "refocused" else found.transverse.abs()

    assert torch.autograd.gradcheck(values, (start,), eps=1e-6, atol=1e-7)


def test_descent_along_the_derivatives_straightens_a_profile() -> None:
    """A sinc for 90° delivers a rounded slice; descent on its samples brings it nearer to a rectangle."""
    offset = torch.cat([torch.linspace(0, 800, 17), torch.linspace(1300, 4000, 28)]).to(EXACT)
    wanted = (offset < 1000).to(EXACT)
    pulse = SincPulse(math.pi / 2, 2e-3)(System())
    scale = float(pulse.field.abs().max())
    samples = (pulse.field.real[5::10] / scale).clone().requires_grad_()
    steps = torch.full((50,), 40e-6, dtype=EXACT)

    def misfit() -> torch.Tensor:
        found = spinor(samples * scale, steps, offset[:, None])
        return ((found.transverse.abs() - wanted) ** 2).mean()

    first = misfit().item()
    descent = torch.optim.LBFGS([samples], max_iter=30, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        descent.zero_grad()
        loss = misfit()
        loss.backward()
        return loss

    descent.step(closure)
    assert misfit().item() < 0.2 * first


def test_the_response_is_what_the_use_asks_for() -> None:
    rotation = Spinor(torch.tensor([0.8 + 0j]), torch.tensor([0.6j]))
    pulse = HardPulse(1.0, 1e-3)(System())
    assert float(response(rotation, pulse.use)) == pytest.approx(0.96)
    assert float(rotation.longitudinal) == pytest.approx(0.28)


def test_the_width_of_a_known_curve() -> None:
    offset = torch.linspace(-3, 3, 601, dtype=EXACT)
    assert Profile(offset, torch.exp(-(offset**2))).width == pytest.approx(2 * math.sqrt(math.log(2)), abs=1e-4)


def test_a_profile_wider_than_its_range_is_refused() -> None:
    with pytest.raises(InputError, match="GD-820"):
        _ = profile(HardPulse(1.0, 1e-5)(System(max_b1=1e-3)), span=100.0).width
