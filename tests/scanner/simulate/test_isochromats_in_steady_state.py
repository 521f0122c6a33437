"""Trains of pulses against the closed forms of their steady states."""

import math

import pytest
import torch

from gradatim.base.sequence import Block, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from tests.scanner.simulate.scans import MS, US, hard, listen, play, sequence, wait


@pytest.mark.parametrize("degrees", [5, 20, 60, 90])
def test_a_train_whose_transverse_part_has_decayed_reaches_ernst(degrees):
    """S = sin α·(1 − E1)/(1 − E1·cos α), exact where nothing of M₊ is left at the next pulse."""
    alpha, t1, tr = math.radians(degrees), 0.25, 60 * MS
    blocks = [play(hard(alpha, duration=2)), listen(1, 2), wait(tr - 4)] * 150
    raw = Isochromats()(sequence(blocks), spins_at(torch.zeros(1, 3), t1=t1, t2=2e-3))
    kept = math.exp(-0.060 / t1)
    expected = math.sin(alpha) * (1 - kept) / (1 - kept * math.cos(alpha))
    assert abs(raw.samples[0, -1].item()) == pytest.approx(expected, rel=2e-6)


def test_balanced_pulses_reach_the_steady_state_of_freeman_and_hill():
    """Just after a pulse, θ the precession in a repetition beyond the pulses' own alternation.

    |M₊| = M0·(1 − E1)·sin α·√(1 − 2·E2·cos θ + E2²)/((1 − E1·cos α)(1 − E2·cos θ) − E2·(E1 − cos α)(E2 − cos θ)).
    """
    alpha, tr, t1, t2 = math.radians(50), 5 * MS, 0.3, 0.1
    offsets = torch.linspace(-100.0, 100.0, 21).double()
    spins = spins_at(torch.zeros(21, 3), t1=t1, t2=t2, offset=offsets)
    blocks = []
    for i in range(600):
        blocks += [play(hard(alpha, duration=2, phase=math.pi * (i % 2))), listen(1, 2), wait(tr - 4)]
    raw = Isochromats()(sequence(blocks), spins, sensitivity=torch.eye(21))
    e1, e2, turn = math.exp(-0.005 / t1), math.exp(-0.005 / t2), 2 * math.pi * offsets * 0.005 + math.pi
    across = (1 - 2 * e2 * torch.cos(turn) + e2**2).sqrt()
    below = (1 - e1 * math.cos(alpha)) * (1 - e2 * torch.cos(turn)) - e2 * (e1 - math.cos(alpha)) * (
        e2 - torch.cos(turn)
    )
    assert torch.allclose(raw.samples[:, -1].abs(), (1 - e1) * math.sin(alpha) * across / below, rtol=1e-4)


def test_hahns_echo_of_two_right_angles_and_the_stimulated_echo_of_three():
    """Amplitudes sin α₁·sin²(α₂/2) and ½·sin α₁·sin α₂·sin α₃, where gradients have dephased all else."""
    lobe = trapezoid(0, 100 * US, 800 * US, 100 * US, amplitude=0.02)
    spoiler = trapezoid(0, 100 * US, 1800 * US, 100 * US, amplitude=7 * 0.02 * 900 / 1900)
    period = 1.0 / (PROTON_GAMMA_BAR_HZ_PER_T * 0.02 * 900e-6)
    place = torch.arange(64, dtype=torch.float64)[:, None] / 64 * period * torch.tensor([1.0, 0.0, 0.0])
    spins = spins_at(place, density=1 / 64)
    dephase = Block(MS, lobes=(lobe, None, None))
    a, b, c = 1.2, 0.9, 0.7
    hahn = [play(hard(a, duration=2)), dephase, play(hard(b, duration=2)), dephase, listen(1, 2)]
    found = abs(Isochromats()(sequence(hahn), spins).samples[0, 0].item())
    assert found == pytest.approx(math.sin(a) * math.sin(b / 2) ** 2, abs=1e-6)
    spoil = Block(2 * MS, lobes=(spoiler, None, None))
    stored = [play(hard(a, duration=2)), dephase, play(hard(b, duration=2)), spoil, play(hard(c, duration=2)), dephase]
    found = abs(Isochromats()(sequence([*stored, listen(1, 2)]), spins).samples[0, 0].item())
    assert found == pytest.approx(0.5 * math.sin(a) * math.sin(b) * math.sin(c), abs=1e-6)
