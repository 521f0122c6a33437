"""PFG stimulated echoes: b in closed form, what pulses do survives in the file, half of the signal comes back."""

import math
from pathlib import Path

import pytest
import torch

from gradatim.base.coherence import Turn, echo_time, effective_waveform, trajectory, turns_by_use
from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, Sequence
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.diffusion.b_matrix import b_matrix
from gradatim.diffusion.gradient_pairs import RectangularPair, TrapezoidalPair
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.sequences.encoding_lobes import BipolarLobes, SingleLobe
from gradatim.scanner.sequences.stimulated_echo import StimulatedEcho
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

PROBE = System(max_gradient=0.5, max_slew=5000.0, max_b1=2e-3)
STRENGTHS = (0.0, -0.1, 0.35, 0.5)
PROTOCOLS = {
    "single": StimulatedEcho(STRENGTHS, SingleLobe(2e-3), samples=16, dwell=20e-6),
    "bipolar": StimulatedEcho(STRENGTHS, BipolarLobes(2e-3), samples=16, dwell=20e-6),
    "oblique": StimulatedEcho(
        STRENGTHS, SingleLobe(1e-3), diffusion_time=0.02, direction=(1.0, 2.0, -2.0), samples=16, dwell=400e-6
    ),
    "repeated": StimulatedEcho(STRENGTHS, SingleLobe(3e-3), repetition_time=1.5, samples=8, dummies=2),
}


def echoes(sequence: Sequence) -> list[float]:
    """The first sample of each readout, s."""
    return [start / TICKS + float(readout.times[0]) for start, readout in sequence.readouts]


def test_b_of_the_published_measurement() -> None:
    """0.5 T/m, δ 2 ms, Δ 50 ms: 3.5307e9 s/m² and water at 2.98e-4 of its signal, for lobes that switch at once."""
    (b,) = StimulatedEcho((0.5,), SingleLobe(2e-3), diffusion_time=0.05).b(PROBE)
    rectangles = RectangularPair().b(0.5, duration=2e-3, separation=0.05)
    assert rectangles.item() == pytest.approx(3.5307e9, rel=1e-5)
    assert b.item() == pytest.approx(rectangles.item(), rel=3e-5)
    assert math.exp(-b.item() * 2.2995e-9) == pytest.approx(2.98e-4, rel=2e-3)


@pytest.mark.parametrize("name", ["single", "oblique", "repeated"])
def test_b_is_the_closed_form_of_trapezoids(name) -> None:
    protocol = PROTOCOLS[name]
    said = protocol(PROBE).definitions
    (delta,), (apart,) = said["SmallDelta"], said["BigDelta"]
    assert apart == pytest.approx(protocol.diffusion_time, abs=1e-12)
    ramp = 0.5 / 5000.0
    for strength, b in zip(STRENGTHS, protocol.b(PROBE).tolist(), strict=True):
        closed = TrapezoidalPair(ramp=ramp).b(strength, duration=delta + ramp, separation=apart).item()
        assert b == pytest.approx(closed, rel=1e-9)


def test_b_of_bipolar_pairs_is_that_of_their_waveform() -> None:
    """∫q² dt summed over a fine grid of the single waveform, halves and the pulse between them included."""
    protocol = PROTOCOLS["bipolar"]
    sequence = protocol(PROBE)
    for time, b in zip(echoes(sequence), protocol.b(PROBE).tolist(), strict=True):
        felt = effective_waveform(sequence, time)
        times = torch.linspace(float(felt.edges[0]), float(felt.edges[-1]), 200_001, dtype=torch.float64)
        q = PROTON_GAMMA_RAD_PER_S_T * felt.moment(times)[:, 2]
        assert b == pytest.approx(float(torch.trapezoid(q**2, times)), rel=1e-6)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_q_is_zero_at_every_echo_and_stays_so_while_samples_are_taken(name) -> None:
    sequence = PROTOCOLS[name](PROBE)
    assert float(trajectory(sequence, sequence.sample_times).abs().max()) < 1e-6
    (twice,) = sequence.definitions["TE"]
    shots = len(STRENGTHS) + PROTOCOLS[name].dummies
    centres = torch.tensor([start + pulse.centre for start, pulse in sequence.pulses]).unflatten(0, (shots, -1))
    turns = [turn.name for turn in turns_by_use(sequence)[: centres.shape[1]]]
    store, restore = turns.index("STORE"), turns.index("RESTORE")
    for time, shot in zip(echoes(sequence), centres.double()[PROTOCOLS[name].dummies :] / TICKS, strict=True):
        marked, read = float(shot[store] - shot[0]), time - float(shot[restore])
        assert marked == pytest.approx(read, abs=1e-12), "chemical shift is not refocused"
        assert marked + read == pytest.approx(twice, abs=1e-12)
        stored = float(shot[restore] - shot[store])
        assert echo_time(sequence, time) == pytest.approx(twice + stored, abs=1e-12)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_pulses_do_survives_in_the_file(name, tmp_path: Path) -> None:
    protocol = PROTOCOLS[name]
    sequence = protocol(PROBE)
    PulseqWriter(0.5, 5000.0)(sequence, tmp_path / "pfg.seq")
    found = read_pulseq(tmp_path / "pfg.seq")
    assert turns_by_use(found) == protocol.turns == turns_by_use(sequence)
    for time, b in zip(echoes(found), protocol.b(PROBE).tolist(), strict=True):
        assert b_matrix(effective_waveform(found, time)).trace().item() == pytest.approx(b, rel=2e-5, abs=1.0)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_limit_holds(name) -> None:
    waveform = PROTOCOLS[name](PROBE).waveform
    assert float(torch.stack([waveform.left, waveform.right]).abs().max()) <= 0.5 * (1 + 1e-9)
    assert float(waveform.slew.abs().max()) <= 5000.0 * (1 + 1e-6)


