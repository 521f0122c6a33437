"""Derivatives of the simulated signal by everything, against finite differences and exact sums in double precision."""

import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.sequence import Block, Lobe, Pulse, PulseUse, Readout, trapezoid
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import Spins, spins_at
from gradatim.scanner.simulate.timeline import Timeline, timeline
from tests.scanner.simulate.scans import MS, RIGHT, US, hard, listen, play, sequence, wait

SIMULATE = Isochromats(longest_step=1e-4)


def _exact(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _spins() -> Spins:
    place = torch.tensor([[0.01, -0.02, 0.003], [-0.03, 0.01, -0.002], [0.02, 0.03, 0.001]], dtype=torch.float64)
    return spins_at(
        place,
        density=_exact(1.0, 0.7, 1.3),
        t1=_exact(0.4, 0.8, 1.1),
        t2=_exact(0.03, 0.05, 0.08),
        offset=_exact(30.0, -20.0, 5.0),
        t2_prime=_exact(0.02, 0.04, 0.03),
        b1=_exact(0.9, 1.0, 1.1),
    )


def _scan():
    """A slice-selective excitation tuned off resonance, a refocusing pulse, encoding before and beneath the readout."""
    shape = _exact(2.0, 5.0, 3.0).to(torch.complex128) * torch.exp(1j * _exact(0.1, 0.4, 0.9)) * 5e-6
    excite = Pulse(130 * US, torch.tensor([0, 150, 310, 450]) * US, shape, 225 * US, 120.0, 0.3)
    slices = Lobe(torch.tensor([0, 90, 400, 610]) * US, _exact(0.0, 2e-3, 3e-3, 0.0))
    echo = replace(hard(2.7, duration=90 * US, phase=RIGHT, use=PulseUse.REFOCUSING), delay=20 * US)
    line = trapezoid(0, 110 * US, 600 * US, 130 * US, amplitude=2e-3)
    encode = trapezoid(30 * US, 100 * US, 50 * US, 110 * US, amplitude=-3e-3)
    return sequence(
        [
            Block(700 * US, excite, (None, None, slices)),
            Block(500 * US, lobes=(encode, encode, None)),
            Block(130 * US, echo),
            Block(MS, lobes=(line, None, None), readout=Readout(35 * US, 190 * US, 4)),
            wait(300 * US),
        ]
    )


@pytest.mark.parametrize("name", ["position", "density", "t1", "t2", "offset", "t2_prime", "b1"])
def test_by_every_property_of_the_spins(name):
    spins, played = _spins(), timeline(_scan())
    scale = {"position": 1e-3, "t1": 1.0, "t2": 0.1, "t2_prime": 0.1, "offset": 100.0}.get(name, 1.0)

    def signal(values):
        return SIMULATE.signal(played, replace(spins, **{name: values * scale}))

    leaf = (getattr(spins, name) / scale).clone().requires_grad_()
    assert torch.autograd.gradcheck(signal, (leaf,), eps=1e-6, atol=1e-8, rtol=1e-6)


def _gradient_left(played: Timeline, values) -> Timeline:
    return replace(played, waveform=replace(played.waveform, left=values * 1e-3))


def _gradient_right(played: Timeline, values) -> Timeline:
    return replace(played, waveform=replace(played.waveform, right=values * 1e-3))


def _gradient_times(played: Timeline, values) -> Timeline:
    return replace(played, waveform=replace(played.waveform, edges=values * 1e-3))


def _field(played: Timeline, values) -> Timeline:
    first, *others = played.pulses
    return replace(played, pulses=(replace(first, field=torch.view_as_complex(values) * 1e-5), *others))


def _pulse_times(played: Timeline, values) -> Timeline:
    first, *others = played.pulses
    return replace(played, pulses=(replace(first, edges=values * 1e-3), *others))


def _frequency(played: Timeline, values) -> Timeline:
    first, *others = played.pulses
    return replace(played, pulses=(replace(first, frequency=values * 1e2), *others))


def _sample_times(played: Timeline, values) -> Timeline:
    return replace(played, times=values * 1e-3)


LEAVES = {
    "gradients' beginnings": (lambda p: p.waveform.left * 1e3, _gradient_left),
    "gradients' ends": (lambda p: p.waveform.right * 1e3, _gradient_right),
    "gradients' times": (lambda p: p.waveform.edges * 1e3, _gradient_times),
    "field": (lambda p: torch.view_as_real(p.pulses[0].field * 1e5), _field),
    "pulse's times": (lambda p: p.pulses[0].edges * 1e3, _pulse_times),
    "pulse's frequency": (lambda p: p.pulses[0].frequency * 1e-2, _frequency),
    "samples' times": (lambda p: p.times * 1e3, _sample_times),
}


@pytest.mark.parametrize("name", LEAVES)
def test_by_every_value_and_time_of_the_sequence(name):
    """No edge of one kind lies on an edge of another here: there a derivative has two sides."""
    spins, played = _spins(), timeline(_scan())
    take, put = LEAVES[name]
    start = take(played).detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda values: SIMULATE.signal(put(played, values), spins), (start,), eps=1e-6, atol=1e-7, rtol=1e-6
    )


