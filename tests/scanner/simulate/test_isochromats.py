import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import Block, Lobe, Pulse, PulseUse, Readout, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.simulate.ensembles import lorentzian
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.noise import with_noise
from gradatim.scanner.simulate.spins import join, spins_at
from gradatim.scanner.simulate.timeline import timeline
from tests.scanner.simulate.scans import MS, RIGHT, US, hard, listen, play, sequence, wait

ORIGIN = torch.zeros(1, 3)
FLIP_BACK = PulseUse.REFOCUSING


def _cloud(count: int, seed: int = 0):
    """Spins everywhere in 0.2 m, each different."""
    random = torch.rand(7, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return spins_at(
        0.2 * random[:3].T - 0.1,
        density=random[3] + 0.5,
        t1=0.3 + random[4],
        t2=0.02 + 0.2 * random[5],
        offset=200 * random[6] - 100,
        b1=0.8 + 0.4 * random[0],
    )


def test_a_free_induction_decay_has_its_frequency_sign_and_decay():
    spins = spins_at(ORIGIN, density=3.0, t2=0.05, offset=40.0)
    short = 10
    pulse = hard(RIGHT, duration=short)
    raw = Isochromats()(sequence([play(pulse), listen(50, MS)]), spins)
    times = raw.times
    expected = -3j * torch.exp((2j * math.pi * 40.0 - 1 / 0.05) * times)
    assert (raw.samples[0] - expected).abs().max().item() < 3e-6


def test_a_gradient_makes_the_phase_of_its_field_and_the_sample_lies_at_minus_its_area():
    lobe = trapezoid(0, 100 * US, 300 * US, 100 * US, amplitude=0.01)
    place = torch.tensor([[0.03, 0.0, 0.0]], dtype=torch.float64)
    scan = sequence([play(hard(RIGHT, duration=10)), Block(MS, lobes=(lobe, None, None)), listen(1, US)])
    raw = Isochromats()(scan, spins_at(place))
    area = 0.01 * 400e-6
    assert raw.samples[0, 0].item() == pytest.approx(
        -1j * np.exp(2j * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * area * 0.03), rel=1e-5
    )
    assert raw.samples[0, 0].item() == pytest.approx(
        -1j * np.exp(-2j * math.pi * raw.position[0, 0].item() * 0.03), rel=1e-5
    )


def test_a_spin_echo_refocuses_offsets_and_gradients_but_not_t2():
    lobe = trapezoid(0, 100 * US, 800 * US, 100 * US, amplitude=0.02)
    echo = hard(math.pi, duration=10, phase=RIGHT, use=FLIP_BACK)
    blocks = [play(hard(RIGHT, duration=10)), Block(5 * MS, lobes=(lobe, None, lobe)), play(echo)]
    blocks += [Block(5 * MS, lobes=(lobe, None, lobe)), listen(1, 10)]
    cloud = _cloud(300)
    spins = spins_at(cloud.position, density=cloud.density, t2=0.04, offset=cloud.offset)
    raw = Isochromats()(sequence(blocks), spins)
    assert raw.samples[0, 0].item() == pytest.approx(
        -1j * spins.density.sum().item() * math.exp(-0.01 / 0.04), rel=2e-5
    )


def test_inversion_recovery_crosses_zero_at_t1_times_ln_2():
    t1 = 0.7
    for wait_s, level in ((0.1, None), (t1 * math.log(2), 0.0), (2.0, None)):
        blocks = [play(hard(math.pi, duration=10, use=PulseUse.INVERSION)), wait(round(wait_s * 1e9))]
        blocks += [play(hard(RIGHT, duration=10)), listen(1, 10)]
        raw = Isochromats()(sequence(blocks), spins_at(ORIGIN, t1=t1))
        expected = (1 - 2 * math.exp(-wait_s / t1)) if level is None else level
        assert raw.samples[0, 0].item() == pytest.approx(-1j * expected, abs=1e-6)


@settings(max_examples=25)
@given(st.floats(0.2, 6.0), st.floats(-5e4, 5e4), st.floats(-3.0, 3.0))
def test_a_hard_pulse_off_resonance_obeys_rabi(flip, offset, phase):
    duration = 20 * US
    scan = sequence([play(hard(flip, duration=duration, phase=phase)), listen(1, 2)])
    raw = Isochromats()(scan, spins_at(ORIGIN, offset=offset))
    nutation, away = flip / 20e-6, 2 * math.pi * offset
    effective = math.hypot(nutation, away)
    inverted = (nutation / effective) ** 2 * math.sin(effective * 10e-6) ** 2
    along = 1 - 2 * inverted
    assert abs(raw.samples[0, 0].item()) ** 2 == pytest.approx(1 - along**2, abs=1e-9)


@settings(max_examples=25)
@given(st.floats(-400.0, 400.0), st.floats(-3.0, 3.0))
def test_a_pulse_and_receiver_off_frequency_see_a_spin_at_that_frequency_as_on_resonance(frequency, phase):
    """Both frequencies count from their own beginning: the receiver's phase follows from the time between."""
    pulse = hard(1.0, duration=200 * US, phase=phase, frequency=frequency)
    scan = sequence([play(pulse), listen(4, 100 * US, frequency=frequency)])
    raw = Isochromats()(scan, spins_at(ORIGIN, offset=frequency))
    expected = -1j * math.sin(1.0) * np.exp(1j * phase + 2j * math.pi * frequency * 200e-6)
    assert np.abs(raw.samples[0].numpy() - expected).max() < 1e-9


def test_against_the_bloch_equation_integrated_numerically():
    """A shaped pulse on gradients' ramps, then a ramp: everything at once, by an integrator that knows no steps."""
    shape = torch.linspace(0.2, 1.0, 40, dtype=torch.float64) * torch.exp(1j * torch.linspace(0, 2, 40).double())
    pulse = Pulse(300 * US, torch.arange(0, 41) * 10 * US, shape * 2e-5, 200 * US, 300.0, 0.4)
    ramp = Lobe(torch.tensor([0, 400 * US, 900 * US, 1000 * US]), torch.tensor([0.0, 3e-3, 2e-3, 0.0]).double())
    scan = sequence([Block(MS, pulse, (ramp, None, ramp)), listen(1, 2 * US)])
    spins = _cloud(2)
    wave = scan.waveform
    g = PROTON_GAMMA_RAD_PER_S_T

    def slope(t, m, i):
        along = g * float(wave.at(torch.tensor(t, dtype=torch.float64)) @ spins.position[i])
        along += 2 * math.pi * float(spins.offset[i])
        across = 0j
        if 300e-6 <= t < 700e-6:
            index = min(int((t - 300e-6) / 1e-5), 39)
            turn = np.exp(1j * (2 * math.pi * 300.0 * (t - 300e-6) + 0.4))
            across = g * float(spins.b1[i]) * complex(pulse.field[index]) * turn
        w = np.array([across.real, across.imag, along])
        relaxing = np.array([m[0] / float(spins.t2[i]), m[1] / float(spins.t2[i]), 0.0])
        relaxing[2] = (m[2] - float(spins.density[i])) / float(spins.t1[i])
        return np.cross(w, m) - relaxing

    total = 0j
    for i in range(2):
        state, edges = (
            np.array([0.0, 0.0, float(spins.density[i])]),
            [0.0, *(300e-6 + 1e-5 * np.arange(41)), 1e-3, 1.001e-3],
        )
        for a, b in itertools.pairwise(edges):
            inside = b - 1e-15
            state = solve_ivp(slope, (a, inside), state, args=(i,), rtol=1e-8, atol=1e-10).y[:, -1]
        total += complex(state[0], state[1])
    found = [complex(Isochromats(step)(scan, spins).samples[0, 0]) for step in (1e-5, 5e-6, 2.5e-6)]
    errors = [abs(one - total) / spins.density.sum().item() for one in found]
    assert errors[0] < 2e-4
    assert errors[1] / errors[0] == pytest.approx(0.25, abs=0.05)
    assert errors[2] / errors[1] == pytest.approx(0.25, abs=0.05)


def test_without_relaxation_the_length_of_magnetisation_is_kept():
    """Parseval over a fan of phases: the transverse part after pulses of every phase, and the rest by a last pulse."""
    spins = spins_at(ORIGIN, offset=130.0)
    train = [play(hard(1.1, duration=100 * US, phase=0.7 * i * i)) for i in range(12)]
    across = complex(Isochromats()(sequence([*train, listen(1, 2)]), spins).samples[0, 0])
    tipped = [
        complex(
            Isochromats()(sequence([*train, play(hard(RIGHT, duration=1, phase=p)), listen(1, 2)]), spins).samples[0, 0]
        )
        for p in (0.0, RIGHT)
    ]
    along = -tipped[0].imag, tipped[1].real
    assert along[0] == pytest.approx(along[1], abs=1e-5)
    assert abs(across) ** 2 + along[0] ** 2 == pytest.approx(1.0, abs=1e-5)


def _gradient_echoes(lines: int = 6, *, spoiling: float = 117.0):
    """A small GRE with slice pulses, phase encoding and RF spoiling."""
    shape = torch.sinc(torch.linspace(-2, 2, 50).double()).to(torch.complex128) * 3e-6
    blocks = []
    for i in range(lines):
        phase = math.radians(spoiling) * i * (i + 1) / 2
        excite = Pulse(100 * US, torch.arange(0, 51) * 20 * US, shape, 500 * US, 0.0, phase)
        encode = trapezoid(0, 100 * US, 300 * US, 100 * US, amplitude=1e-3 * (i - lines // 2))
        blocks.append(Block(1200 * US, excite, (None, None, trapezoid(0, 100 * US, MS, 100 * US, amplitude=5e-3))))
        blocks.append(Block(MS, lobes=(trapezoid(0, 100 * US, 300 * US, 100 * US, amplitude=-5e-3), encode, None)))
        line = trapezoid(0, 200 * US, 640 * US, 160 * US, amplitude=6e-3)
        blocks.append(Block(MS, lobes=(line, None, None), readout=Readout(40 * US, 20 * US, 46, 0.0, phase)))
        blocks.append(wait(3 * MS))
    return sequence(blocks)


def test_shared_exponentials_and_pulses_change_nothing():
    """Asking for a derivative of the times turns all sharing off."""
    scan, spins = _gradient_echoes(), _cloud(40)
    fast = Isochromats().signal(timeline(scan), spins)
    slow = Isochromats().signal(timeline(scan).delayed(-1.0, torch.zeros((), requires_grad=True)), spins)
    assert (fast - slow).abs().max().item() < 1e-11 * fast.abs().max().item()


def test_groups_of_spins_add_to_the_whole():
    scan, spins = _gradient_echoes(), _cloud(40)
    whole = Isochromats()(scan, spins).samples
    small = Isochromats(memory=16.0 * 6 * 518 * 7)(scan, spins).samples
    parts = Isochromats()(scan, spins[:13]).samples + Isochromats()(scan, spins[13:]).samples
    assert (small - whole).abs().max().item() < 1e-11
    assert (parts - whole).abs().max().item() < 1e-11
    again = Isochromats()(scan, join([spins[:13], spins[13:]])).samples
    assert (again - whole).abs().max().item() < 1e-11


def test_single_precision_is_near_double():
    scan, spins = _gradient_echoes(), _cloud(40)
    whole = Isochromats()(scan, spins).samples
    single = Isochromats()(scan, spins.to(torch.float32)).samples
    assert single.dtype == torch.complex64
    assert (single - whole).abs().max().item() < 2e-4 * whole.abs().max().item()


def test_coils_see_their_own_share():
    scan, spins = _gradient_echoes(), _cloud(40)
    ones = torch.ones(40, dtype=torch.complex128)
    only = ones.clone()
    only[1:] = 0
    raw = Isochromats()(scan, spins, sensitivity=torch.stack([ones, 2j * ones, only]))
    assert raw.samples.shape == (3, 6 * 46)
    assert torch.allclose(raw.samples[1], 2j * raw.samples[0])
    assert torch.allclose(raw.samples[2], Isochromats()(scan, spins[:1]).samples[0])


def test_t2_prime_is_refocused_and_equals_sampled_offsets():
    """At a spin echo nothing of T2' is left; before and after, its exponential is the mean over the offsets."""
    echo = hard(math.pi, duration=10, phase=RIGHT, use=FLIP_BACK)
    blocks = [play(hard(RIGHT, duration=10)), listen(16, 500 * US), wait(2 * MS), play(echo), listen(40, 500 * US)]
    spins = spins_at(ORIGIN, t2=0.08, t2_prime=0.01)
    raw = Isochromats()(sequence(blocks), spins)
    sampled = Isochromats()(sequence(blocks), lorentzian(spins, 1001))
    assert (raw.samples - sampled.samples).abs().max().item() < 1e-3
    late = raw.times[16:]
    expected = torch.exp(-late / 0.08 - (late - 0.02).abs() / 0.01)
    assert (raw.samples[0, 16:] + 1j * expected).abs().max().item() < 1e-5


def test_samples_during_a_pulse_or_of_other_coils_are_refused():
    both = sequence([Block(MS, hard(1.0, duration=MS), readout=Readout(0, 10 * US, 10))])
    with pytest.raises(InputError, match="GD-832"):
        Isochromats()(both, spins_at(ORIGIN))
    with pytest.raises(UsageError, match="GD-103"):
        Isochromats()(sequence([listen(1, US)]), spins_at(ORIGIN), sensitivity=torch.ones(1, 2))
    with pytest.raises(InputError, match="GD-804"):
        Isochromats()(sequence([wait(US)]), spins_at(ORIGIN))
    with pytest.raises(UsageError, match="GD-101"):
        Isochromats(longest_step=math.nan)


def test_before_any_pulse_there_is_no_signal():
    raw = Isochromats()(sequence([listen(3, US), play(hard(1.0)), listen(3, US)]), _cloud(3))
    assert raw.samples[0, :3].abs().max().item() == 0.0
    assert raw.samples[0, 3:].abs().min().item() > 0.1


def test_noise_is_white_and_of_its_size():
    raw = Isochromats()(sequence([listen(20_000, US)]), spins_at(ORIGIN))
    noisy = with_noise(raw, standard_deviation=0.3, seed=1)
    assert noisy.samples.real.std().item() == pytest.approx(0.3, rel=0.02)
    assert noisy.samples.imag.std().item() == pytest.approx(0.3, rel=0.02)
    assert abs((noisy.samples[0, 1:] * noisy.samples[0, :-1].conj()).mean().item()) < 0.003
    assert torch.equal(noisy.samples, with_noise(raw, standard_deviation=0.3, seed=1).samples)
    with pytest.raises(UsageError, match="GD-179"):
        with_noise(raw, standard_deviation=-1.0, seed=1)


def test_spins_that_a_pulse_cannot_tell_apart_are_turned_once_and_rightly():
    """The slice's gradient is along z: spins side by side in x share their pulses, not their encoding."""
    scan, one = _gradient_echoes(), _cloud(6)
    beside = replace(one, position=one.position + torch.tensor([0.013, 0.0, 0.0], dtype=torch.float64))
    both = join([one, beside, one[:3], beside[2:]])
    shared = Isochromats()(scan, both).samples
    watched = replace(both, t1=both.t1.clone().requires_grad_())
    each = Isochromats()(scan, watched).samples
    assert each.requires_grad
    assert (shared - each).abs().max().item() < 1e-11 * shared.abs().max().item()


def test_nothing_gives_nothing():
    raw = Isochromats()(_gradient_echoes(), _cloud(3)[:0])
    assert raw.samples.shape == (1, 6 * 46)
    assert not bool(raw.samples.any())
