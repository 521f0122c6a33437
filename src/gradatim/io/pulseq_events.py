"""Gradients and readouts of a Pulseq file: one line each, in ns and T/m."""

from dataclasses import dataclass

import numpy as np
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import Lobe, Readout
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, hz_per_ppm
from gradatim.io.pulseq_shapes import Shapes
from gradatim.io.pulseq_text import Line, Version, unread

US = 1_000
"""ns in a µs."""

LONGEST = 10**15
"""ns, eleven days: no time of a sequence is longer."""


STRONGEST = 1e15
"""Hz/m, or Hz: no gradient and no pulse is stronger."""


@dataclass(frozen=True)
class Offsets:
    """What parts per million mean: the field strength, or that it is not known.

    Args:
        field_strength: B0, T.
    """

    field_strength: float | None

    def hz(self, line: Line, index: int) -> float:
        """A number of ppm as Hz (or of rad/MHz as rad), 0 for 0.

        Raises:
            UsageError: GD-160 if it is not 0 and the field strength is not known.
        """
        ppm = line.number_at(index)
        if ppm == 0:
            return 0.0
        if self.field_strength is None:
            raise UsageError(
                "GD-160",
                given=f"{line.where}: an offset of {ppm:g} ppm, and no field strength",
                allowed="a field strength in T where a file states offsets in parts per million",
                do="give field_strength",
            )
        return ppm * hz_per_ppm(self.field_strength)


@dataclass(frozen=True, eq=False)
class Gradient:
    """A gradient as a file defines it; the ends of older files' shapes depend on their neighbours.

    Args:
        delay: ns.
        times: (n,), ns after the delay, int64.
        values: (n,), T/m.
        end: ns after the delay at which the shape ends.
        open: whether knots that are missing at 0 and at the end are to be added, their values unknown.
    """

    delay: int
    times: np.ndarray
    values: np.ndarray
    end: int
    open: bool = False

    def lobe(self, before: float) -> Lobe | None:
        """The lobe that this gradient is after one that ended at a value; None where it lasts no time.

        Args:
            before: T/m at the beginning of the block.
        """
        times, values = self.times, self.values
        if self.open and times[0] > 0:
            times, values = np.append(0, times), np.append(before if self.delay == 0 else 0.0, values)
        if self.open and times[-1] < self.end:
            last = (3.0 * values[-1] - values[-2]) / 2.0
            times, values = np.append(times, self.end), np.append(values, last)
        if times[-1] == times[0]:
            return None
        return Lobe(torch.from_numpy(times + self.delay), torch.from_numpy(values))


def nanoseconds(value: float, unit: float, where: str) -> int:
    """A time as a whole number of ns.

    Args:
        value: in units of ``unit``.
        unit: ns.
        where: for messages.

    Raises:
        InputError: GD-232 if it is none, or negative, or longer than any sequence.

    Example:
        >>> nanoseconds(1.5, 1000, "a line")
        1500
    """
    time = value * unit
    if not -0.5 < time <= LONGEST or abs(time - round(time)) > max(1e-3, 1e-4 * unit):
        raise InputError(
            "GD-232",
            given=f"{where}: a time of {time:.9g} ns",
            allowed=f"whole nanoseconds from 0 to {LONGEST:g}",
            do="bring its times to the raster, or correct the raster in [DEFINITIONS]",
        )
    return round(time)


def impossible(where: str, what: str) -> InputError:
    """That an event cannot be, or does not fit."""
    return InputError(
        "GD-231",
        given=f"{where}: {what}",
        allowed="events that can be played, each within its block",
        do="correct the sequence that made the file",
    )


def scaled(samples: np.ndarray, line: Line) -> np.ndarray:
    """A shape times its line's amplitude.

    Raises:
        InputError: GD-231 if that is stronger than anything.
    """
    with np.errstate(over="ignore"):
        found = samples * line.number_at(1)
    if not (np.abs(found) <= STRONGEST).all():
        raise impossible(line.where, f"an amplitude beyond {STRONGEST:g}")
    return found


