"""Refocused amplitude |β|² of 3-9-19 and W5 by pulses without length, second half with inverted phase.

Angles: Sklenář et al. 1993 (26α = 180°), and as rounded in practice; Liu et al. 1998. The table gives |β|² at ντ, the
first ντ on a grid of 1e-4 at which it exceeds 1 %, and at which it exceeds one half.
"""

import math

import pytest
import torch

from gradatim.scanner.pulses.binomial import JUMP_RETURN, THREE_NINE_NINETEEN, W5, BinomialTrain, instant_train
from gradatim.scanner.pulses.spinor import pulse_spinor
from gradatim.scanner.system import System

ROUNDED = tuple(math.radians(part) for part in (20.8, 62.2, 131.6, -131.6, -62.2, -20.8))
AT = (0.02, 0.05, 0.1, 0.25, 0.5)
TABLE = {
    "3-9-19": (THREE_NINE_NINETEEN, (0.0177, 0.1061, 0.3663, 0.9637, 1.0000), 0.0151, 0.1226),
    "3-9-19 rounded": (ROUNDED, (0.0177, 0.1062, 0.3666, 0.9643, 0.99999), 0.0150, 0.1225),
    "W5": (W5, (0.0447, 0.2511, 0.7044, 0.9925, 0.99985), 0.0094, 0.0766),
}


def refocused(angles: tuple[float, ...], places: list[float]) -> list[float]:
    return [float(value) for value in instant_train(angles, torch.tensor(places, dtype=torch.float64)).refocused]


@pytest.mark.parametrize("name", TABLE)
def test_the_refocused_amplitude(name: str) -> None:
    angles, published, _, _ = TABLE[name]
    for found, value in zip(refocused(angles, list(AT)), published, strict=True):
        digits = 5 if value in {0.99999, 0.99985} else 4
        assert round(found, digits) == value


@pytest.mark.parametrize("name", TABLE)
def test_the_width_of_the_hole(name: str) -> None:
    angles, _, hundredth, half = TABLE[name]
    grid = torch.arange(2501, dtype=torch.float64) * 1e-4
    found = instant_train(angles, grid).refocused
    assert round(float(grid[(found > 0.01).nonzero()[0]]), 4) == hundredth
    assert round(float(grid[(found > 0.5).nonzero()[0]]), 4) == half


@pytest.mark.parametrize("name", TABLE)
def test_nulls_on_resonance_and_at_multiples_of_1_over_tau(name: str) -> None:
    assert max(refocused(TABLE[name][0], [0.0, 1.0])) < 1e-30
    assert max(refocused(TABLE[name][0], [2.0, -3.0])) < 1e-29


@pytest.mark.parametrize(("angles", "published"), [(THREE_NINE_NINETEEN, 44), (W5, 112)])
def test_near_resonance_it_grows_as_the_square(angles: tuple[float, ...], published: int) -> None:
    """The published coefficients are those at 0.02/τ; the limit is (π·Σ sin θ)², θ the angle after each pulse."""
    assert round(refocused(angles, [0.02])[0] / 0.02**2) == published
    turned = torch.tensor(angles, dtype=torch.float64).cumsum(0)[:-1]
    limit = float((math.pi * turned.sin().sum()) ** 2)
    assert refocused(angles, [1e-5])[0] / 1e-10 == pytest.approx(limit, rel=1e-6)


def test_w5_has_the_narrower_hole() -> None:
    places = [0.01 * i for i in range(1, 26)]
    pairs = zip(refocused(W5, places), refocused(THREE_NINE_NINETEEN, places), strict=True)
    assert all(w5 > other for w5, other in pairs)


@pytest.mark.parametrize("angles", [THREE_NINE_NINETEEN, W5])
def test_real_pulses_come_near_to_instant_ones_and_still_spare_resonance(angles: tuple[float, ...]) -> None:
    offset = torch.linspace(0.0, 2500.0, 26, dtype=torch.float64)
    ideal = instant_train(angles, offset * 200e-6).refocused
    far = []
    for b1 in (600e-6, 6e-3):
        real = pulse_spinor(BinomialTrain(angles, 200e-6)(System(max_b1=b1)), offset=offset).refocused
        assert float(real[0]) < 1e-25
        far.append(float((real - ideal).abs().max()))
    assert far[0] < 0.05
    assert far[1] < 0.1 * far[0] + 1e-3


def test_jump_and_return_refocuses_as_a_squared_sine() -> None:
    places = [0.1, 0.25, 0.4]
    # Two opposite quarter turns are one turn by 2πντ about an axis across: |β|² = sin²(πντ).
    assert refocused(JUMP_RETURN, places) == pytest.approx([math.sin(math.pi * p) ** 2 for p in places])
