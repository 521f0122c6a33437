import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.base.sequence import Block, PulseUse, Readout, trapezoid
from gradatim.scanner.simulate import fourier_encoding
from gradatim.scanner.simulate.fourier_encoding import FourierEncoding
from gradatim.scanner.simulate.phase_graph import PhaseGraph
from gradatim.scanner.simulate.single_pathway import FromSteadyState
from gradatim.scanner.simulate.spins import Spins, spins_at, voxel_spins
from gradatim.scanner.simulate.steady_states import SpoiledSteadyState
from tests.scanner.simulate.scans import MS, RIGHT, US, hard, play, sequence, wait
from tests.scanner.simulate.test_phase_graph import error, lobe, voxels

REFOCUS = PulseUse.REFOCUSING
WAYS = [pytest.param(1e-9, id="by columns"), pytest.param(1e9, id="by paths")]


def block_of_tissue(shape=(6, 5, 3)) -> Spins:
    """A small volume on a grid, every voxel different, one without density."""
    random = torch.rand(6, *shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    density = random[0] + 0.2
    density[1, -1, 0] = 0.0
    grid = Grid(shape, (8.0, 10.0, 12.0))
    return voxel_spins(
        grid, density=density, t1=0.4 + random[1], t2=0.02 + 0.05 * random[2], offset=80 * random[3] - 40,
        t2_prime=0.02 + 0.1 * random[4], b1=0.8 + 0.4 * random[5],
    )  # fmt: skip


def gradient_echoes(lines: int, *, flip: float = 0.5, repetition: int = 12 * MS, spoil: float = 600.0, echoes: int = 2):
    """Line after line with several echoes; phases grow by squares."""
    blocks = []
    for line in range(lines):
        step = 20.0 * (line - lines // 2)
        phase = math.radians(58.5) * line * (line + 1)
        blocks += [
            play(hard(flip, duration=100, phase=phase)),
            Block(2 * MS, lobes=(lobe(-100), lobe(step), lobe(7.0))),
        ]
        for echo in range(echoes):
            flat = lobe(200 * (-1) ** echo)
            blocks += [Block(2 * MS, lobes=(flat, None, None), readout=Readout(100 * US, 150 * US, 12, phase=phase))]
        blocks += [Block(2 * MS, lobes=(None, lobe(-step), lobe(spoil))), wait(repetition - (4 + 2 * echoes) * MS)]
    return sequence(blocks)


def spin_echo_planar(*, flip: float = math.pi, spins_b1: bool = False):
    blocks = [play(hard(RIGHT, duration=100)), Block(2 * MS, lobes=(lobe(100), lobe(60), lobe(400)))]
    blocks += [
        wait(3 * MS),
        play(hard(flip, duration=100, phase=RIGHT, use=REFOCUS)),
        Block(2 * MS, lobes=(None, None, lobe(400))),
    ]
    for line in range(6):
        blocks += [Block(2 * MS, lobes=(lobe(200 * (-1) ** line), None, None), readout=Readout(100 * US, 150 * US, 12))]
        blocks += [Block(US * 200, lobes=(None, trapezoid(0, 100 * US, 0, 100 * US, amplitude=4e-3), None))]
    return sequence(blocks)


@pytest.mark.parametrize("dear", WAYS)
def test_one_excitation_is_what_the_phase_graph_gives(monkeypatch, dear):
    monkeypatch.setattr(fourier_encoding, "DEAR", dear)
    scan, spins = spin_echo_planar(), replace(block_of_tissue(), b1=torch.ones(89, dtype=torch.float64))
    found, graph = FourierEncoding()(scan, spins), PhaseGraph(0.0)(scan, spins)
    assert error(found.samples, graph.samples) < 1e-8
    assert torch.equal(found.position, graph.position)


@pytest.mark.parametrize("dear", WAYS)
def test_repetitions_much_longer_than_t2_are_what_the_phase_graph_gives(monkeypatch, dear):
    monkeypatch.setattr(fourier_encoding, "DEAR", dear)
    scan, spins = gradient_echoes(5, repetition=1500 * MS), block_of_tissue()
    assert error(FourierEncoding()(scan, spins).samples, PhaseGraph(0.0)(scan, spins).samples) < 1e-8


def test_the_steady_state_is_that_of_ernst():
    scan = gradient_echoes(9)
    spins = replace(spins_at(torch.zeros(1, 3), t1=0.8, t2=0.05, b1=0.9), size=(0.008, 0.008, 0.01))
    raw = FourierEncoding(FromSteadyState())(scan, spins)
    echoes = raw.lines(raw.samples)[0, :, 5:7].abs().mean(1)[::2]
    attenuated = PhaseGraph(0.0)(gradient_echoes(1), replace(spins, b1=torch.ones(1).double()))
    one = attenuated.lines(attenuated.samples)[0, 0, 5:7].abs().mean() / math.sin(0.5)
    steady = SpoiledSteadyState(0.45, 0.012, 0.0)(spins.t1, spins.t2)[0]
    assert echoes[4].item() == pytest.approx((steady * one).item(), rel=1e-4)
    assert raw.lines(raw.samples)[0, ::2].abs()[3].allclose(raw.lines(raw.samples)[0, ::2].abs()[5], rtol=1e-6)


def test_both_ways_of_summing_agree_for_a_train_on_its_way(monkeypatch):
    scan, spins = gradient_echoes(6), block_of_tissue()
    found = []
    for dear in (1e-9, 1e9):
        monkeypatch.setattr(fourier_encoding, "DEAR", dear)
        found.append(FourierEncoding()(scan, spins).samples)
    assert error(found[0], found[1]) < 1e-11


def test_spoiled_echoes_come_near_to_the_phase_graph():
    scan, spins = gradient_echoes(12, flip=0.25), voxels()
    assert error(FourierEncoding()(scan, spins).samples, PhaseGraph(1e-4)(scan, spins).samples) < 0.1


@pytest.mark.parametrize("dear", WAYS)
@pytest.mark.parametrize("name", ["density", "t1", "t2", "t2_prime", "offset", "b1"])
def test_derivatives_are_those_of_finite_differences(monkeypatch, name, dear):
    monkeypatch.setattr(fourier_encoding, "DEAR", dear)
    scan, spins = gradient_echoes(2, echoes=1), block_of_tissue((2, 2, 1))

    def signal(value):
        return torch.view_as_real(FourierEncoding(FromSteadyState())(scan, replace(spins, **{name: value})).samples)

    value = getattr(spins, name).clone().requires_grad_()
    assert torch.autograd.gradcheck(signal, (value,), eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)


def test_sequences_with_more_than_one_coherence_are_refused():
    spins = voxels()
    balanced = sequence([play(hard(0.5)), Block(2 * MS, readout=Readout(0, US, 10))] * 4)
    train = sequence(
        [
            play(hard(RIGHT)),
            *[play(hard(2.0, use=REFOCUS)), Block(2 * MS, lobes=(lobe(300),) * 3, readout=Readout(0, US, 1))] * 3,
        ]
    )
    unspoiled = sequence([play(hard(0.5)), Block(2 * MS, lobes=(lobe(300),) * 3, readout=Readout(0, US, 1))] * 4)
    for scan in (balanced, train, unspoiled):
        with pytest.raises(InputError, match="GD-837"):
            FourierEncoding()(scan, spins)


def test_samples_after_a_pulse_of_unknown_use_are_refused_and_not_silent():
    """A pulse between excitation and readout that does something else leaves a signal that one coherence is not."""
    other, read = play(hard(1.0, use=PulseUse.OTHER)), Block(2 * MS, readout=Readout(0, US, 4))
    for scan in ([other, read], [play(hard(RIGHT)), read, other, read], [play(hard(2.0, use=REFOCUS)), read]):
        with pytest.raises(InputError, match="GD-837"):
            FourierEncoding()(sequence(scan), voxels(2))


def test_an_inversion_before_the_excitation_is_followed():
    prepared = [play(hard(math.pi, use=PulseUse.INVERSION)), wait(300 * MS), play(hard(RIGHT)), wait(MS)]
    scan = sequence([*prepared, Block(2 * MS, readout=Readout(0, US, 4))])
    spins = replace(voxels(2), b1=torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(
        FourierEncoding()(scan, spins).samples, PhaseGraph(threshold=0.0)(scan, spins).samples, rtol=1e-9, atol=1e-12
    )


def test_nothing_excited_is_silence():
    assert not bool(FourierEncoding()(sequence([Block(2 * MS, readout=Readout(0, US, 4))]), voxels(2)).samples.any())