def trapezoid_of(line: Line) -> Gradient:
    """A line of [TRAP]: amplitude (Hz/m), rise, flat, fall, delay (µs)."""
    amplitude = float(scaled(np.ones(1), line.sized(6))[0]) / PROTON_GAMMA_BAR_HZ_PER_T
    rise, flat, fall, delay = (nanoseconds(line.number_at(i), US, line.where) for i in range(2, 6))
    knots = {0: 0.0} if rise else {}
    knots |= {rise: amplitude, rise + flat: amplitude}
    if fall:
        knots[rise + flat + fall] = 0.0
    if len(knots) == 1 and amplitude:
        raise impossible(line.where, "a trapezoid without duration")
    return Gradient(delay, np.array(list(knots), dtype=np.int64), np.array(list(knots.values())), max(knots))


def gradient_of(line: Line, shapes: Shapes, version: Version, raster: int) -> Gradient:
    """A line of [GRADIENTS]: its amplitude (Hz/m), from 1.5 on its ends, its shape, from 1.4 on its times, its delay.

    Samples without times stand in the middle of each raster, or with the number −1 at each half of it.
    """
    line.sized(4 if version < (1, 4, 0) else 5 if version < (1, 5, 0) else 7)
    ends = (line.number_at(2), line.number_at(3)) if version >= (1, 5, 0) else None
    if ends and max(map(abs, ends)) > STRONGEST:
        raise impossible(line.where, f"a gradient that begins or ends beyond {STRONGEST:g}")
    at = 4 if ends else 2
    samples = shapes[line.whole_at(at)]
    clock = line.whole_at(at + 1) if version >= (1, 4, 0) else 0
    delay = nanoseconds(line.number_at(len(line.words) - 1), US, line.where)
    halves = _halves(clock, len(samples), shapes, line, raster)
    times, end = halves, int(halves[-1])
    if clock <= 0:
        end += raster // 2
    values = scaled(samples, line) / PROTON_GAMMA_BAR_HZ_PER_T
    if ends is None:
        return Gradient(delay, times, values, end, open=True)
    if times[0] > 0:
        times, values = np.append(0, times), np.append(ends[0] / PROTON_GAMMA_BAR_HZ_PER_T, values)
    if times[-1] < end:
        times, values = np.append(times, end), np.append(values, ends[1] / PROTON_GAMMA_BAR_HZ_PER_T)
    return Gradient(delay, times, values, end)


def _halves(clock: int, count: int, shapes: Shapes, line: Line, raster: int) -> np.ndarray:
    """The times of a shape's samples, ns."""
    if clock < -1:
        raise unread(line.where, f"time shape {clock}")
    if clock <= 0:
        if raster % 2:
            raise impossible(line.where, f"samples at halves of a raster of {raster} ns")
        if clock == -1 and count % 2 == 0:
            raise impossible(line.where, f"{count} samples at halves of the raster, which end outside of it")
        steps = np.arange(1, count + 1) if clock else 2 * np.arange(count) + 1
        return steps * (raster // 2)
    return shape_times(shapes[clock], count, line, raster)


def shape_times(clock: np.ndarray, count: int, line: Line, raster: int) -> np.ndarray:
    """The times that a shape gives in units of a raster, ns.

    Raises:
        InputError: GD-231 if they do not grow from 0 on or are not as many as samples; GD-232 off the clock.
    """
    if len(clock) != count or count < 2:
        raise impossible(line.where, f"{len(clock)} times for {count} samples")
    times = np.array([nanoseconds(float(time), raster, line.where) for time in clock], dtype=np.int64)
    if (np.diff(times) <= 0).any():
        raise impossible(line.where, "times of samples that do not increase")
    return times


def readout_of(line: Line, version: Version, offsets: Offsets) -> Readout:
    """A line of [ADC]: samples, dwell (ns), delay (µs), offsets in frequency and phase.

    Raises:
        InputError: GD-227 if its phase is modulated from sample to sample.
    """
    line.sized(6 if version < (1, 5, 0) else 9)
    samples = line.whole_at(1)
    dwell, delay = nanoseconds(line.number_at(2), 1, line.where), nanoseconds(line.number_at(3), US, line.where)
    if samples < 1 or dwell < 1:
        raise impossible(line.where, f"{samples} samples of {dwell} ns")
    at, frequency, phase = 4, 0.0, 0.0
    if version >= (1, 5, 0):
        at, frequency, phase = 6, offsets.hz(line, 4), offsets.hz(line, 5)
        if line.whole_at(8):
            raise unread(line.where, "a readout whose phase is modulated from sample to sample")
    frequency, phase = frequency + line.number_at(at), phase + line.number_at(at + 1)
    return Readout(delay, dwell, samples, frequency, phase)
