"""One line of an echo-planar readout: the shortest trapezoid that is sampled on its ramps, and its blips."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Lobe, Readout, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.sequences.blips import HalfBlip, half_blip
from gradatim.scanner.sequences.lobes import ROUNDING
from gradatim.scanner.system import System

_SAMPLES = 4
"""Receivers take readouts in whole multiples of so many samples."""


@dataclass(frozen=True)
class EchoPlanarLine:
    """A traverse of k-space, as played: symmetric, with one sample exactly in its middle.

    Args:
        period: of the echoes, which is the duration of the lobe, ns.
        rise: of the ramps, ns.
        amplitude: T/m.
        delay: before the first sample's dwell, ns.
        dwell: ns.
        samples: how many.
        blip: the half blips around the line.
    """

    period: int
    rise: int
    amplitude: float
    delay: int
    dwell: int
    samples: int
    blip: HalfBlip

    @property
    def area(self) -> float:
        """Of the whole lobe, T·s/m."""
        return self.amplitude * (self.period - self.rise) / TICKS

    def lobe(self, sign: int) -> Lobe:
        """The readout's gradient.

        Args:
            sign: +1, or −1 for a line that runs back.
        """
        flat = self.period - 2 * self.rise
        return trapezoid(0, self.rise, flat, self.rise, amplitude=sign * self.amplitude)

    def readout(self, labels: Mapping[str, int], *, phase: float = 0.0) -> Readout:
        """The samples of one line.

        Args:
            labels: its counters.
            phase: of the receiver, rad.
        """
        return Readout(self.delay, self.dwell, self.samples, phase=phase, labels=labels)


@lru_cache(maxsize=64)
def shortest_line(extent: float, points: int, system: System, *, step: float) -> EchoPlanarLine:
    """The line of shortest duration that covers points/extent in k while no blip plays.

    In real numbers the duration is that of the shortest lobe of area N/(γ̄·FOV) + S·(T_b/2)², T_b the blip's. Here
    ramps, blips and dwell times lie on their rasters, all rounded up, and the amplitude follows from them: with ramps
    r and a gap h at both ends, G = A/(T − r − h²/r). Of all that last as little, that of the longest dwell time is
    taken. Dwell times obey γ̄·G·dwell ≤ 1/FOV at the peak, and one sample, that of index samples/2, lies at the lobe's
    middle, which is k = 0 whichever way the line runs.

    Args:
        extent: field of view along the line, m.
        points: voxels across it.
        system: whose limits, rasters and dead times hold.
        step: between lines, 1/m; 0 for lines without blips.

    Raises:
        UsageError: GD-170 if no line on this raster is sampled finely enough.

    Example:
        >>> line = shortest_line(0.22, 64, System(0.040, 150.0), step=1 / 0.22)
        >>> line.period, line.samples, line.dwell
        (440000, 104, 3600)
    """
    blip = half_blip(abs(step) / PROTON_GAMMA_BAR_HZ_PER_T, system)
    area = points / (PROTON_GAMMA_BAR_HZ_PER_T * extent)
    raster = math.lcm(system.rasters.gradient, system.rasters.block)
    strong, fast = system.max_gradient, system.max_slew
    bound = 2 * math.sqrt(area / fast) if area <= strong**2 / fast else area / strong + strong / fast
    first = max(4, math.floor(bound * TICKS / raster))
    gap = max(blip.duration, system.readout_dead)
    for period in range(first * raster, 3 * first * raster + 4 * gap, raster):
        found = list(_lines(period, gap, area, 1.0 / extent, system))
        if found:
            dwell, amplitude, rise, delay, samples = min(found)
            return EchoPlanarLine(period, rise, amplitude, delay, -dwell, samples, blip)
    finest = 1e9 / (PROTON_GAMMA_BAR_HZ_PER_T * strong * extent)
    raise UsageError(
        "GD-170",
        given=f"a line of {points} points over {extent} m on rasters of {system.rasters.gradient} ns (gradients), "
        f"{system.rasters.readout} ns (dwell times) and {system.rasters.pulse} ns (their delays)",
        allowed=f"one that is sampled every 1/FOV, every {finest:.0f} ns at {1e3 * strong:.4g} mT/m",
        do="ask for a smaller field of view or matrix, or use a finer raster",
    )


def _lines(
    period: int, gap: int, area: float, nyquist: float, system: System
) -> Iterator[tuple[int, float, int, int, int]]:
    """All (−dwell, amplitude, rise, delay, samples) that last so long and keep every limit, each of the least rise."""
    raster = system.rasters.gradient
    for delay, dwell, samples in _windows(period, gap, system):
        late = period - delay - samples * dwell
        for rise in range(raster, period // 2 + 1, raster):
            lost = late**2 / rise if late <= rise else 2 * late - rise
            amplitude = area / ((period - rise - lost) / TICKS)
            if amplitude > system.max_gradient * ROUNDING:
                break
            if amplitude <= system.max_slew * ROUNDING * rise / TICKS:
                if PROTON_GAMMA_BAR_HZ_PER_T * amplitude * dwell / TICKS <= nyquist * ROUNDING:
                    yield -dwell, amplitude, rise, delay, samples
                break


def _windows(period: int, gap: int, system: System) -> Iterator[tuple[int, int, int]]:
    """(delay, dwell, samples) with sample samples/2 in the middle of a period, delays on the pulse raster."""
    middle, fine = period // 2, system.rasters.pulse
    for dwell in range(system.rasters.readout, 20_000, system.rasters.readout):
        most = int((middle - gap) / dwell - 0.5) * 2
        for samples in range(most // _SAMPLES * _SAMPLES, max(_SAMPLES, most - 20 * _SAMPLES), -_SAMPLES):
            twice = 2 * middle - (samples + 1) * dwell
            if twice % (2 * fine) == 0 and twice >= 2 * gap:
                yield twice // 2, dwell, samples
                break
