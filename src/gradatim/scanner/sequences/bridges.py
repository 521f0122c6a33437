"""Gradients that leave from a level and end at zero with an exact area: rephasers and crushers beside a selection."""

import math
from collections.abc import Sequence

import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Lobe
from gradatim.scanner.sequences.lobes import ROUNDING
from gradatim.scanner.system import System


def bridge(area: float, begin: float, system: System, *, duration: int | None = None) -> Lobe:
    """The gradient that starts at a level, ends at 0 and has an area; shortest on the raster, or as long as asked.

    In real numbers, with peak g: g² = S·A + b²/2 and T = (2g − b)/S where g ≤ G. On the raster both ramps are whole
    ticks, and the peak, g = (A − b·a/2)/(T − (a + e)/2) with ramps a and e, follows from them. Of all that fit, the
    lowest peak is taken.

    Args:
        area: ∫G dt from the level to the end, T·s/m.
        begin: b, the level, T/m.
        system: whose limits and gradient raster hold.
        duration: ns, a whole number of rasters; None for the shortest.

    Raises:
        UsageError: GD-171 if the duration is off the raster or too short, with the shortest possible.

    Example:
        >>> lobe = bridge(1.41e-5, 0.0094, System(0.040, 150.0))
        >>> lobe.end, round(1e6 * lobe.area, 6)
        (570000, 14.1)
    """
    raster = system.rasters.gradient
    if duration is not None:
        found = _knots(area, begin, duration // raster, system)
        if found is None or duration % raster:
            raise UsageError(
                "GD-171",
                given=f"an area of {area:.4g} T·s/m from {1e3 * begin:.4g} mT/m to 0 in {duration} ns",
                allowed=f"whole multiples of {raster} ns from {bridge(area, begin, system).end} ns on",
                do="give it more time, or a stronger and faster gradient system",
            )
        return found
    count = max(1, math.floor(_continuous(area, begin, system) * TICKS / raster - 1e-6))
    while (found := _knots(area, begin, count, system)) is None:
        count += 1
    return found


def mirrored(lobe: Lobe) -> Lobe:
    """The same gradient played backwards in the same time.

    Args:
        lobe: whose time runs from 0 to its end.
    """
    return Lobe(lobe.end - lobe.times.flip(0), lobe.values.flip(0))


def joined(pieces: Sequence[tuple[int, Lobe]]) -> Lobe:
    """Gradients of one axis, one after the other, as one; where two meet they have the same value.

    Args:
        pieces: each with the time at which its own time 0 lies, ns.
    """
    knots: dict[int, float] = {}
    for start, lobe in pieces:
        knots |= {start + time: value for time, value in zip(lobe.times.tolist(), lobe.values.tolist(), strict=True)}
    times = sorted(knots)
    return Lobe(torch.tensor(times), torch.tensor([knots[time] for time in times], dtype=torch.float64))


def _continuous(area: float, begin: float, system: System) -> float:
    """The shortest time in real numbers, s."""
    if begin < 0 or (begin == 0 and area < 0):
        area, begin = -area, -begin
    strong, fast = system.max_gradient, system.max_slew
    if area < begin**2 / (2 * fast):
        lowest = math.sqrt(begin**2 / 2 - fast * area)
        over = max(0.0, lowest - strong) ** 2 / (fast * strong)
        return (begin + 2 * lowest) / fast + over
    highest = math.sqrt(fast * area + begin**2 / 2)
    if highest <= strong:
        return (2 * highest - begin) / fast
    return (2 * strong - begin) / fast + (area - (2 * strong**2 - begin**2) / (2 * fast)) / strong


def _knots(area: float, begin: float, count: int, system: System) -> Lobe | None:
    """The bridge of so many ticks with the lowest peak, or None."""
    raster = system.rasters.gradient
    tick, strong, fast = raster / TICKS, system.max_gradient * ROUNDING, system.max_slew * ROUNDING
    if count < 1:
        return None
    most = min(count, math.ceil(2 * system.max_gradient / system.max_slew / tick) + 1)
    away, home = torch.meshgrid(*(torch.arange(most + 1, dtype=torch.float64),) * 2, indexing="ij")
    width = tick * (count - 0.5 * (away + home))
    peak = torch.where(width > 0, (area - 0.5 * begin * away * tick) / width, torch.inf)
    fits = (away + home <= count) & (peak.abs() <= strong) & (width > 0)
    fits &= ((peak - begin).abs() <= fast * tick * away) & (peak.abs() <= fast * tick * home)
    if not bool(fits.any()):
        return None
    best = int(torch.where(fits, peak.abs(), torch.inf).argmin())
    rise, fall, top = int(away.flatten()[best]), int(home.flatten()[best]), float(peak.flatten()[best])
    knots = {0: begin, rise * raster: top, (count - fall) * raster: top, count * raster: 0.0}
    return Lobe(torch.tensor(list(knots)), torch.tensor(list(knots.values()), dtype=torch.float64))
