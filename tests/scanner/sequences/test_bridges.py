"""Gradients from a level to zero: exact areas within the limits, no longer than real numbers allow plus two rasters."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.scanner.sequences.blips import half_blip
from gradatim.scanner.sequences.bridges import bridge, joined, mirrored
from gradatim.scanner.sequences.lobes import shortest_lobe
from gradatim.scanner.system import System

SYSTEM = System(0.040, 150.0)
AREAS = st.floats(-2e-4, 2e-4)
LEVELS = st.floats(-0.04, 0.04)


@given(AREAS, LEVELS)
def test_the_area_is_exact_and_the_limits_hold(area: float, begin: float) -> None:
    lobe = bridge(area, begin, SYSTEM)
    assert lobe.area == pytest.approx(area, abs=1e-15)
    assert float(lobe.values[0]) == pytest.approx(begin, abs=1e-12)
    assert float(lobe.values[-1]) == pytest.approx(0.0, abs=1e-9)
    assert float(lobe.values.abs().max()) <= 0.04 * (1 + 1e-8)
    assert float((lobe.values.diff() / lobe.times.diff() * 1e9).abs().max()) <= 150 * (1 + 1e-8)
    assert bool((lobe.times % 10_000 == 0).all())


@given(st.floats(1e-7, 2e-4))
def test_from_zero_it_lasts_as_long_as_a_lobe_within_a_raster(area: float) -> None:
    assert abs(bridge(area, 0.0, SYSTEM).end - shortest_lobe(area, SYSTEM)) <= 10_000


@given(AREAS, LEVELS)
def test_it_stays_close_to_the_time_optimal_one(area: float, begin: float) -> None:
    """A ramp to a peak and back: T = (2g − b)/S with g² = S·A + b²/2 where that stays below the strongest gradient."""
    if begin < 0:
        area, begin = -area, -begin
    square = 150 * area + begin**2 / 2
    if begin**2 <= square <= 0.04**2:
        best = (2 * math.sqrt(square) - begin) / 150
        assert best * 1e9 - 1 <= bridge(area, begin, SYSTEM).end <= best * 1e9 + 30_000


def test_a_duration_is_kept_or_refused() -> None:
    shortest = bridge(1e-5, 0.01, SYSTEM).end
    assert bridge(1e-5, 0.01, SYSTEM, duration=shortest + 50_000).end == shortest + 50_000
    for wrong in (shortest - 10_000, shortest + 5_000):
        with pytest.raises(UsageError) as refused:
            bridge(1e-5, 0.01, SYSTEM, duration=wrong)
        assert refused.value.code == "GD-171"


def test_mirrored_and_joined_gradients_keep_their_areas() -> None:
    after = bridge(1e-5, 0.01, SYSTEM)
    whole = joined([(0, mirrored(after)), (after.end + 100_000, after)])
    assert whole.area == pytest.approx(2e-5 + 0.01 * 1e-4)
    assert torch.equal(mirrored(mirrored(after)).times, after.times)


@given(st.floats(1e-9, 1e-5))
def test_two_halves_make_a_blip_within_the_limits(area: float) -> None:
    half = half_blip(area, SYSTEM)
    assert half.peak * half.duration / 1e9 == pytest.approx(area)
    assert half.peak <= min(0.04, 150 * half.duration / 1e9) * (1 + 1e-5)
    first, second = half.around(1_000_000, before=0, after=1), half.around(1_000_000, before=1, after=0)
    assert first is not None
    assert second is not None
    assert first.area + second.area == pytest.approx(area)
    assert half.around(1_000_000, before=0, after=0) is None
