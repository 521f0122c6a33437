import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.scanner.simulate.extended_phase_graph import dephased, relaxed, rest, rotation
from gradatim.scanner.simulate.spin_echo_train import SpinEchoTrain
from gradatim.scanner.simulate.spoiled_echo_train import SpoiledEchoTrain
from gradatim.scanner.simulate.steady_states import BalancedSteadyState, SpoiledSteadyState

F64 = torch.float64
FOREVER = torch.tensor(math.inf, dtype=F64)


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=F64)


def isochromat_train(train: SpinEchoTrain, t1: float, t2: float, count: int) -> torch.Tensor:
    """The same echoes from isochromats, evenly dephased by whole turns a gradient."""
    turn = torch.polar(torch.ones(count, dtype=F64), 2 * math.pi * torch.arange(count, dtype=F64) / count)
    across, along = torch.zeros(count, dtype=torch.complex128), torch.ones(count, dtype=F64)
    echoes = []

    def pulse(across, along, flip, phase):
        frame = complex(math.cos(phase), math.sin(phase))
        seen, c, s = across / frame, math.cos(flip), math.sin(flip)
        return torch.complex(seen.real, seen.imag * c - along * s) * frame, seen.imag * s + along * c

    def half(across, along):
        time = float(train.spacing) / 2
        return across * turn * math.exp(-time / t2), 1 + (along - 1) * math.exp(-time / t1)

    across, along = pulse(across, along, train.excitation, train.excitation_phase)
    phases = torch.zeros_like(train.flips) if train.phases is None else train.phases
    for flip, phase in zip(train.flips.tolist(), phases.tolist(), strict=True):
        across, along = half(*pulse(*half(across, along), flip, phase))
        echoes.append(across.mean())
    return torch.stack(echoes)


def test_perfect_refocusing_decays_with_t2_alone():
    train = SpinEchoTrain(torch.full((20,), math.pi, dtype=F64), 0.012)
    times = 0.012 * torch.arange(1, 21, dtype=F64)
    for t1 in (0.3, 3.0, math.inf):
        assert torch.allclose(train(number(t1), number(0.08)), torch.exp(-times / 0.08) + 0j, atol=1e-14)


def test_any_flips_and_phases_agree_with_isochromats():
    random = torch.rand(2, 12, generator=torch.Generator().manual_seed(0), dtype=F64)
    train = SpinEchoTrain(3 * random[0], 0.01, 6 * random[1], excitation=1.2, excitation_phase=0.4)
    assert torch.allclose(train(number(0.5), number(0.07)), isochromat_train(train, 0.5, 0.07, 64), atol=1e-13)


def test_equal_relaxation_times_only_scale_a_train():
    flips = torch.linspace(0.5, 2.5, 15, dtype=F64)
    free = SpinEchoTrain(flips, 0.01)(FOREVER, FOREVER)
    decay = torch.exp(-0.01 * torch.arange(1, 16, dtype=F64) / 0.1)
    assert torch.allclose(SpinEchoTrain(flips, 0.01)(number(0.1), number(0.1)), free * decay, atol=1e-14)


def test_a_batch_is_its_voxels_one_by_one():
    t1, t2 = torch.tensor([[0.5, 1.0], [2.0, 3.0]], dtype=F64), torch.tensor([0.05, 0.3], dtype=F64)
    b1 = torch.tensor([[0.8], [1.1]], dtype=F64)
    train = SpinEchoTrain(torch.full((6,), 2.0, dtype=F64), 0.01)
    whole = train(t1, t2, b1=b1)
    assert whole.shape == (2, 2, 6)
    assert torch.allclose(whole[1, 0], train(t1[1, 0], t2[0], b1=b1[1, 0]), atol=1e-15)


def test_b1_multiplies_every_flip():
    flips = torch.full((5,), 2.0, dtype=F64)
    scaled = SpinEchoTrain(0.9 * flips, 0.01, excitation=0.9 * math.pi / 2)(number(1.0), number(0.1))
    ours = SpinEchoTrain(flips, 0.01)(number(1.0), number(0.1), b1=number(0.9))
    assert torch.allclose(ours, scaled, atol=1e-15)


def test_a_rotation_keeps_the_length_of_a_state():
    states = torch.randn(3, 7, generator=torch.Generator().manual_seed(1), dtype=torch.complex128)
    turned = rotation(number(1.1), number(0.3)) @ states
    length = torch.tensor([0.5, 0.5, 1.0], dtype=F64)[:, None]
    assert torch.allclose((length * states.abs().square()).sum(0), (length * turned.abs().square()).sum(0))


def test_relaxation_for_two_times_is_that_for_their_sum():
    states = rotation(number(1.0), number(0.2)) @ rest((), 3, number(0.0))
    times = {"t1": number(0.7), "t2": number(0.09)}
    twice = relaxed(relaxed(states, time=0.01, **times), time=0.02, **times)
    assert torch.allclose(twice, relaxed(states, time=0.03, **times), atol=1e-15)


