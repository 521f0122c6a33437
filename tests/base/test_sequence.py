"""One clock: blocks to waveforms, pulses, samples and coherences."""

import math

import pytest
import torch

from gradatim.base.coherence import Turn, echo_time, effective_waveform, trajectory
from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, Pulse, PulseUse, Readout, Sequence, ticks, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.base.waveform import Waveform

MS = 1_000_000


def exact(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def hard(use: PulseUse) -> Pulse:
    return Pulse(0, torch.tensor([0, 1000]), torch.ones(1, dtype=torch.complex128), centre=500, use=use)


def spin_echo() -> Sequence:
    """90° – half a lobe – 180° – a lobe with a readout over its flat top."""
    lobe, half = (trapezoid(0, MS // 10, MS, MS // 10, amplitude=a) for a in (0.01, 0.005))
    return Sequence(
        (
            Block(MS, hard(PulseUse.EXCITATION)),
            Block(2 * MS, lobes=(half, None, None)),
            Block(MS, hard(PulseUse.REFOCUSING)),
            Block(2 * MS, lobes=(lobe, None, None), readout=Readout(MS // 10, 10_000, 100)),
        )
    )


def test_the_waveform_is_that_of_its_blocks() -> None:
    waveform = spin_echo().waveform
    assert waveform.at(exact([1.05e-3, 1.5e-3, 2.15e-3, 3.0e-3]))[:, 0] == pytest.approx([0.0025, 0.005, 0.0025, 0.0])
    whole = waveform.moment(exact([6e-3]))[0]
    assert whole.tolist() == pytest.approx([0.015 * 1.1e-3, 0.0, 0.0])


def test_jumps_between_lobes_are_kept() -> None:
    step = Lobe(torch.tensor([0, 1000]), exact([0.01, 0.01]))
    waveform = Sequence((Block(1000, lobes=(step, None, None)), Block(1000))).waveform
    assert waveform.at(exact([0.0, 0.5e-6, 1e-6, 1.5e-6]))[:, 0].tolist() == [0.01, 0.01, 0.0, 0.0]
    assert waveform.moment(exact([2e-6]))[0, 0].item() == pytest.approx(1e-8)


def test_an_echo_forms_where_the_areas_agree() -> None:
    sequence = spin_echo()
    middle = (4 * MS + 6 * MS // 10) / TICKS
    found = trajectory(sequence, sequence.sample_times)[:, 0]
    step = PROTON_GAMMA_BAR_HZ_PER_T * 0.01 * 10e-6
    assert found.tolist() == pytest.approx([(i + 0.5 - 50) * step for i in range(100)])
    at_echo = effective_waveform(sequence, middle)
    assert at_echo.moment(exact([middle]))[0, 0].item() == pytest.approx(0.0, abs=1e-18)
    assert echo_time(sequence, middle) == pytest.approx(4.6e-3 - 0.5e-6)


def test_a_stimulated_echo_sleeps_while_it_is_stored() -> None:
    lobe = trapezoid(0, MS // 10, MS, MS // 10, amplitude=0.01)
    sequence = Sequence(
        tuple(
            block
            for _ in range(3)
            for block in (Block(MS, hard(PulseUse.EXCITATION)), Block(2 * MS, lobes=(lobe, None, None)))
        )
    )
    turns = (Turn.EXCITE, Turn.STORE, Turn.RESTORE)
    ends = exact([3e-3, 6e-3, 9e-3])
    area = PROTON_GAMMA_BAR_HZ_PER_T * 0.01 * 1.1e-3
    assert trajectory(sequence, ends, turns)[:, 0].tolist() == pytest.approx([area, area, 0.0], abs=1e-9)
    effective = effective_waveform(sequence, 9e-3, turns)
    probe = exact([1.5e-3, 4.5e-3, 7.5e-3])
    assert effective.at(probe)[:, 0].tolist() == pytest.approx([-0.01, 0.0, 0.01])


def test_the_effective_waveform_ends_where_the_trajectory_is() -> None:
    sequence = spin_echo()
    for until in (2.2e-3, 4.3e-3, 5.5e-3):
        effective = effective_waveform(sequence, until)
        ends = exact([until])
        k = trajectory(sequence, ends)
        torch.testing.assert_close(PROTON_GAMMA_BAR_HZ_PER_T * effective.moment(ends), k)


def test_moments_carry_gradients() -> None:
    edges = exact([0.0, 1.0, 3.0]).requires_grad_()
    left, right = (torch.rand(2, 3).double().requires_grad_() for _ in range(2))
    times = exact([0.5, 2.0, 2.5]).requires_grad_()
    assert torch.autograd.gradcheck(lambda e, a, b, t: Waveform(e, a, b).moment(t), (edges, left, right, times))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="GD-801"):
        effective_waveform(Sequence((Block(1000),)), 1e-6)
    with pytest.raises(UsageError, match="GD-103"):
        trajectory(spin_echo(), torch.zeros(1).double(), (Turn.EXCITE,))
    with pytest.raises(UsageError, match="GD-101"):
        Block(10, hard(PulseUse.EXCITATION))
    with pytest.raises(UsageError, match="GD-101"):
        Lobe(torch.tensor([0, 0]), torch.zeros(2).double())


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 0), (1e-9, 10_000), (426.8e-6, 430_000), (43 * 1e-5, 430_000)])
def test_times_are_rounded_up_to_the_raster(seconds: float, expected: int) -> None:
    assert ticks(seconds, 10_000) == expected
    assert math.isclose(hard(PulseUse.OTHER).flip, 2 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * 1e-6)
