"""Diffusion-weighted EPI: the b that was asked, imaging gradients in it, and one echo time for all weightings."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gradatim.base.coherence import effective_waveform, trajectory
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, PulseUse, Sequence
from gradatim.base.waveform import Waveform
from gradatim.diffusion.b_matrix import b_matrix, weightings
from gradatim.diffusion.gradient_pairs import TrapezoidalPair
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.sequences.delivered_weighting import (
    DeliveredWeighting,
    DiffusionWeighting,
    delivered_weighting,
    weightings_of,
)
from gradatim.scanner.sequences.diffusion_epi import DiffusionEchoPlanar
from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
from gradatim.scanner.system import System

SYSTEM = System(0.040, 150.0)
TRAIN = EchoPlanarTrain((0.22, 0.22), (32, 32), partial_fourier=0.75, navigators=2)
OBLIQUE = (1.0, -2.0, 0.5)
ASKED = weightings_of((0.0, 3e8, 1e9), ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), OBLIQUE))
PROTOCOLS = {
    "shortest": DiffusionEchoPlanar(TRAIN, ASKED),
    "given echo time": DiffusionEchoPlanar(replace(TRAIN, navigators=0), ASKED, echo_time=0.0905, dummies=0),
    "odd half": DiffusionEchoPlanar(TRAIN, ASKED[:2], echo_time=0.08001, slice_positions=(-0.01, 0.01)),
    "unweighted": DiffusionEchoPlanar(TRAIN, ASKED[:1], repetition_time=0.2),
}


def echoes(sequence: Sequence, train: EchoPlanarTrain) -> list[tuple[float, float]]:
    """When the line of k = 0 is at k = 0, and when its excitation was, for each shot, s."""
    excited = [start + p.centre for start, p in sequence.pulses if p.use is PulseUse.EXCITATION]
    found = []
    for start, readout in sequence.readouts:
        if readout.labels["NAV"] == 0 and readout.labels["LIN"] == train.matrix[1] // 2:
            time = start / TICKS + float(readout.times[readout.samples // 2])
            found.append((time, max(e for e in excited if e / TICKS < time) / TICKS))
    return found


@pytest.mark.parametrize("name", PROTOCOLS)
def test_one_echo_time_for_all_with_k_0_and_the_refocusing_in_its_middle(name) -> None:
    protocol = PROTOCOLS[name]
    sequence = protocol(SYSTEM)
    found = echoes(sequence, protocol.train)
    assert len(found) == len(protocol.weightings) * len(protocol.slice_positions)
    (said,) = sequence.definitions["TE"]
    refocused = [(start + p.centre) / TICKS for start, p in sequence.pulses if p.use is PulseUse.REFOCUSING]
    dummies = protocol.dummies * len(protocol.slice_positions)
    for (time, excited), middle in zip(found, refocused[dummies:], strict=True):
        assert time - excited == pytest.approx(said, abs=1e-12)
        assert middle - excited == pytest.approx(said / 2, abs=1e-12)
        assert float(trajectory(sequence, torch.tensor([time], dtype=torch.float64)).abs().max()) < 1e-6
    if protocol.echo_time is not None:
        assert said == pytest.approx(protocol.echo_time, abs=1e-12)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_b_along_the_direction_is_what_was_asked_by_the_exact_waveform(name) -> None:
    protocol = PROTOCOLS[name]
    sequence, plan = protocol(SYSTEM), protocol.plan(SYSTEM)
    shots = echoes(sequence, protocol.train)[:: len(protocol.slice_positions)]
    for weighting, (time, _), planned in zip(protocol.weightings, shots, plan.b, strict=True):
        b = b_matrix(effective_waveform(sequence, time))
        torch.testing.assert_close(b, planned, rtol=1e-9, atol=1.0)
        if weighting.b:
            assert float(weighting.unit @ b @ weighting.unit) == pytest.approx(weighting.b, rel=1e-9)
        else:
            assert 0 < float(b.trace()) < 1e6, "imaging gradients alone weight by less than 1 s/mm²"


def test_a_reader_of_the_file_finds_every_weighting_at_the_echo_behind_the_navigators() -> None:
    protocol = PROTOCOLS["shortest"]
    sequence, plan = protocol(SYSTEM), protocol.plan(SYSTEM)
    found = weightings(sequence)
    (said,) = sequence.definitions["TE"]
    assert [weighting.echo_time for weighting in found] == pytest.approx([said] * len(ASKED), abs=1e-12)
    for weighting, b in zip(found, plan.b, strict=True):
        torch.testing.assert_close(weighting.b, b, rtol=1e-9, atol=1.0)


def test_imaging_gradients_mix_with_the_lobes() -> None:
    """Slice gradients and crushers leave cross terms that a scalar b misses: some s/mm² here."""
    plan = PROTOCOLS["shortest"].plan(SYSTEM)
    weighted = plan.b[[w.b == 1e9 and w.direction[0] == 1.0 and w.direction[1] == 0 for w in ASKED]][0]
    assert 1e5 < abs(float(weighted[0, 2])) < 1e7


def test_lobes_alone_are_the_closed_form() -> None:
    plan = PROTOCOLS["shortest"].plan(SYSTEM)
    timing = plan.timing
    lobe, rise, apart = timing.lobe(10_000) / TICKS, timing.rise(SYSTEM) / TICKS, timing.separation(10_000) / TICKS
    closed = TrapezoidalPair(ramp=rise).b(0.04, duration=lobe, separation=apart)
    assert timing.lobes_alone(SYSTEM) == pytest.approx(closed.item(), rel=1e-12)


@pytest.mark.parametrize("name", ["shortest", "odd half"])
def test_every_limit_holds_and_a_file_delivers_the_same_b(name, tmp_path: Path) -> None:
    protocol = PROTOCOLS[name]
    sequence = protocol(SYSTEM)
    waveform = sequence.waveform
    assert float(torch.stack([waveform.left, waveform.right]).abs().max()) <= 0.040 * (1 + 1e-9)
    assert float(waveform.slew.abs().max()) <= 150.0 * (1 + 1e-6)
    assert float((waveform.right[:-1] - waveform.left[1:]).abs().max()) < 1e-12, "a gradient jumps"
    PulseqWriter(0.040, 150.0)(sequence, tmp_path / "dwi.seq")
    found = read_pulseq(tmp_path / "dwi.seq")
    for time, _ in echoes(sequence, protocol.train):
        mine, theirs = (b_matrix(effective_waveform(each, time)) for each in (sequence, found))
        torch.testing.assert_close(theirs, mine, rtol=1e-5, atol=1e3)


def test_a_shorter_echo_time_is_refused_and_the_shortest_is_taken() -> None:
    (shortest,) = PROTOCOLS["shortest"](SYSTEM).definitions["TE"]
    taken = replace(PROTOCOLS["shortest"], echo_time=shortest)
    assert taken(SYSTEM).definitions["TE"][0] == pytest.approx(shortest, abs=1e-12)
    with pytest.raises(UsageError) as refused:
        replace(PROTOCOLS["shortest"], echo_time=shortest - 1e-4).plan(SYSTEM)
    assert refused.value.code == "GD-171"
    assert float(refused.value.allowed.split()[0]) == pytest.approx(1e3 * shortest)


def test_the_strongest_lobe_uses_what_there_is_and_no_more() -> None:
    plan = PROTOCOLS["shortest"].plan(SYSTEM)
    assert 0.98 * 0.04 < float(plan.amplitudes.abs().max()) <= 0.04 * (1 + 1e-9)


@pytest.mark.parametrize(("weak", "strong"), [((0.03, 150), (0.04, 150)), ((0.04, 100), (0.04, 200))])
def test_better_hardware_never_lengthens_the_echo_time(weak, strong) -> None:
    half = [DiffusionEchoPlanar(TRAIN, ASKED).plan(System(*limits)).timing.half for limits in (weak, strong)]
    assert half[1] <= half[0]


def test_the_coefficients_of_a_weighting_hold_for_any_amplitude() -> None:
    """Three waveforms say what every other one weights."""
    generator = torch.Generator().manual_seed(3)
    edges = torch.cat([torch.zeros(1), torch.rand(12, generator=generator).sort().values]).double() * 0.05
    still, lobes = (torch.randn(12, 3, dtype=torch.float64, generator=generator) * 0.01 for _ in range(2))

    def waveform(amplitude: torch.Tensor) -> Waveform:
        values = still + lobes[:, :1] * amplitude
        return Waveform(edges, values, values)

    delivered = delivered_weighting(waveform)
    for seed in range(3):
        amplitude = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(delivered.matrix(amplitude), b_matrix(waveform(amplitude)), rtol=1e-9, atol=1.0)


def test_the_amplitude_solves_the_quadratic_with_its_cross_term() -> None:
    direction = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    imaging = torch.diag(torch.tensor([1e5, 2e5, 3e5], dtype=torch.float64))
    cross = torch.tensor([2e7, -1e7, 5e7], dtype=torch.float64)
    delivered = DeliveredWeighting(imaging, cross, 6e11)
    b = delivered.matrix(delivered.amplitude(5e8, direction))
    assert float(direction @ b @ direction) == pytest.approx(5e8, rel=1e-12)
    assert delivered.amplitude(1e3, direction).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: DiffusionWeighting(-1.0), "GD-172"),
        (lambda: DiffusionWeighting(math.nan), "GD-172"),
        (lambda: DiffusionWeighting(1e9, (0.0, 0.0, 0.0)), "GD-172"),
        (lambda: DiffusionEchoPlanar(TRAIN, (DiffusionWeighting(1e16),)).plan(SYSTEM), "GD-172"),
        (lambda: DiffusionEchoPlanar(TRAIN, ASKED, crusher_cycles=0.0).plan(SYSTEM), "GD-172"),
        (lambda: DiffusionEchoPlanar(TRAIN, ()).plan(SYSTEM), "GD-171"),
        (lambda: DiffusionEchoPlanar(TRAIN, ASKED[:1], repetition_time=0.01)(SYSTEM), "GD-171"),
    ],
)
def test_what_cannot_be_is_refused(make, code) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert refused.value.code == code


def test_volumes_have_seconds_to_recover_unless_less_is_asked_for() -> None:
    """Without a repetition time, water comes back; many slices take what they need."""
    few, many = (DiffusionEchoPlanar(TRAIN, ASKED[:1], dummies=0, slice_positions=(0.0,) * n) for n in (1, 200))
    (shot,) = few(SYSTEM).definitions["TR"]
    assert shot == pytest.approx(3.0, abs=1e-9)
    (long,) = many(SYSTEM).definitions["TR"]
    (short,) = replace(few, repetition_time=0.2)(SYSTEM).definitions["TR"]
    assert short == pytest.approx(0.2, abs=1e-9)
    assert 3.0 < long < 200 * 0.2