def test_dephasing_moves_every_order_by_one():
    states = torch.arange(12, dtype=F64).reshape(3, 4) * (1 + 1j)
    moved = dephased(states)
    assert torch.equal(moved[0], torch.cat([states[1, 1:2].conj(), states[0, :3]]))
    assert torch.equal(moved[1, :3], states[1, 1:])
    assert torch.equal(moved[2], states[2])


def test_without_spoiling_by_phase_the_first_echo_is_the_flip_alone():
    train = SpoiledEchoTrain(number(0.4), 0.02, 0.0, pulses=3)
    assert train(number(1.0), number(0.1))[0].abs().item() == pytest.approx(math.sin(0.4), abs=1e-15)


def test_a_train_much_longer_than_t2_reaches_the_steady_state_of_ernst():
    train = SpoiledEchoTrain(number(0.5), 0.2, 0.003, pulses=40)
    t1, t2 = number(0.6), number(0.01)
    steady = SpoiledSteadyState(number(0.5), 0.2, 0.003)(t1, t2)
    assert train(t1, t2)[-1].abs().item() == pytest.approx(steady.item(), rel=1e-6)


@pytest.mark.parametrize("offset", [0.0, 20.0, -37.0, 100.0])
@pytest.mark.parametrize("advance", [0.0, 0.7, math.pi])
def test_the_balanced_steady_state_repeats_itself(offset, advance):
    flip, tr, t1, t2 = 0.9, 0.005, 0.5, 0.08
    state = BalancedSteadyState(flip, tr, 0.0, advance)(number(t1), number(t2), offset=number(offset)).item()
    late = BalancedSteadyState(flip, tr, tr, advance)(number(t1), number(t2), offset=number(offset)).item()
    before = late * complex(math.cos(advance), -math.sin(advance))
    # the pulse turns (Im, Z) by the flip: Z before it follows from Im before and after
    stored = (before.imag * math.cos(flip) - state.imag) / math.sin(flip)
    after = before.imag * math.sin(flip) + stored * math.cos(flip)
    assert state.real == pytest.approx(before.real, abs=1e-14)
    assert 1 + (after - 1) * math.exp(-tr / t1) == pytest.approx(stored, abs=1e-13)


@pytest.mark.parametrize("name", ["flips", "phases", "t1", "t2", "b1"])
def test_derivatives_of_a_train_are_those_of_finite_differences(name):
    values = {
        "flips": torch.linspace(1.0, 2.8, 5, dtype=F64),
        "phases": torch.linspace(0.0, 1.0, 5, dtype=F64),
        "t1": torch.tensor([0.6, 1.2], dtype=F64),
        "t2": torch.tensor([0.05, 0.1], dtype=F64),
        "b1": torch.tensor([0.9, 1.1], dtype=F64),
    }

    def echoes(value):
        given = {**values, name: value}
        return torch.view_as_real(
            SpinEchoTrain(given["flips"], 0.01, given["phases"])(given["t1"], given["t2"], b1=given["b1"])
        )

    assert torch.autograd.gradcheck(echoes, (values[name].clone().requires_grad_(),))


def test_derivatives_of_a_spoiled_train_are_those_of_finite_differences():
    def echoes(flip, t1, t2, b1):
        return torch.view_as_real(SpoiledEchoTrain(flip, 0.02, 0.005, pulses=6)(t1, t2, b1=b1))

    given = [number(v).requires_grad_() for v in (0.4, 1.0, 0.1, 0.95)]
    assert torch.autograd.gradcheck(echoes, given)


def test_impossible_trains_are_refused():
    for flips, spacing, phases in (
        (torch.zeros(0), 0.01, None),
        (torch.ones(2), 0.0, None),
        (torch.ones(2), math.nan, None),
        (torch.ones(2), 0.01, torch.ones(3)),
    ):
        with pytest.raises(UsageError, match="GD-182"):
            SpinEchoTrain(flips, spacing, phases)
    for repetition, echo, pulses in ((0.0, 0.0, 1), (0.01, 0.02, 1), (0.01, 0.0, 0), (math.nan, 0.0, 1)):
        with pytest.raises(UsageError, match="GD-182"):
            SpoiledEchoTrain(0.1, repetition, echo, pulses)
    for closed in (SpoiledSteadyState, BalancedSteadyState):
        with pytest.raises(UsageError, match="GD-182"):
            closed(0.1, 0.01, 0.02)
    with pytest.raises(UsageError, match="GD-101"):
        rest((), 0, number(0.0))
    with pytest.raises(InputError, match="GD-830"):
        SpinEchoTrain(torch.ones(2), 0.01)(torch.tensor(0.0), torch.tensor(1.0))
