"""Laws of unwrapping: it undoes wrapping, it only ever adds whole turns, and it does not care how phase was wrapped."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.qsm.first_echo import FirstEcho
from gradatim.qsm.unwrap import Romeo
from gradatim.qsm.unwrap_space import unwrap_phase
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi
SHAPE = (14, 12, 10)
TIMES = (0.004, 0.012, 0.020, 0.028)

coefficients = st.lists(st.floats(-1.0, 1.0), min_size=9, max_size=9)


def surface(weights: list[float], *, steepest: float, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Tensor:
    """A quadratic field of position whose steepest step between neighbours is ``steepest`` rad."""
    axes = [torch.arange(n, dtype=torch.float64) * edge for n, edge in zip(SHAPE, spacing, strict=True)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    terms = torch.stack([x, y, z, x * x / 14, y * y / 14, z * z / 14, x * y / 14, y * z / 14, x * z / 14])
    field = torch.einsum("n,nxyz->xyz", torch.tensor(weights, dtype=torch.float64), terms)
    largest = max(float(torch.diff(field, dim=axis).abs().max()) for axis in range(3))
    return field * (steepest / largest) if largest > 0 else field


def scan(phase: Tensor, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> MultiEcho:
    """All echoes of a phase, wrapped, with unit magnitude."""
    return MultiEcho(torch.ones_like(phase), wrap(phase), TIMES[: len(phase)], 3.0, Grid(SHAPE, spacing))


def assert_same_up_to_turns(found: Tensor, true: Tensor) -> None:
    """Equal but for one whole number of turns."""
    turns = (found - true) / TWO_PI
    assert float((turns - turns.round()).abs().max()) < 1e-6
    assert len(turns.round().unique()) == 1


@settings(max_examples=25, deadline=None)
@given(weights=coefficients, steepest=st.floats(0.0, 3.1))
def test_unwrapping_undoes_wrapping(weights: list[float], steepest: float) -> None:
    true = surface(weights, steepest=steepest)
    assert_same_up_to_turns(unwrap_phase(wrap(true)), true)


@settings(max_examples=15, deadline=None)
@given(weights=coefficients, offset=coefficients, steepest=st.floats(0.0, 3.0))
def test_all_echoes_are_undone_with_any_smooth_offset(
    weights: list[float], offset: list[float], steepest: float
) -> None:
    field = surface(weights, steepest=steepest)  # phase gained from the first to the second echo
    true = torch.stack([surface(offset, steepest=0.3) + field * (time / 0.008) for time in TIMES])
    found = Romeo()(scan(true)).phase
    assert_same_up_to_turns(found[0], true[0])
    for echo in range(1, 4):
        # Σ over echoes: one global turn n of echo 2 − echo 1 is n·(TE_e − TE_1)/(TE_2 − TE_1) turns of echo e
        assert_same_up_to_turns(found[echo] - found[0], true[echo] - true[0])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), steepest=st.floats(0.0, 4.0))
def test_turns_added_to_the_input_change_nothing(seed: int, steepest: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    phase = wrap(surface([1.0, 0.5, -0.2, 0.4, 0, 0.3, -0.5, 0, 0.1], steepest=steepest) + 0.5 * noise)
    turns = torch.randint(-3, 4, SHAPE, generator=generator).double()
    difference = unwrap_phase(phase + TWO_PI * turns) - unwrap_phase(phase)
    assert float(difference.abs().max()) < 1e-9


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_answer_differs_from_the_input_by_whole_turns(seed: int) -> None:
    phase = wrap(4.0 * torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    turns = (Romeo()(scan(phase)).phase - phase) / TWO_PI
    assert float((turns - turns.round()).abs().max()) < 1e-9


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), axis=st.integers(0, 2))
def test_mirrors_and_permutations_commute(seed: int, axis: int) -> None:
    true = surface([1.0, 0.5, -0.2, 0.4, 0, 0.3, -0.5, 0, 0.1], steepest=3.0)
    noise = 0.02 * torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    phase = wrap(true + noise)
    assert_same_up_to_turns(unwrap_phase(phase.flip(axis)).flip(axis), unwrap_phase(phase))
    turned = phase.movedim(axis, 0)
    assert_same_up_to_turns(unwrap_phase(turned).movedim(0, axis), unwrap_phase(phase))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (3.0, 1.0, 1.0)])
def test_anisotropic_voxels(spacing: tuple[float, float, float]) -> None:
    field = surface([0.4, 0.2, 0.3, 0.1, -0.2, 0.1, 0, 0.3, 0.1], steepest=2.8, spacing=spacing)
    true = torch.stack([0.5 + field * (time / 0.008) for time in TIMES])
    found = Romeo(first_echo=FirstEcho(smoothing_mm=2.0))(scan(true, spacing)).phase
    for echo in range(1, 4):
        assert_same_up_to_turns(found[echo] - found[0], true[echo] - true[0])


def test_islands_of_the_mask_keep_their_shape_and_meet() -> None:
    true = surface([1.0, 0.5, 0.2, 0.4, 0, 0.3, -0.5, 0, 0.1], steepest=1.0)
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[:6], mask[7:, :5], mask[7:, 6:, 2:] = True, True, True
    found = unwrap_phase(wrap(true), mask=mask)
    # parts lie two voxels apart, over which the phase changes by less than half a turn
    assert_same_up_to_turns(found[mask], true[mask])
    assert bool((found[~mask] == 0).all())


def test_gradients_pass_to_the_phase_unchanged() -> None:
    phase = wrap(surface([1.0, 0.5, 0.2, 0.4, 0, 0.3, -0.5, 0, 0.1], steepest=2.0))
    echoes = torch.stack([phase, wrap(3 * phase), wrap(5 * phase)]).requires_grad_()
    signal = MultiEcho(torch.ones_like(echoes), echoes, TIMES[:3], 3.0, Grid(SHAPE, (1.0, 1.0, 1.0)))
    weights = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (Romeo()(signal).phase * weights).sum().backward()
    assert torch.allclose(echoes.grad, weights, atol=1e-12)