def test_by_the_trajectory_equals_the_exact_sum():
    """∂s_j/∂G of a point sum: iγ·Σ m·r·(∂/∂G ∫G dt)·exp(iγ r·∫G dt), here by hand for one amplitude."""
    place = 0.2 * torch.rand(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.1
    amplitude = _exact(0.008).requires_grad_()
    values = torch.cat([amplitude * 0, amplitude, amplitude, amplitude * 0])
    lobe = Lobe(torch.tensor([0, 100, 900, 1000]) * US, values)
    scan = sequence([play(hard(RIGHT, duration=1)), listen(50, 20 * US, lobes=(lobe, None, None))])
    played = timeline(scan)
    signal = Isochromats().signal(played, spins_at(place))[0]
    unit = (played.waveform.moment(played.times)[:, 0] / amplitude).detach()
    waves = torch.exp(1j * PROTON_GAMMA_RAD_PER_S_T * (unit * amplitude.detach())[:, None] * place[:, 0])
    exact = (waves * PROTON_GAMMA_RAD_PER_S_T * unit[:, None] * place[:, 0]).sum(1)
    for j in (3, 25, 49):
        (real,) = torch.autograd.grad(signal[j].real, amplitude, retain_graph=True)
        (imaginary,) = torch.autograd.grad(signal[j].imag, amplitude, retain_graph=True)
        assert complex(real, imaginary) == pytest.approx(exact[j].item(), rel=1e-9)


def test_by_the_echo_time():
    """Everything after the excitation is moved: dS/dTE = (2πi·Δf − 1/T2)·S."""
    scan = sequence([play(hard(RIGHT, duration=10)), wait(MS), listen(1, US)])
    by = torch.zeros((), dtype=torch.float64, requires_grad=True)
    played = timeline(scan).delayed(5e-4, by)
    signal = Isochromats().signal(played, spins_at(torch.zeros(1, 3), t2=0.03, offset=25.0))[0, 0]
    (real,) = torch.autograd.grad(signal.real, by, retain_graph=True)
    (imaginary,) = torch.autograd.grad(signal.imag, by)
    expected = (2j * math.pi * 25.0 - 1 / 0.03) * complex(signal.detach())
    assert complex(real, imaginary) == pytest.approx(expected, rel=1e-12)
    assert played.times.requires_grad


def test_in_groups_as_in_one():
    """Groups of spins are simulated again for the derivative, so that their memory is that of one group."""
    spins, played = _spins(), timeline(_scan())
    found = []
    for memory in (512e6, 1.0):
        offset = spins.offset.clone().requires_grad_()
        signal = Isochromats(1e-4, memory).signal(played, replace(spins, offset=offset))
        found.append(torch.autograd.grad(signal.abs().sum(), offset)[0])
    assert torch.allclose(found[0], found[1], rtol=1e-12)


def test_by_the_position_in_k_space():
    """k of the samples follows the gradients as well, so that a reconstruction's derivative sees both."""
    played = timeline(_scan())

    def position(values):
        return _gradient_left(played, values).position * 1e-2

    start = (played.waveform.left * 1e3).clone().requires_grad_()
    assert torch.autograd.gradcheck(position, (start,), eps=1e-6, atol=1e-8)
