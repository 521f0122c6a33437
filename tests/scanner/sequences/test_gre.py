"""Gradient echoes: samples on the grid, k = 0 at TE, timing that pypulseq accepts, limits that hold."""

import itertools
import math
from pathlib import Path

import pytest
import torch

from gradatim.base.coherence import echo_time, trajectory
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Rasters, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
from gradatim.scanner.pulses.slr import SlrPulse
from gradatim.scanner.sequences.echo_readouts import Bipolar, Monopolar
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.gre import GradientEcho
from gradatim.scanner.sequences.multi_echo_gre import MultiEchoGradientEcho, ShortestEchoes
from gradatim.scanner.sequences.spoiling import Spoiling
from gradatim.scanner.system import System

FEW = CartesianEncoding((0.22, 0.2, 0.005), (32, 6, 1))
VOLUME = CartesianEncoding((0.22, 0.2, 0.1), (33, 5, 4), 10.1e-6)
QUICK = Spoiling(dummies=2)
PROTOCOLS = {
    "one echo": GradientEcho(FEW, spoiling=QUICK),
    "given times": GradientEcho(FEW, echo_time=5.003e-3, repetition_time=0.02, spoiling=QUICK),
    "monopolar": MultiEchoGradientEcho(FEW, spoiling=QUICK),
    "bipolar": MultiEchoGradientEcho(FEW, polarity=Bipolar(), spoiling=QUICK),
    "uneven": MultiEchoGradientEcho(FEW, echo_times=(3e-3, 4.5e-3, 9.001e-3), polarity=Bipolar(), spoiling=QUICK),
    "hard volume": MultiEchoGradientEcho(
        VOLUME, NonSelective(HardPulse(0.2, 1e-4)), ShortestEchoes(3), polarity=Bipolar(), spoiling=QUICK
    ),
    "slab": MultiEchoGradientEcho(
        VOLUME, SliceSelective(SlrPulse(0.3, 3e-3, 8.0), 0.1), ShortestEchoes(2), polarity=Monopolar(), spoiling=QUICK
    ),
    "slices": GradientEcho(FEW, spoiling=QUICK, slices=(-0.01, 0.0, 0.01)),
    "balanced": GradientEcho(FEW, spoiling=Spoiling(0.0, 0.0, 0)),
}
SYSTEMS = {
    "whole body": System(),
    "slow": System(0.022, 60.0),
    "fine clock": System(rasters=Rasters(4_000, 2_000, 100, 4_000), pulse_dead=73_000, readout_dead=21_000),
}


