import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import Block, Pulse, PulseUse, Readout, Sequence, trapezoid
from gradatim.io.pulseq import read_pulseq
from gradatim.scanner.simulate.ensembles import lorentzian, split
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.phase_graph import PhaseGraph
from gradatim.scanner.simulate.spins import Spins, spins_at
from gradatim.scanner.simulate.steady_states import BalancedSteadyState
from gradatim.scanner.simulate.voxel_shape import BandLimitedVoxel
from tests.scanner.simulate.scans import MS, RIGHT, US, hard, listen, play, sequence, wait
from tests.scanner.simulate.subvoxels import Subvoxels, rotated_points

PARTS = (5, 3, 4)
REFOCUS = PulseUse.REFOCUSING


def voxels(count: int = 6, *, seed: int = 0, size: float = 0.02) -> Spins:
    """Voxels of different tissue, somewhere in 0.2 m."""
    random = torch.rand(8, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    spins = spins_at(
        0.2 * random[:3].T - 0.1,
        density=random[3] + 0.5,
        t1=0.3 + random[4],
        t2=0.03 + 0.2 * random[5],
        offset=60 * random[6] - 30,
        b1=0.8 + 0.4 * random[7],
    )
    return replace(spins, size=(size, size, size / 2))


def lobe(area: float):
    """A gradient of some area, 1/m, in 2 ms."""
    return trapezoid(0, 100 * US, 1800 * US, 100 * US, amplitude=area / 42.577478461e6 / 1.9e-3)


def unbalanced_train(pulses: int, *, seed: int = 3) -> Sequence:
    """Pulses of any flip and phase, gradients of any area, unequal times: no two pathways alike but by chance."""
    random = torch.rand(pulses, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).tolist()
    blocks = []
    for flip, phase, x, y, z, time in random:
        blocks += [play(hard(0.2 + 2.5 * flip, phase=6 * phase)), wait(round(5 * time * MS))]
        blocks += [
            Block(2 * MS, lobes=(lobe(100 * x - 50), lobe(80 * y), lobe(90 * z)), readout=Readout(0, 250 * US, 8))
        ]
    return sequence(blocks)


def error(found, expected) -> float:
    return ((found - expected).norm() / expected.norm()).item()


def test_without_a_threshold_it_is_the_sum_of_isochromats_exactly():
    scan, spins = unbalanced_train(6), voxels()
    found = PhaseGraph(0.0, Subvoxels(PARTS), merge=1e-9)(scan, spins).samples[0]
    assert error(found, rotated_points(scan, split(spins, PARTS))) < 1e-12


@pytest.mark.parametrize("threshold", [1e-2, 1e-3, 1e-4])
def test_the_error_falls_with_the_threshold(threshold):
    scan, spins = unbalanced_train(7), voxels()
    found = PhaseGraph(threshold, Subvoxels(PARTS))(scan, spins).samples[0]
    assert error(found, rotated_points(scan, split(spins, PARTS))) < 10 * threshold


@pytest.mark.parametrize(("name", "blocks"), [("gre", 84), ("tse", 40), ("megre", 140)])
def test_measured_sequences_agree_with_isochromats_that_follow_the_pulses(shared, name, blocks):
    whole = read_pulseq(shared / f"data/scanner/generated/{name}.seq")
    scan = Sequence(whole.blocks[:blocks], whole.rasters, whole.definitions)
    spins = voxels(4, size=0.01)
    points = rotated_points(scan, split(spins, (8, 8, 8)))
    found = PhaseGraph(1e-4, Subvoxels((8, 8, 8)))(scan, spins).samples[0]
    assert error(found, points) < 2e-4


def test_short_pulses_agree_with_the_bloch_equation_solved_through_them():
    spins = voxels()
    blocks = [play(hard(RIGHT, duration=100)), Block(2 * MS, lobes=(lobe(120), None, None))]
    for _ in range(3):
        blocks += [play(hard(2.0, duration=100, phase=0.7, use=REFOCUS)), wait(MS)]
        blocks += [Block(2 * MS, lobes=(lobe(60), None, None), readout=Readout(0, 250 * US, 8))]
    scan = sequence(blocks)
    found = PhaseGraph(1e-5, Subvoxels(PARTS))(scan, spins).samples
    assert error(found, Isochromats()(scan, split(spins, PARTS)).samples) < 1e-4


def test_a_box_is_the_limit_of_many_isochromats():
    scan, spins = unbalanced_train(4), voxels(3)
    boxes = PhaseGraph(0.0)(scan, spins).samples[0]
    errors = [error(rotated_points(scan, split(spins, (n, n, n))), boxes) for n in (4, 8, 16)]
    assert errors[2] < 0.3 * errors[1] < 0.09 * errors[0] * 1.2


def test_free_decay_echo_and_stimulated_echo_follow_t2_prime():
    spins = replace(voxels(1, size=0.0), t2_prime=torch.tensor([0.004], dtype=torch.float64))
    blocks = [play(hard(1.3, duration=10)), wait(3 * MS), play(hard(1.9, duration=10, phase=0.4)), listen(40, 200 * US)]
    blocks += [play(hard(1.1, duration=10, phase=1.4)), listen(60, 200 * US)]
    scan = sequence(blocks)
    many = lorentzian(replace(spins, t2_prime=spins.t2_prime), 4000)
    found = PhaseGraph(0.0)(scan, spins).samples[0]
    assert error(found, rotated_points(scan, many)) < 1e-3
    assert (
        error(found, PhaseGraph(0.0)(scan, replace(spins, t2_prime=torch.full((1,), math.inf).double())).samples[0])
        > 0.3
    )


def test_a_balanced_train_reaches_its_closed_form():
    pulses, flip, time = 200, 0.7, 4 * MS
    spins = spins_at(torch.zeros(5, 3), t1=0.05, t2=0.03, offset=torch.tensor([0, 10.0, 40, -75, 110]))
    blocks = []
    for pulse in range(pulses):
        blocks += [play(hard(flip, duration=10, phase=math.pi * (pulse % 2))), wait(time // 2 - 10)]
        blocks += [Block(10, readout=Readout(0, 10, 1)), wait(time // 2 - 10)]
    for offset in range(5):
        one = spins[offset : offset + 1]
        steady = BalancedSteadyState(flip, 0.004, 0.002)(one.t1, one.t2, offset=one.offset)
        last = PhaseGraph()(sequence(blocks), one).samples[0, -1] * (-1) ** (pulses - 1)
        assert abs((last - steady).item()) < 1e-5


def test_magnetisation_is_linear_in_density_and_follows_a_shift_of_the_object():
    scan, spins = unbalanced_train(4), voxels()
    double = PhaseGraph()(scan, replace(spins, density=2.0 * spins.density)).samples
    assert torch.equal(double, 2.0 * PhaseGraph()(scan, spins).samples)
    one = spins[:1]
    moved = replace(one, position=one.position + torch.tensor([0.01, -0.02, 0.005], dtype=torch.float64))
    alone = sequence(
        [play(hard(RIGHT)), *(Block(2 * MS, lobes=(lobe(99), None, lobe(7)), readout=Readout(0, US, 2000)),)]
    )
    raw, later = PhaseGraph()(alone, one), PhaseGraph()(alone, moved)
    turns = torch.exp(-2j * math.pi * (raw.position @ torch.tensor([0.01, -0.02, 0.005], dtype=torch.float64)))
    assert error(later.samples[0], raw.samples[0] * turns) < 1e-10


def test_chunks_of_spins_add_up(monkeypatch):
    scan, spins = unbalanced_train(4), voxels(7)
    whole = PhaseGraph()(scan, spins).samples
    monkeypatch.setattr("gradatim.scanner.simulate.phase_graph.CHUNK", 3)
    assert error(PhaseGraph()(scan, spins).samples, whole) < 1e-13


@pytest.mark.parametrize("name", ["density", "t1", "t2", "t2_prime", "offset", "b1"])
def test_derivatives_are_those_of_finite_differences(name):
    scan, spins = unbalanced_train(4), replace(voxels(3), t2_prime=torch.full((3,), 0.05, dtype=torch.float64))
    graph = PhaseGraph(1e-12)

    def signal(value):
        return torch.view_as_real(graph(scan, replace(spins, **{name: value})).samples)

    value = getattr(spins, name).clone().requires_grad_()
    assert torch.autograd.gradcheck(signal, (value,), eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)


def test_a_band_limited_voxel_is_silent_beyond_its_own_k_space():
    spins = replace(spins_at(torch.zeros(1, 3)), size=(0.002, 0.0, 0.0))
    scan = sequence(
        [play(hard(RIGHT, duration=10)), Block(2 * MS, lobes=(lobe(500), None, None), readout=Readout(0, US, 2000))]
    )
    raw = PhaseGraph(shape=BandLimitedVoxel())(scan, spins)
    inside = raw.position[:, 0].abs() < 250
    assert (raw.samples[0, inside].abs() - 1).abs().max().item() < 1e-6
    assert not bool(raw.samples[0, ~inside].any())


def test_silence_before_the_first_pulse_and_without_one():
    spins = voxels(2)
    late = sequence([listen(4, US), play(hard(RIGHT)), listen(4, US)])
    assert PhaseGraph()(late, spins).samples[0].abs()[:4].tolist() == [0.0] * 4
    assert not bool(PhaseGraph()(sequence([listen(4, US)]), spins).samples.any())


def test_pulses_that_are_no_rotation_are_refused():
    field = torch.tensor([1e-6, 1e-6j], dtype=torch.complex128)
    swept = Pulse(0, torch.tensor([0, 10, 20]), field, 10)
    with pytest.raises(InputError, match="GD-835"):
        PhaseGraph()(sequence([play(swept), listen(1, US)]), voxels(1))
    fat = hard(RIGHT, duration=5 * MS, frequency=-440.0)
    with pytest.raises(InputError, match="GD-835"):
        PhaseGraph()(sequence([play(fat), listen(1, US)]), voxels(1))


def test_too_many_states_are_refused():
    with pytest.raises(InputError, match="GD-836"):
        PhaseGraph(1e-6, states=20)(unbalanced_train(6), voxels())


@pytest.mark.parametrize("setting", [{"threshold": -1.0}, {"threshold": math.nan}, {"merge": 0.0}, {"states": 0}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(UsageError, match="GD-101"):
        PhaseGraph(**setting)
