import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import Block, Pulse, PulseUse, Readout, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.simulate.record import raw_data

HARD = Pulse(0, torch.tensor([0, 2000]), torch.tensor([5.87e-6 + 0j], dtype=torch.complex128), centre=1000)
FLIP = Pulse(
    0, torch.tensor([0, 2000]), torch.tensor([1e-5 + 0j], dtype=torch.complex128), 1000, 0, 0, PulseUse.REFOCUSING
)
LOBE = trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.01)
READ = Readout(100_000, 10_000, 80, labels={"LIN": 3})


def test_position_time_and_counters_of_a_spin_echo():
    blocks = (
        Block(2000, HARD),
        Block(1_000_000, lobes=(LOBE, None, None)),
        Block(2000, FLIP),
        Block(1_000_000, lobes=(LOBE, None, None), readout=READ),
        Block(1_000_000, readout=Readout(0, 100_000, 2, labels={"REV": 1})),
    )
    sequence = Sequence(blocks, definitions={"FOV": (0.2, 0.1, 0.005)})
    raw = raw_data(sequence, torch.ones(3, 82, dtype=torch.complex64))
    assert raw.extent == (0.2, 0.1, 0.005)
    assert raw.counters["LIN"].tolist() == [3, 0]
    assert raw.counters["REV"].tolist() == [0, 1]
    assert raw.readout.bincount().tolist() == [80, 2]
    assert raw.times[0].item() == pytest.approx(1.0e-3 + 2e-6 + 0.1e-3 + 5e-6 + 1e-6, abs=1e-12)
    area = 0.01 * (0.5 * 100e-6 + 5e-6) - 9e-6
    assert raw.position[0, 0].item() == pytest.approx(-PROTON_GAMMA_BAR_HZ_PER_T * area, rel=1e-12)
    assert raw.position[-1].abs().max().item() < 1e-9


def test_a_receiver_off_frequency_turns_the_samples_back():
    sequence = Sequence((Block(1_000_000, readout=Readout(100_000, 10_000, 80, frequency=250.0, phase=0.3)),))
    since = (torch.arange(80).double() + 0.5) * 1e-5
    raw = raw_data(sequence, torch.exp(1j * (2 * math.pi * 250.0 * since + 0.3)))
    assert (raw.samples - 1).abs().max().item() < 1e-12


def test_no_readout_or_other_samples_are_refused():
    with pytest.raises(InputError, match="GD-804"):
        raw_data(Sequence((Block(10),)), torch.zeros(0, dtype=torch.complex64))
    with pytest.raises(UsageError, match="GD-103"):
        raw_data(Sequence((Block(1_000_000, readout=READ),)), torch.zeros(79, dtype=torch.complex64))


def test_a_sequence_that_says_its_matrix_gives_it_to_its_data() -> None:
    block = Block(4000, readout=Readout(0, 1000, 4))
    for said, expected in (
        ((8.0, 4.0, 1.0), (8, 4, 1)),
        ((8.0, 4.5, 1.0), None),
        ((8.0,), None),
        ("8 4 1", None),
        ((math.nan, 4.0, 1.0), None),
    ):
        sequence = Sequence((block,), definitions={"Matrix": said})
        assert raw_data(sequence, torch.ones(4, dtype=torch.complex128)).matrix == expected