@pytest.mark.parametrize("lobes", [SingleLobe(1e-3), BipolarLobes(1e-3, HardPulse(math.pi, 4e-6))])
def test_half_of_the_signal_comes_back_and_relaxes_as_it_should(lobes) -> None:
    """½·exp(−TM/T1)·exp(−2τ/T2) at the echo, for spins all over the sample whose other pathways are dephased."""
    protocol = StimulatedEcho(
        (0.3,), lobes, diffusion_time=0.02, samples=4, dwell=2e-6, pulse=HardPulse(math.pi / 2, 2e-6)
    )
    sequence = protocol(System(max_gradient=0.5, max_slew=5000.0, max_b1=6e-3))
    generator = torch.Generator().manual_seed(1)
    place = (torch.rand(6000, 3, dtype=torch.float64, generator=generator) - 0.5) * 0.02
    raw = Isochromats()(sequence, spins_at(place, t1=0.3, t2=0.05))
    times = torch.tensor([start + pulse.centre for start, pulse in sequence.pulses]).double() / TICKS
    turns = list(protocol.turns)
    stored = float(times[turns.index(Turn.RESTORE)] - times[turns.index(Turn.STORE)])
    expected = 0.5 * math.exp(-stored / 0.3 - sequence.definitions["TE"][0] / 0.05)
    assert float(raw.samples[0, 0].abs()) / 6000 == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("words", ["", "excite dance", "excite store", 3.0])
def test_turns_that_do_not_fit_are_refused(words) -> None:
    sequence = PROTOCOLS["single"](PROBE)
    value = words if isinstance(words, str) else (words,)
    blocks = sequence.blocks[: 3 * len(sequence.blocks) // 4]
    wrong = Sequence(blocks, sequence.rasters, {"Turns": value if words != "excite store" else "excite store " * 2})
    with pytest.raises(InputError) as refused:
        turns_by_use(wrong)
    assert refused.value.code == "GD-826"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: StimulatedEcho(()), "GD-174"),
        (lambda: StimulatedEcho((math.nan,)), "GD-174"),
        (lambda: StimulatedEcho((0.1,), direction=(0.0, 0.0, 0.0)), "GD-174"),
        (lambda: StimulatedEcho((0.1,), samples=0), "GD-174"),
        (lambda: SingleLobe(0.0), "GD-174"),
        (lambda: BipolarLobes(math.inf), "GD-174"),
        (lambda: StimulatedEcho((0.6,))(PROBE), "GD-174"),
        (lambda: StimulatedEcho((0.5,), SingleLobe(5e-5))(PROBE), "GD-174"),
        (lambda: StimulatedEcho((0.1,), diffusion_time=3e-3)(PROBE), "GD-174"),
        (lambda: StimulatedEcho((0.1,), dwell=10.1e-6)(PROBE), "GD-174"),
        (lambda: StimulatedEcho((0.1,), repetition_time=0.01)(PROBE), "GD-171"),
        (lambda: StimulatedEcho((0.1,))(System(0.5, 5000.0)), "GD-167"),
    ],
)
def test_what_cannot_be_is_refused(make, code) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert refused.value.code == code


def test_the_refusal_of_a_diffusion_time_names_the_shortest() -> None:
    with pytest.raises(UsageError) as refused:
        StimulatedEcho((0.1,), diffusion_time=3e-3)(PROBE)
    shortest = 1e-3 * float(refused.value.allowed.split()[0])
    assert StimulatedEcho((0.1,), diffusion_time=shortest)(PROBE).definitions["BigDelta"][0] == pytest.approx(shortest)
