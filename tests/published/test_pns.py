"""Published numbers of nerve stimulation: the SAFE reference waveform, and limits of strength and duration."""

import numpy as np
import pytest
import torch

from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE
from gradatim.scanner.safety.safe import Safe
from gradatim.scanner.safety.strength_duration import (
    BOURLAND_Y,
    BOURLAND_Z,
    FIRST_LEVEL,
    NORMAL_MODE,
    CardiacLimit,
)


@pytest.mark.parametrize("gradients", ["compiled", "differentiable"])
def test_safe_reference_waveform(shared, gradients):
    """Szczepankiewicz and Witzel 2018: example waveform in the example hardware, every printed digit."""
    table = np.loadtxt(shared / "data/scanner/safe/safe_example_waveform_T_per_m.csv", delimiter=",")
    given = torch.from_numpy(table[:, :3].copy()).requires_grad_(gradients == "differentiable")
    peak = Safe(step=1e-3).of_samples(given).peak
    assert [f"{value:.4f}" for value in (*peak.axes, peak.total)] == ["19.4438", "84.8218", "43.5229", "85.5161"]


def test_safe_example_hardware():
    """The coefficients as the reference code prints them, ms made s."""
    expected = {
        "x": ((0.40, 0.10, 0.50), (0.20, 0.03, 3.00), 30.0, 24.0, 0.35),
        "y": ((0.55, 0.15, 0.30), (1.50, 2.50, 0.15), 15.0, 12.0, 0.31),
        "z": ((0.42, 0.40, 0.18), (2.00, 0.12, 1.00), 25.0, 20.0, 0.25),
    }
    for name, (weights, taus, limit, threshold, scale) in expected.items():
        axis = getattr(EXAMPLE_HARDWARE, name)
        assert axis.weights == weights
        assert axis.time_constants == pytest.approx([1e-3 * tau for tau in taus])
        assert (axis.limit, axis.threshold, axis.scale) == (limit, threshold, scale)
        assert sum(weights) == pytest.approx(1)


@pytest.mark.parametrize(
    ("duration", "first", "cardiac"),
    [(0.1, 92.0, 610), (0.2, 56.0, 310), (0.3, 44.0, 210), (0.5, 34.4, 130), (1.0, 27.2, 71)],
)
def test_limits_of_the_standard(duration, first, cardiac):
    """IEC 60601-2-33: first level 20 (1 + 0.36/ts), normal 0.8 of it, cardiac 20/(1 - exp(-ts/3)); ts in ms."""
    assert float(FIRST_LEVEL(1e-3 * duration)) == pytest.approx(first, abs=1e-9)
    assert float(NORMAL_MODE(1e-3 * duration)) == pytest.approx(0.8 * first, abs=1e-9)
    assert float(f"{float(CardiacLimit()(1e-3 * duration)):.2g}") == cardiac


@pytest.mark.parametrize(("swing", "slew", "share"), [(0.080, 150.0, 0.90), (0.064, 150.0, 0.81), (0.160, 200.0, 1.38)])
def test_field_at_twenty_centimetres(swing, slew, share):
    """The rule of thumb's three worked swings: the last is over the limit."""
    assert round(FIRST_LEVEL.of_swing(swing, slew), 2) == share


def test_the_first_worked_swing_step_by_step():
    """From -40 to +40 mT/m at 150 T/m/s: ts 533 us, dB/dt 30 T/s."""
    assert round(1e6 * 0.080 / 150) == 533
    assert 30.0 / float(FIRST_LEVEL(0.080 / 150)) == pytest.approx(FIRST_LEVEL.of_swing(0.080, 150.0))


def test_bourland():
    """Bourland 1999, 84 people: rheobase and chronaxie 15 T/s, 0.37 ms (y) and 26 T/s, 0.38 ms (z)."""
    assert (BOURLAND_Y.rheobase, BOURLAND_Y.chronaxie) == (15.0, 0.37e-3)
    assert (BOURLAND_Z.rheobase, BOURLAND_Z.chronaxie) == (26.0, 0.38e-3)
    assert float(BOURLAND_Z(0.38e-3)) == pytest.approx(52.0)