def indices(sequence: Sequence, encoding: CartesianEncoding) -> torch.Tensor:
    """Where samples lie, in Δk: (readouts, samples, 3)."""
    found = trajectory(sequence, sequence.sample_times) * torch.tensor(encoding.fov, dtype=torch.float64)
    return found.reshape(len(sequence.readouts), -1, 3)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_all_samples_lie_on_the_grid_and_k_0_at_te(protocol: str, system: str) -> None:
    made = PROTOCOLS[protocol]
    if protocol in {"given times", "uneven"} and system != "whole body":
        pytest.skip("these times are for one clock")
    sequence, encoding = made(SYSTEMS[system]), made.encoding
    found, (nx, ny, nz) = indices(sequence, encoding), encoding.matrix
    times = sequence.definitions["TE"]
    for (start, readout), k in zip(sequence.readouts, found, strict=True):
        sign = -1 if readout.labels.get("REV") else 1
        grid = torch.arange(nx, dtype=torch.float64) - nx // 2
        assert (k[:, 0] - (grid if sign > 0 else grid.flip(0))).abs().max() < 1e-6
        assert (k[:, 1] - (readout.labels["LIN"] - ny // 2)).abs().max() < 1e-6
        if nz > 1:
            assert (k[:, 2] - (readout.labels["PAR"] - nz // 2)).abs().max() < 1e-6
        else:
            assert k[:, 2].abs().max() < 1e-6
        sample = start / TICKS + readout.times[k[:, 0].abs().argmin()].item()
        assert not isinstance(times, str)
        assert echo_time(sequence, sample) == pytest.approx(times[readout.labels.get("ECO", 0)], abs=1e-12)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_limits_and_dead_times_hold(protocol: str, system: str) -> None:
    if protocol in {"given times", "uneven"} and system != "whole body":
        pytest.skip("these times are for one clock")
    scanner = SYSTEMS[system]
    sequence = PROTOCOLS[protocol](scanner)
    assert float(sequence.waveform.left.abs().max()) <= scanner.max_gradient * (1 + 1e-8)
    assert float(sequence.waveform.slew.abs().max()) <= scanner.max_slew * (1 + 1e-6)
    for block in sequence.blocks:
        assert block.duration % scanner.rasters.block == 0
        for lobe in block.lobes:
            assert lobe is None or not bool((lobe.times % scanner.rasters.gradient).any())
        if block.pulse is not None:
            assert block.pulse.delay >= scanner.pulse_dead
            assert block.pulse.delay + block.pulse.duration + scanner.pulse_ringdown <= block.duration
        if block.readout is not None:
            assert block.readout.delay >= scanner.readout_dead
            assert block.readout.delay + block.readout.duration + scanner.readout_dead <= block.duration


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_files_pass_the_timing_check_and_read_back(protocol: str, tmp_path: Path) -> None:
    pytest.importorskip("pypulseq")
    made = PROTOCOLS[protocol]
    sequence = made(System())
    PulseqWriter()(sequence, tmp_path / "made.seq")
    back = read_pulseq(tmp_path / "made.seq")
    assert back.duration == sequence.duration
    # A file keeps six digits of an amplitude, so that samples come back within 1e-5 of kmax.
    assert (indices(back, made.encoding) - indices(sequence, made.encoding)).abs().max() < 2e-5 * 33


def test_phases_of_pulse_and_receiver_grow_quadratically() -> None:
    sequence = GradientEcho(FEW, spoiling=Spoiling(117.0, 2.0, 3))(System())
    pulses = [math.degrees(pulse.phase) % 360 for _, pulse in sequence.pulses]
    assert pulses == pytest.approx([(117 * n * (n + 1) / 2) % 360 for n in range(9)], abs=1e-9)
    receivers = [math.degrees(readout.phase) % 360 for _, readout in sequence.readouts]
    assert receivers == pytest.approx(pulses[3:], abs=1e-9)


@pytest.mark.parametrize("cycles", [0.0, 1.0, 3.5])
def test_each_repetition_leaves_the_spoilers_and_nothing_else(cycles: float) -> None:
    protocol = GradientEcho(VOLUME, NonSelective(HardPulse(0.2, 1e-4)), spoiling=Spoiling(cycles=cycles, dummies=1))
    sequence = protocol(System())
    starts = torch.tensor([start for start, _ in sequence.pulses] + [sequence.duration]).double() / TICKS
    left = sequence.waveform.moment(starts).diff(dim=0) * PROTON_GAMMA_BAR_HZ_PER_T
    turns = left * torch.tensor(protocol.encoding.voxel, dtype=torch.float64)
    assert turns[:, 0] == pytest.approx(cycles, abs=1e-9)
    assert turns[:, 1] == pytest.approx(0.0, abs=1e-9)
    assert turns[:, 2] == pytest.approx(cycles, abs=1e-9)


def test_dummies_play_all_but_the_readouts() -> None:
    sequence = GradientEcho(FEW, spoiling=Spoiling(dummies=4))(System())
    assert (len(sequence.pulses), len(sequence.readouts)) == (10, 6)


def test_the_repetition_time_is_kept() -> None:
    sequence = MultiEchoGradientEcho(FEW, echo_times=(4e-3, 8e-3), repetition_time=0.015)(System())
    starts = [start for start, _ in sequence.pulses]
    assert {b - a for a, b in itertools.pairwise(starts)} == {15_000_000}
    assert sequence.definitions["TR"] == (0.015,)


def test_slices_are_met_by_their_frequencies() -> None:
    protocol = GradientEcho(FEW, spoiling=QUICK, slices=(-0.01, 0.02))
    assert isinstance(protocol.excitation, SliceSelective)
    sequence = protocol(System())
    wanted = [PROTON_GAMMA_BAR_HZ_PER_T * protocol.excitation.gradient * z for z in (-0.01, 0.02)]
    assert sorted({pulse.frequency for _, pulse in sequence.pulses}) == pytest.approx(wanted)
    assert {readout.labels["SLC"] for _, readout in sequence.readouts} == {0, 1}


def test_what_is_too_short_names_what_is_possible() -> None:
    shortest = GradientEcho(FEW)(System()).definitions["TE"]
    assert not isinstance(shortest, str)
    with pytest.raises(UsageError, match=f"GD-166.*{1e3 * shortest[0]:.6f} ms at the shortest"):
        GradientEcho(FEW, echo_time=shortest[0] - 1e-6)(System())
    with pytest.raises(UsageError, match=r"GD-166.*5\.001000 ms as the nearest above"):
        GradientEcho(FEW, echo_time=5.0003e-3)(System())
    with pytest.raises(UsageError, match=r"GD-166.*echo 2"):
        MultiEchoGradientEcho(FEW, echo_times=(4e-3, 4.5e-3))(System())
    with pytest.raises(UsageError, match=r"GD-166.*repetition time"):
        GradientEcho(FEW, repetition_time=3e-3)(System())
    with pytest.raises(UsageError, match=r"GD-166.*repetition time"):
        GradientEcho(FEW, repetition_time=20.003e-3)(System())


def test_no_shorter_echo_is_possible_and_the_shortest_is() -> None:
    """Of the shortest TE one raster less is refused, and itself is not; so for the spacing of echoes."""
    for polarity in (Monopolar(), Bipolar()):
        times = MultiEchoGradientEcho(FEW, echo_times=ShortestEchoes(3), polarity=polarity)(System()).definitions["TE"]
        assert not isinstance(times, str)
        again = MultiEchoGradientEcho(FEW, echo_times=times, polarity=polarity)(System())
        assert again.definitions["TE"] == times
        tighter = tuple(times[0] + i * (times[1] - times[0] - 1e-6) for i in range(3))
        with pytest.raises(UsageError, match=r"GD-166"):
            MultiEchoGradientEcho(FEW, echo_times=tighter, polarity=polarity)(System())


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_impossible_protocols_are_refused(bad: float) -> None:
    for make in (
        lambda: CartesianEncoding((bad, 0.2, 0.005)),
        lambda: CartesianEncoding(dwell=bad),
        lambda: MultiEchoGradientEcho(echo_times=(bad,)),
        lambda: ShortestEchoes(2, spacing=bad),
        lambda: GradientEcho(FEW, echo_time=bad),
    ):
        with pytest.raises(UsageError, match="GD-168"):
            make()


def test_more_impossible_protocols() -> None:
    for make in (
        lambda: CartesianEncoding(matrix=(64, 0, 1)),
        lambda: CartesianEncoding(matrix=(64, 100_000, 1)),
        lambda: MultiEchoGradientEcho(echo_times=()),
        lambda: MultiEchoGradientEcho(echo_times=(4e-3, 4e-3)),
        lambda: GradientEcho(slices=()),
        lambda: GradientEcho(VOLUME, slices=(0.0, 0.01)),
        lambda: Spoiling(dummies=-1),
        lambda: Spoiling(cycles=math.nan),
        lambda: ShortestEchoes(0),
        lambda: GradientEcho(CartesianEncoding(dwell=20.00003e-6))(System()),
    ):
        with pytest.raises(UsageError, match="GD-168"):
            make()


def test_a_readout_too_strong_for_the_gradient_is_refused() -> None:
    with pytest.raises(UsageError, match=r"GD-166.*gradient"):
        GradientEcho(CartesianEncoding(dwell=2e-6))(System())
