"""WATERGATE: its echo, its file, and whether hardware suffices, against the dephasing itself."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gradatim.base.coherence import effective_waveform
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.pulses.binomial import THREE_NINE_NINETEEN, W5, BinomialTrain
from gradatim.scanner.pulses.spinor import pulse_spinor
from gradatim.scanner.sequences.solvent_suppression import Binding, SolventSuppression
from gradatim.scanner.sequences.watergate import Watergate
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

SPECTROMETER = System(0.5, 5000.0, 14.1, 600e-6)


@pytest.mark.parametrize("angles", [THREE_NINE_NINETEEN, W5])
@pytest.mark.parametrize("dead", [10_000, 2_000_000])
def test_what_is_refocused_echoes_at_the_first_sample(angles: tuple[float, ...], dead: int) -> None:
    system = System(0.5, 5000.0, 14.1, 600e-6, readout_dead=dead)
    sequence = Watergate(BinomialTrain(angles), area=2e-4)(system)
    first = float(sequence.sample_times[0])
    effective = effective_waveform(sequence, first)
    assert effective.moment(torch.tensor([first], dtype=torch.float64)).abs().max() < 1e-15
    (excited, one), (refocused, two) = sequence.pulses
    middle, echo = refocused + two.centre, 2 * (refocused + two.centre) - (excited + one.centre)
    assert middle < echo
    assert 0 <= first * TICKS - echo < 1000 + 1e-3
    assert sequence.definitions["TE"] == (pytest.approx((echo - excited - one.centre) / TICKS),)


@pytest.mark.parametrize("angles", [THREE_NINE_NINETEEN, W5])
def test_files_pass_the_timing_check_and_read_back(angles: tuple[float, ...], tmp_path: Path) -> None:
    pytest.importorskip("pypulseq")
    sequence = Watergate(BinomialTrain(angles), area=2e-4)(SPECTROMETER)
    PulseqWriter(0.5, 5000.0)(sequence, tmp_path / "watergate.seq")
    back = read_pulseq(tmp_path / "watergate.seq")
    assert back.duration == sequence.duration
    assert [pulse.use for _, pulse in back.pulses] == [pulse.use for _, pulse in sequence.pulses]


def test_the_suppression_by_lobes_is_the_dephasing_of_a_uniform_sample() -> None:
    """The envelope of the mean of exp(2πi·γ̄·2A·z) over the sample: brute force over places, for close areas."""
    length, suppression = 0.012, 400.0
    question = SolventSuppression(suppression=suppression, sample_length=length, water_width=0.0)
    area = question(SPECTROMETER).needed_area
    place = torch.linspace(-length / 2, length / 2, 400_001, dtype=torch.float64)
    left = []
    for part in torch.linspace(0.999, 1.001, 41).tolist():
        phase = 2 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * 2 * area * part * place
        left.append(float(phase.cos().mean()))
    assert max(map(abs, left)) == pytest.approx(1 / suppression, rel=0.02)


def test_what_binds_moves_with_the_hardware() -> None:
    wanted = SolventSuppression(suppression=1e4, water_width=0.5)
    cases = {
        Binding.GRADIENT: System(0.05, 5000.0, max_b1=600e-6),
        Binding.SLEW: System(0.5, 200.0, max_b1=600e-6),
        Binding.B1: System(0.5, 5000.0, max_b1=20e-6),
    }
    for binding, system in cases.items():
        verdict = wanted(system)
        assert verdict.binding is binding
        assert not verdict.suffices
        assert verdict.sentence.startswith("no")
    wide = SolventSuppression(suppression=1e4, water_width=100.0)(System(5.0, 5e4, max_b1=600e-6))
    assert wide.binding is Binding.SHIM
    assert wide.needed_area == math.inf


def test_the_needed_area_gives_the_wanted_suppression_and_no_less() -> None:
    question = SolventSuppression(suppression=1500.0)
    verdict = question(SPECTROMETER)
    assert verdict.suffices
    left = 1 / (2 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * verdict.needed_area * 0.015) + 1 / verdict.by_train
    assert 1 / left == pytest.approx(1500.0)
    assert question.sequence(SPECTROMETER).area == verdict.needed_area


@pytest.mark.parametrize("factor", [1.5, 4.0])
def test_more_of_the_hardware_never_suppresses_less(factor: float) -> None:
    question = SolventSuppression()
    base = question(SPECTROMETER).suppression
    assert question(System(0.5 * factor, 5000.0, max_b1=600e-6)).suppression >= base
    assert question(System(0.5, 5000.0 * factor, max_b1=600e-6)).suppression >= base


def test_impossible_numbers_are_refused() -> None:
    for make in (
        lambda: SolventSuppression(suppression=0.5),
        lambda: SolventSuppression(sample_length=math.nan),
        lambda: SolventSuppression(water_width=-1.0),
        lambda: Watergate(area=math.inf),
        lambda: Watergate(samples=0),
        lambda: Watergate(dwell=-1e-6),
    ):
        with pytest.raises(UsageError, match="GD-168"):
            make()


def test_a_train_that_does_not_fit_names_its_shortest_spacing() -> None:
    with pytest.raises(UsageError, match="GD-169") as refused:
        BinomialTrain(W5, 10e-6)(SPECTROMETER)
    shortest = float(refused.value.allowed.split()[0]) * 1e-6
    assert BinomialTrain(W5, shortest)(SPECTROMETER).duration > 0
    for make in (lambda: BinomialTrain(()), lambda: BinomialTrain((0.0,)), lambda: BinomialTrain(spacing=math.nan)):
        with pytest.raises(UsageError, match="GD-169"):
            make()


@pytest.mark.parametrize("angles", [THREE_NINE_NINETEEN, W5])
def test_the_next_hole_comes_to_1_over_tau_as_pulses_become_short(angles: tuple[float, ...]) -> None:
    question = SolventSuppression(BinomialTrain(angles, 200e-6))
    far = [abs(5000.0 - question.first_null(System(0.5, 5000.0, max_b1=b1))) for b1 in (3e-4, 6e-4, 6e-3)]
    assert far[0] > far[1] > far[2]
    assert far[2] < 20


@pytest.mark.parametrize("angles", [THREE_NINE_NINETEEN, W5])
def test_the_whole_sequence_simulated_hides_the_water_and_keeps_the_rest(angles: tuple[float, ...]) -> None:
    """Bloch's equation over a sample of 15 mm: water below 1/F, and the share |β|² of what is off resonance."""
    question = SolventSuppression(BinomialTrain(angles), suppression=1000.0, water_width=5.0)
    watergate = replace(question.sequence(SPECTROMETER), samples=1)
    sequence = watergate(SPECTROMETER)
    z = (torch.arange(3001, dtype=torch.float64) / 3000 - 0.5) * 0.015
    place = torch.stack([0 * z, 0 * z, z], 1)
    for offset in (0.0, 5.0):
        water = Isochromats()(sequence, spins_at(place, offset=offset)).samples.abs().item() / 3001
        assert water < 1.02e-3
    kept = Isochromats()(sequence, spins_at(place, offset=1500.0)).samples.abs().item() / 3001
    share = pulse_spinor(watergate.train(SPECTROMETER), offset=torch.tensor([1500.0])).refocused.item()
    assert kept == pytest.approx(share, abs=0.01)
