"""The hyperbola, the nerve that obeys it, and their refusals."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Block, Lobe, Sequence, trapezoid
from gradatim.base.waveform import Waveform
from gradatim.scanner.safety.nerve_response import NerveResponse
from gradatim.scanner.safety.strength_duration import BOURLAND_Y, FIRST_LEVEL, CardiacLimit, StrengthDuration


@settings(max_examples=30, deadline=None)
@given(rheobase=st.floats(1, 100), chronaxie=st.floats(1e-5, 1e-3), steps=st.integers(1, 200))
def test_a_pulse_on_the_hyperbola_stimulates_to_the_limit(rheobase, chronaxie, steps):
    law = StrengthDuration(rheobase, chronaxie)
    duration = steps * 1e-5
    slew = float(law(duration)) / 0.2
    ramp = torch.arange(steps + 1, dtype=torch.float64)[:, None] * torch.tensor([slew * 1e-5, 0.0, 0.0]).double()
    found = NerveResponse(law).of_samples(ramp)
    assert found.peak.total == pytest.approx(100, rel=1e-6)
    assert found.peak.time == pytest.approx(duration)


def test_the_convolution_is_exact_for_straight_pieces():
    """Σ sᵢ·(c/(c + t − tᵢ₊₁) − c/(c + t − tᵢ)) over the pieces, at every knot."""
    edges = torch.tensor([0, 10, 24, 31, 60, 75], dtype=torch.float64) * 1e-5
    values = torch.tensor([0.0, 0.03, 0.01, -0.02, -0.02, 0.0], dtype=torch.float64)
    lobes = torch.stack([values, torch.zeros(6).double(), -0.5 * values], dim=-1)
    found = NerveResponse(BOURLAND_Y)(Waveform(edges, lobes[:-1], lobes[1:])).axes[:, 0]
    c, r = BOURLAND_Y.chronaxie, BOURLAND_Y.rheobase
    for t in edges[1:].tolist():
        rate = [0.2 * float(v) for v in values.diff() / edges.diff()]
        parts = [
            s * (c / (c + t - b) - c / (c + t - a)) for s, a, b in zip(rate, edges, edges[1:], strict=False) if b <= t
        ]
        assert float(found[round(t / 1e-5)]) == pytest.approx(100 * abs(float(sum(parts))) / r, rel=1e-9)


def test_the_response_is_differentiable():
    draw = torch.Generator().manual_seed(1)
    gradients = (0.02 * torch.randn(12, 3, generator=draw, dtype=torch.float64)).requires_grad_()
    response = NerveResponse(step=1e-4)
    assert torch.autograd.gradcheck(lambda g: response.of_samples(g).excess(20.0), gradients, eps=1e-8, rtol=1e-5)
    durations = torch.tensor([1e-4, 1e-3], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(FIRST_LEVEL, durations, eps=1e-9, rtol=1e-5)
    assert torch.autograd.gradcheck(CardiacLimit(), durations, eps=1e-9, rtol=1e-5)


def test_a_sequence_is_taken_as_it_is_played():
    lobe = trapezoid(0, 400_000, 0, 400_000, amplitude=0.04)
    found = NerveResponse()(Sequence((Block(800_000, lobes=(lobe, None, None)),)))
    assert found.peak.total == pytest.approx(100 * FIRST_LEVEL.of_swing(0.04, 100.0), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-5, 1e-2), st.floats(1.01, 10))
def test_longer_changes_need_less(duration, factor):
    for law in (FIRST_LEVEL, CardiacLimit()):
        assert float(law(factor * duration)) < float(law(duration))


@pytest.mark.parametrize("duration", [0.0, -1e-3, math.nan, math.inf])
def test_an_impossible_duration_is_refused(duration):
    for law in (FIRST_LEVEL, CardiacLimit()):
        with pytest.raises(UsageError, match="GD-177"):
            law(duration)
    with pytest.raises(UsageError, match="GD-177"):
        FIRST_LEVEL.of_swing(duration, 100.0)


def test_impossible_models_are_refused():
    for numbers in ((0.0, 1e-3), (20.0, math.nan), (-1.0, 1e-3)):
        with pytest.raises(UsageError, match="GD-175"):
            StrengthDuration(*numbers)
    for numbers in ({"lever": 0.0}, {"step": math.nan}):
        with pytest.raises(UsageError, match="GD-175"):
            NerveResponse(**numbers)
    with pytest.raises(UsageError, match="GD-176"):
        NerveResponse().of_samples(torch.zeros(3))


def test_a_jump_is_a_slew_of_one_step():
    jump = Lobe(torch.tensor([0, 10_000, 20_000]), torch.tensor([0.001, 0.001, 0.001], dtype=torch.float64))
    found = NerveResponse()(Sequence((Block(20_000, lobes=(jump, None, None)),)))
    assert found.peak.total == pytest.approx(100 * FIRST_LEVEL.of_swing(0.001, 100.0), rel=1e-6)
