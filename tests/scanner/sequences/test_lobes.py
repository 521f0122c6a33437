"""The shortest lobe on the raster against brute force, and its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Readout, trapezoid
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.lobes import lobe_of_area, ramp_of, shortest_lobe
from gradatim.scanner.system import System

AREA = st.floats(1e-9, 3e-4)
GRADIENT = st.floats(0.005, 0.5)
SLEW = st.floats(20.0, 700.0)


def brute_force(area: float, system: System) -> int:
    """The fewest rasters for which any symmetric or lopsided trapezoid keeps both limits."""
    raster = system.rasters.gradient / 1e9
    for count in range(2, 10_000):
        for rise in range(1, count):
            for fall in {rise, min(rise + 1, count - rise)} if rise < count else ():
                if rise + fall > count or fall < 1:
                    continue
                amplitude = area / ((count - (rise + fall) / 2) * raster)
                slow = amplitude <= system.max_slew * min(rise, fall) * raster * (1 + 1e-9)
                if slow and amplitude <= system.max_gradient * (1 + 1e-9):
                    return count * system.rasters.gradient
    raise AssertionError


@given(area=st.floats(1e-9, 3e-6), gradient=GRADIENT, slew=SLEW)
def test_no_trapezoid_is_shorter(area: float, gradient: float, slew: float) -> None:
    system = System(gradient, slew)
    assert shortest_lobe(area, system) == brute_force(area, system)


@given(area=AREA, gradient=GRADIENT, slew=SLEW, negative=st.booleans())
def test_limits_hold_after_rounding_and_the_area_is_exact(
    area: float, gradient: float, slew: float, *, negative: bool
) -> None:
    system = System(gradient, slew)
    wanted = -area if negative else area
    lobe = lobe_of_area(wanted, system, delay=30_000)
    assert lobe.area == pytest.approx(wanted, rel=1e-13)
    assert float(lobe.values.abs().max()) <= gradient * (1 + 1e-8)
    assert float((lobe.values.diff() / (lobe.times.diff().double() / 1e9)).abs().max()) <= slew * (1 + 1e-8)
    assert lobe.times[0] == 30_000
    assert not bool((lobe.times % 10_000).any())


@given(area=AREA, gradient=GRADIENT, slew=SLEW)
def test_rounding_costs_at_most_two_rasters(area: float, gradient: float, slew: float) -> None:
    bound = 2 * math.sqrt(area / slew) if area <= gradient**2 / slew else area / gradient + gradient / slew
    found = shortest_lobe(area, System(gradient, slew)) / 1e9
    assert bound - 1e-9 <= found <= max(bound + 2e-5, 2e-5) + 1e-9


def test_a_longer_lobe_is_weaker_and_lasts_exactly_as_long() -> None:
    system = System(0.040, 150.0)
    short, long = (lobe_of_area(5e-6, system, duration=t) for t in (370_000, 2_000_000))
    assert long.end == 2_000_000
    assert float(long.values.max()) < float(short.values.max())
    assert long.area == pytest.approx(5e-6, rel=1e-14)


def test_what_cannot_be_played_names_the_shortest() -> None:
    system = System(0.040, 150.0)
    with pytest.raises(UsageError, match=r"GD-166.*370000 ns"):
        lobe_of_area(5e-6, system, duration=360_000)
    with pytest.raises(UsageError, match="GD-166"):
        lobe_of_area(5e-6, system, duration=405_000)
    with pytest.raises(UsageError, match="GD-166"):
        lobe_of_area(math.nan, system)
    with pytest.raises(UsageError, match="GD-166"):
        ramp_of(0.0401, system)


def test_no_area_is_the_shortest_lobe_of_all() -> None:
    assert lobe_of_area(0.0, System()).values.abs().max() == 0.0
    assert shortest_lobe(0.0, System()) == 20_000


def test_dead_times_shift_all_events_together() -> None:
    system = System(pulse_dead=105_000)
    pulse = HardPulse(0.5, 1e-4)(system)
    made = block(system, pulse=pulse, lobes=(None, None, trapezoid(0, 10_000, 100_000, 10_000, amplitude=0.01)))
    assert made.pulse is not None
    assert made.lobes[2] is not None
    assert made.pulse.delay == int(made.lobes[2].times[0]) == 110_000
    assert made.duration == 230_000
    late = block(system, readout=Readout(0, 1_000, 11))
    assert late.readout is not None
    assert (late.readout.delay, late.duration) == (10_000, 40_000)
    with pytest.raises(UsageError, match=r"GD-166.*40000 ns"):
        block(system, readout=Readout(0, 1_000, 11), duration=30_000)
