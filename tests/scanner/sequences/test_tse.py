"""Turbo spin echo: the conditions of CPMG, lines and effective echo time, the ghost without a dummy shot."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.coherence import trajectory
from gradatim.base.errors import UsageError
from gradatim.base.raw import RawData
from gradatim.base.sequence import TICKS, PulseUse, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.sequences.echo_order import (
    CentreOutOrder,
    EchoOrder,
    EffectiveEchoTimeOrder,
    LinearOrder,
    lines_of_shots,
)
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.tse import EchoTrain, TurboSpinEcho
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

SYSTEM = System(0.040, 150.0)
SMALL = CartesianEncoding((0.22, 0.22, 0.005), (32, 32, 1), 20e-6)
PROTOCOLS = {
    "shortest": TurboSpinEcho(SMALL, EchoTrain(8)),
    "centre out": TurboSpinEcho(SMALL, EchoTrain(8, CentreOutOrder()), repetition_time=0.2, dummies=0),
    "wide spacing": TurboSpinEcho(SMALL, EchoTrain(4, EffectiveEchoTimeOrder(0.03), spacing=0.01)),
    "low angles, slices": TurboSpinEcho(
        replace(SMALL, matrix=(48, 30, 1), dwell=6e-6),
        EchoTrain(5, flips=(2.5, 2.0, 1.6, 1.4, 1.3)),
        slice_positions=(-0.02, 0.02),
        dummies=2,
    ),
    "long excitation": TurboSpinEcho(SMALL, EchoTrain(4), excitation=SincPulse(math.pi / 2, 4e-3, 6.0)),
}


def centres(sequence: Sequence) -> Tensor:
    """Of the pulses, ns."""
    return torch.tensor([start + pulse.centre for start, pulse in sequence.pulses])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_conditions_of_cpmg_hold_exactly(name) -> None:
    protocol = PROTOCOLS[name]
    sequence, length = protocol(SYSTEM), protocol.train.length
    times = centres(sequence).unflatten(0, (-1, length + 1))
    gaps = times.diff(dim=1)
    spacing = round(sequence.definitions["EchoSpacing"][0] * TICKS)
    assert bool((2 * gaps[:, 0] == spacing).all())
    assert bool((gaps[:, 1:] == spacing).all())
    areas = sequence.waveform.moment(times.double() / TICKS).diff(dim=1)
    x_and_z = areas[:, :, [0, 2]]
    torch.testing.assert_close(x_and_z[:, 1:], 2 * x_and_z[:, :1].expand_as(x_and_z[:, 1:]), atol=1e-15, rtol=0)
    assert float(areas[:, :, 1].abs().max()) < 1e-15, "a phase encoding is not unwound"
    for index, (_, pulse) in enumerate(sequence.pulses):
        excites = index % (length + 1) == 0
        assert pulse.use is (PulseUse.EXCITATION if excites else PulseUse.REFOCUSING)
        middle = pulse.phase + 2 * math.pi * pulse.frequency * pulse.centre / TICKS
        assert math.remainder(middle - (0 if excites else math.pi / 2), 2 * math.pi) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_lines_lie_where_their_labels_say_with_k_0_at_each_echo(name) -> None:
    protocol = PROTOCOLS[name]
    sequence, (nx, ny, _) = protocol(SYSTEM), protocol.encoding.matrix
    k = trajectory(sequence, sequence.sample_times).unflatten(0, (-1, nx))
    labels = [readout.labels for _, readout in sequence.readouts]
    lines = torch.tensor([label["LIN"] for label in labels], dtype=torch.float64)
    columns = (torch.arange(nx, dtype=torch.float64) - nx // 2) / protocol.encoding.fov[0]
    torch.testing.assert_close(k[:, :, 0], columns.expand_as(k[:, :, 0]), atol=1e-7, rtol=0)
    rows = (lines - ny // 2) / protocol.encoding.fov[1]
    torch.testing.assert_close(k[:, :, 1], rows[:, None].expand_as(k[:, :, 1]), atol=1e-7, rtol=0)
    assert float(k[:, :, 2].abs().max()) < 1e-7
    slices = len(protocol.slice_positions)
    assert sorted((label["SLC"], label["LIN"]) for label in labels) == [
        (s, n) for s in range(slices) for n in range(ny)
    ]
    middle = sequence.sample_times.unflatten(0, (-1, nx))[:, nx // 2]
    echoes = torch.arange(len(labels)) % protocol.train.length
    shots = centres(sequence).double().unflatten(0, (-1, protocol.train.length + 1))[protocol.dummies * slices :, 0]
    spacing = sequence.definitions["EchoSpacing"][0]
    expected = shots.repeat_interleave(protocol.train.length) / TICKS + (echoes + 1).double() * spacing
    torch.testing.assert_close(middle, expected, atol=1e-12, rtol=0)
    (effective,) = sequence.definitions["TE"]
    assert effective == pytest.approx(spacing * (1 + int(echoes[int((lines == ny // 2).nonzero()[0])])), abs=1e-12)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_limit_holds_and_a_file_reads_back(name, tmp_path: Path) -> None:
    sequence = PROTOCOLS[name](SYSTEM)
    waveform = sequence.waveform
    assert float(torch.stack([waveform.left, waveform.right]).abs().max()) <= 0.040 * (1 + 1e-9)
    assert float(waveform.slew.abs().max()) <= 150.0 * (1 + 1e-6)
    assert float((waveform.right[:-1] - waveform.left[1:]).abs().max()) < 1e-12, "a gradient jumps"
    PulseqWriter(0.040, 150.0)(sequence, tmp_path / "tse.seq")
    found = read_pulseq(tmp_path / "tse.seq")
    times = sequence.sample_times
    torch.testing.assert_close(trajectory(found, times), trajectory(sequence, times), atol=5e-3, rtol=0)


@pytest.mark.parametrize(
    ("gradient", "slew", "matrix", "thickness", "cycles", "pulse", "dwell"),
    [(0.040, 150, 64, 5e-3, 3, 2.4e-3, 2e-5), (0.040, 150, 256, 3e-3, 4, 2.4e-3, 4e-6),
     (0.080, 200, 256, 3e-3, 4, 2.4e-3, 4e-6)],
)  # fmt: skip
def test_the_spacing_stays_close_to_the_bound_without_dead_times(
    gradient, slew, matrix, thickness, cycles, pulse, dwell
) -> None:
    """Within the rasters, the receiver's dead times, half a sample and the excitation's own length of the bound; the
    crushers are bridged into the slice's gradient, so that windows may be shorter than the bound's lobes."""
    encoding = CartesianEncoding((0.22, 0.22, thickness), (matrix, matrix, 1), dwell)
    protocol = TurboSpinEcho(encoding, EchoTrain(8, cycles=cycles))
    system = System(gradient, slew)
    spacing = protocol.spacing(system)
    bound = RefocusingTrainSpacing(
        fov=0.22, matrix=matrix, thickness=thickness, cycles=cycles, pulse=pulse, dwell=dwell
    )
    limits = bound(system)
    window = bound.windows(gradient, slew).amax().item()
    excitation = 1.2e-3 + 2 * max(150e-6, 20e-6)
    readout = max(matrix * dwell + 2 * 10e-6 + dwell, excitation)
    assert spacing.echoes / TICKS <= pulse + readout + 20e-6 + 2 * (window + 60e-6)
    assert spacing.echoes / TICKS >= limits.value.item() - 2 * window * 0.3


def test_angles_scale_the_pulses() -> None:
    sequence = PROTOCOLS["low angles, slices"](SYSTEM)
    flips = [pulse.flip for _, pulse in sequence.pulses[1:6]]
    assert flips == pytest.approx([2.5, 2.0, 1.6, 1.4, 1.3], rel=1e-9)


def test_crushers_dephase_by_their_cycles_beside_the_selection() -> None:
    protocol = PROTOCOLS["shortest"]
    spacing = protocol.spacing(SYSTEM)
    assert spacing.crushers[1] * PROTON_GAMMA_BAR_HZ_PER_T * 5e-3 == pytest.approx(3.0)


@pytest.mark.parametrize("order", [LinearOrder(), CentreOutOrder(), EffectiveEchoTimeOrder(0.031)])
@pytest.mark.parametrize(("lines", "length"), [(64, 16), (30, 5), (33, 11), (12, 12), (8, 4)])
def test_each_order_reads_every_line_once(order: EchoOrder, lines: int, length: int) -> None:
    table = lines_of_shots(order, lines, length, spacing=0.01)
    assert sorted(table.flatten().tolist()) == list(range(lines))
    echo = int((table == lines // 2).nonzero()[0, 1])
    if isinstance(order, CentreOutOrder):
        assert echo == 0
    if isinstance(order, EffectiveEchoTimeOrder):
        assert echo == 2


def train_signals(dummies: int) -> RawData:
    """A point with its slice at T1 1 s and short TR, so that the first shot is far brighter."""
    protocol = TurboSpinEcho(SMALL, EchoTrain(8), dummies=dummies, repetition_time=0.25)
    depth = torch.linspace(-4.5e-3, 4.5e-3, 73, dtype=torch.float64)
    place = torch.stack([torch.full_like(depth, 0.02), torch.full_like(depth, -0.03), depth], 1)
    return Isochromats()(protocol(SYSTEM), spins_at(place, t1=1.0, t2=0.1))


def ghost(raw: RawData, count: int = 1) -> float:
    """The brightness a quarter of the field of view aside, over that of the point."""
    along = torch.tensor([-0.03, -0.03 + 0.25 * 0.22, -0.03 + 0.5 * 0.22], dtype=torch.float64)
    place = torch.stack([torch.full_like(along, 0.02), along, torch.zeros_like(along)], 1)
    image = (torch.exp(2j * math.pi * (place @ raw.position.T)) @ raw.samples[0]).abs()
    return float(image[count] / image[0])


def test_without_a_dummy_shot_the_image_ghosts_and_with_one_it_does_not() -> None:
    without, withal = (ghost(train_signals(dummies)) for dummies in (0, 1))
    assert without > 0.1
    assert withal < 0.2 * without


def test_a_point_lies_at_its_place() -> None:
    raw = train_signals(2)
    near = torch.linspace(-0.01, 0.01, 41, dtype=torch.float64)
    for axis, (x, y) in enumerate(((1.0, 0.0), (0.0, 1.0))):
        place = torch.stack([0.02 + x * near, -0.03 + y * near, 0 * near], 1)
        image = (torch.exp(2j * math.pi * (place @ raw.position.T)) @ raw.samples[0]).abs()
        assert float(near[image.argmax()]) == pytest.approx(0.0, abs=1e-3), "xy"[axis]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: EchoTrain(0), "GD-173"),
        (lambda: EchoTrain(4, flips=(1.0, 2.0)), "GD-173"),
        (lambda: EchoTrain(4, flips=(math.nan,)), "GD-173"),
        (lambda: EchoTrain(4, cycles=0.0), "GD-173"),
        (lambda: TurboSpinEcho(SMALL, dummies=-1), "GD-173"),
        (lambda: TurboSpinEcho(replace(SMALL, matrix=(32, 32, 2))), "GD-173"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(5))(SYSTEM), "GD-173"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(8, EffectiveEchoTimeOrder(1.0)))(SYSTEM), "GD-173"),
        (lambda: TurboSpinEcho(replace(SMALL, dwell=5e-6), EchoTrain(8))(SYSTEM), "GD-173"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(8, spacing=1e-3))(SYSTEM), "GD-171"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(8), repetition_time=1e-3)(SYSTEM), "GD-171"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(8), refocusing=SincPulse(math.pi, 1e-3))(SYSTEM), "GD-167"),
        (lambda: TurboSpinEcho(SMALL, EchoTrain(8, flips=(6.28,)))(SYSTEM), "GD-167"),
    ],
)
def test_what_cannot_be_is_refused(make, code) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert refused.value.code == code


def test_the_dwell_times_that_are_offered_are_taken() -> None:
    with pytest.raises(UsageError) as refused:
        TurboSpinEcho(replace(SMALL, dwell=5e-6), EchoTrain(8))(SYSTEM)
    for word in refused.value.allowed.split():
        if word.isdigit():
            TurboSpinEcho(replace(SMALL, dwell=int(word) / TICKS), EchoTrain(8))(SYSTEM)
