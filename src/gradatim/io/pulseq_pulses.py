"""Pulses of a Pulseq file: B1 in T, constant between edges, with what each is for."""

import math

import numpy as np
import torch

from gradatim.base.sequence import Pulse, PulseUse
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq_events import US, Offsets, impossible, nanoseconds, scaled, shape_times
from gradatim.io.pulseq_shapes import Allowance, Shapes
from gradatim.io.pulseq_text import Line, Version, unread

_USES = {use.value[0]: use for use in PulseUse}
_EXCITING = math.radians(90.01)
"""The largest flip angle that is taken for an excitation where a file does not say what a pulse is for."""

_PLATEAU = 0.99999
"""The share of the peak from which on samples count as its plateau."""


def pulse_of(
    line: Line, shapes: Shapes, version: Version, raster: int, offsets: Offsets, allowance: Allowance
) -> tuple[Pulse, bool]:
    """A line of [RF], and whether what it is for had to be inferred from its flip angle.

    Amplitude (Hz), shapes of magnitude and phase (in turns), from 1.4 on of times, from 1.5 on centre (µs); delay (µs),
    offsets. Samples without times fill one raster each; samples in the middle of longer, equal steps fill those;
    between any other times the field is linear, and each raster holds its mean.
    """
    line.sized(7 if version < (1, 4, 0) else 8 if version < (1, 5, 0) else 12)
    new, clocked = version >= (1, 5, 0), version >= (1, 4, 0)
    magnitude = scaled(shapes[line.whole_at(2)], line)
    turns = shapes[line.whole_at(3)] if line.whole_at(3) else np.zeros(len(magnitude))
    if len(turns) != len(magnitude):
        raise impossible(line.where, f"{len(magnitude)} magnitudes with {len(turns)} phases")
    clock = line.whole_at(4) if clocked else 0
    times = _times(clock, len(turns), shapes, line, raster)
    edges, middles, magnitude, turns = _pieces(magnitude, turns, times, raster, allowance, line)
    hertz = magnitude * np.exp(2j * math.pi * turns)
    at = 6 if new else 5 if clocked else 4
    frequency, phase = (offsets.hz(line, 7), offsets.hz(line, 8)) if new else (0.0, 0.0)
    last = 9 if new else at + 1
    centre = nanoseconds(line.number_at(5), US, line.where) if new else _peak(hertz, middles)
    if centre > edges[-1]:
        raise impossible(line.where, "a centre after the pulse's end")
    found = Pulse(
        nanoseconds(line.number_at(at), US, line.where),
        torch.from_numpy(edges),
        torch.from_numpy(hertz / PROTON_GAMMA_BAR_HZ_PER_T),
        centre,
        frequency + line.number_at(last),
        phase + line.number_at(last + 1),
    )
    stated = line.words[11].lower() if new else "u"
    if stated in _USES:
        return _used(found, _USES[stated]), False
    if stated != "u":
        raise line.wrong("no use of a pulse")
    return _used(found, PulseUse.EXCITATION if found.flip <= _EXCITING else PulseUse.REFOCUSING), True


def _used(pulse: Pulse, use: PulseUse) -> Pulse:
    return Pulse(pulse.delay, pulse.edges, pulse.field, pulse.centre, pulse.frequency, pulse.phase, use)


def _times(clock: int, count: int, shapes: Shapes, line: Line, raster: int) -> np.ndarray | None:
    """When a pulse's samples are, ns; None where each fills one raster."""
    if clock < 0:
        raise unread(line.where, f"time shape {clock} of a pulse")
    return shape_times(shapes[clock], count, line, raster) if clock else None


def _pieces(
    magnitude: np.ndarray, turns: np.ndarray, times: np.ndarray | None, raster: int, allowance: Allowance, line: Line
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Edges (ns) of pieces of constant field, their middles (ns), and magnitude and phase there."""
    step = raster if times is None else int(times[1] - times[0])
    if times is None or (2 * int(times[0]) == step and (np.diff(times) == step).all()):
        edges = np.arange(len(magnitude) + 1) * step
        return edges, edges[:-1] + step / 2, magnitude, turns
    sloped = np.flatnonzero((np.diff(magnitude) != 0) | (np.diff(turns) != 0))
    allowance.take(int((-(-np.diff(times)[sloped] // raster)).sum()), f"the pulse of {line.where}")
    between = [np.arange(times[i], times[i + 1], raster) for i in sloped]
    edges = np.unique(np.concatenate([[0], times, *between]))
    middles = (edges[1:] + edges[:-1]) / 2
    return edges, middles, np.interp(middles, times, magnitude, left=0.0), np.interp(middles, times, turns)


def _peak(hertz: np.ndarray, middles: np.ndarray) -> int:
    """The middle of the plateau of the largest field, ns."""
    size = np.abs(hertz)
    plateau = middles[size >= _PLATEAU * size.max()]
    return round(float(plateau[0] + plateau[-1]) / 2)
