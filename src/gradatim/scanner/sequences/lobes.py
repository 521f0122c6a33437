"""The shortest gradient lobe of an area that a scanner can play on its raster."""

import math

from gradatim.base.errors import UsageError
from gradatim.base.sequence import LONGEST, TICKS, Lobe, ticks, trapezoid
from gradatim.scanner.system import System

ROUNDING = 1.0 + 1e-9
"""How far above a limit an amplitude counts as the limit itself."""


def lobe_of_area(area: float, system: System, *, duration: int | None = None, delay: int = 0) -> Lobe:
    """The trapezoid of an area that is shortest on the raster, or that lasts as long as is asked.

    In real numbers it lasts 2·√(A/S) where A ≤ G²/S, else A/G + G/S. On the raster, rise and fall are the fewest
    ticks a and the whole the fewest ticks n for which the amplitude A/((n − a)·raster), which follows from them and
    keeps the area, is within both limits.

    Args:
        area: ∫G dt, T·s/m, of either sign.
        system: whose limits and gradient raster hold.
        duration: from the first knot to the last, ns, a whole number of rasters; None for the shortest.
        delay: before the first knot, ns.

    Raises:
        UsageError: GD-166 if the area is not finite, or the duration is off the raster or too short, with the
            shortest possible.

    Example:
        >>> lobe = lobe_of_area(64 / 42.577478461e6 / 0.22, System(0.040, 150.0))
        >>> lobe.end, lobe.times.tolist()
        (430000, [0, 190000, 240000, 430000])
    """
    raster = system.rasters.gradient
    if not math.isfinite(area):
        raise _refused(f"a lobe of {area} T·s/m", "an area that is a number", "give T·s/m")
    if duration is None:
        duration = shortest_lobe(area, system)
    ramp = _ramp(abs(area), duration // raster, system)
    if ramp is None or duration % raster:
        raise _refused(
            f"a lobe of {area:.4g} T·s/m in {duration} ns",
            f"whole multiples of {raster} ns from {shortest_lobe(area, system)} ns on",
            "give it more time, or a stronger and faster gradient system",
        )
    count = duration // raster
    amplitude = area / ((count - ramp) * raster / TICKS)
    return trapezoid(delay, ramp * raster, (count - 2 * ramp) * raster, ramp * raster, amplitude=amplitude)


def shortest_lobe(area: float, system: System) -> int:
    """How long the shortest lobe of an area lasts on the raster, ns; two rasters for no area.

    Args:
        area: T·s/m, of either sign.
        system: whose limits and gradient raster hold.

    Raises:
        UsageError: GD-166 for an area that no lobe of 11 days has.

    Example:
        >>> shortest_lobe(6.833e-6, System(0.040, 150.0))
        430000
    """
    area, raster = abs(area), system.rasters.gradient
    gradient, slew = system.max_gradient, system.max_slew
    bound = 2 * math.sqrt(area / slew) if area <= gradient**2 / slew else area / gradient + gradient / slew
    if not bound <= LONGEST:
        raise _refused(f"a lobe of {area:.4g} T·s/m", f"lobes of up to {LONGEST:g} s", "check the units: T·s/m")
    count = max(2, math.floor(bound * TICKS / raster))
    while _ramp(area, count, system) is None:
        count += 1
    return count * raster


def ramp_of(amplitude: float, system: System) -> int:
    """The shortest ramp from 0 to an amplitude on the raster, ns, one raster at least.

    Args:
        amplitude: T/m, of either sign.
        system: whose limits and gradient raster hold.

    Raises:
        UsageError: GD-166 if the amplitude is beyond the limit.

    Example:
        >>> ramp_of(0.0094, System(0.040, 150.0))
        70000
    """
    if not abs(amplitude) <= system.max_gradient * ROUNDING:
        raise _refused(
            f"a gradient of {1e3 * amplitude:.4g} mT/m",
            f"at most {1e3 * system.max_gradient:.4g} mT/m",
            "ask for a thicker slice, a longer dwell time or a larger field of view, or use a stronger system",
        )
    return max(system.rasters.gradient, ticks(abs(amplitude) / system.max_slew, system.rasters.gradient))


def _ramp(area: float, count: int, system: System) -> int | None:
    """The fewest ticks of rise for an area within so many ticks, None where there is none.

    The slew rate A/((n − a)·a) falls with a up to n/2 and the amplitude A/(n − a) rises, so that the first a that is
    slow enough is the only one that need be looked at.
    """
    raster = system.rasters.gradient / TICKS
    if count < 2:
        return None
    needed = area / (system.max_slew * ROUNDING * raster**2)
    room = count**2 / 4 - needed
    if room < 0:
        return None
    first = max(1, math.ceil(count / 2 - math.sqrt(room) - 1e-9))
    fits = 2 * first <= count and needed <= first * (count - first) * (1 + 1e-12)
    strong = area > system.max_gradient * ROUNDING * (count - first) * raster
    return first if fits and not strong else None


def _refused(given: str, allowed: str, do: str) -> UsageError:
    return UsageError("GD-166", given=given, allowed=allowed, do=do)
