"""The noun of the scanner: a pulse sequence, block after block, on one clock that ticks in nanoseconds.

Every time is an integer number of nanoseconds, of which every raster in use is a whole multiple; seconds are
made from them once, where physics is computed. Gradients are in T/m, pulses in T of B1.
"""

import enum
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform

TICKS = 1e9
"""Ticks of the clock in a second; divide by it, since multiplying by 1e-9 misses the nearest number."""


@dataclass(frozen=True)
class Rasters:
    """The clocks of a scanner, ns: every time of that kind is a whole multiple.

    Args:
        gradient: of the samples and corners of gradients.
        pulse: of the samples of pulses.
        readout: of dwell times.
        block: of the durations of blocks.

    Example:
        >>> Rasters().gradient
        10000
    """

    gradient: int = 10_000
    pulse: int = 1_000
    readout: int = 100
    block: int = 10_000


class PulseUse(enum.Enum):
    """What a pulse is for."""

    EXCITATION = "excitation"
    REFOCUSING = "refocusing"
    INVERSION = "inversion"
    SATURATION = "saturation"
    PREPARATION = "preparation"
    OTHER = "other"


@dataclass(frozen=True, eq=False)
class Pulse:
    """A pulse of RF: B1(t)·exp(i(2π·frequency·t + phase)), B1 constant between edges, t from the first edge.

    Args:
        delay: from the block's beginning to the first edge, ns.
        edges: (n + 1,), ns from the first one, which is 0; int64, increasing.
        field: B1, (n,), T, complex128.
        centre: where the magnetisation counts as turned, ns from the first edge.
        frequency: offset from the spins' own, Hz.
        phase: rad.
        use: what it is for.

    Raises:
        UsageError: GD-103 if edges and field disagree; GD-101 if the edges do not increase from 0.

    Example:
        >>> hard = Pulse(0, torch.tensor([0, 1000]), torch.tensor([5.87e-6 + 0j], dtype=torch.complex128), centre=500)
        >>> round(hard.flip, 5)
        0.00157
    """

    delay: int
    edges: Tensor
    field: Tensor
    centre: int
    frequency: float = 0.0
    phase: float = 0.0
    use: PulseUse = PulseUse.EXCITATION

    def __post_init__(self) -> None:
        if self.field.ndim != 1 or self.edges.shape != (len(self.field) + 1,):
            raise UsageError(
                "GD-103",
                given=f"{len(self.edges)} edges with a field of shape {tuple(self.field.shape)}",
                allowed="n + 1 edges for n values",
                do="give the times between which each value holds",
            )
        if self.edges.is_floating_point() or int(self.edges[0]) != 0 or bool((self.edges.diff() <= 0).any()):
            raise UsageError(
                "GD-101",
                given="edges of a pulse that are not whole ns growing from 0",
                allowed="increasing whole nanoseconds, the first 0",
                do="give the delay apart from the edges",
            )

    @property
    def duration(self) -> int:
        """From the first edge to the last, ns."""
        return int(self.edges[-1])

    @property
    def flip(self) -> float:
        """γ·|∫B1 dt|, the small-tip flip angle on resonance, rad."""
        return float((self.field * self.edges.diff()).sum().abs()) / TICKS * PROTON_GAMMA_RAD_PER_S_T


@dataclass(frozen=True, eq=False)
class Lobe:
    """A gradient on one axis of a block, linear between its knots and zero before and after them.

    Args:
        times: (n,), ns from the block's beginning, int64, increasing.
        values: (n,), T/m, float64.

    Raises:
        UsageError: GD-103 if the two disagree; GD-101 if the times do not increase from 0 on.

    Example:
        >>> trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.01).area
        9e-06
    """

    times: Tensor
    values: Tensor

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.values.shape or len(self.times) < 2:
            raise UsageError(
                "GD-103",
                given=f"{tuple(self.times.shape)} times with {tuple(self.values.shape)} values",
                allowed="as many times as values, two at least",
                do="give one value a knot",
            )
        if self.times.is_floating_point() or int(self.times[0]) < 0 or bool((self.times.diff() <= 0).any()):
            raise UsageError(
                "GD-101",
                given="knots of a gradient that are not whole ns growing from the block's beginning",
                allowed="increasing whole nanoseconds, none below 0",
                do="round the knots to the gradient raster first",
            )

    @property
    def area(self) -> float:
        """∫G dt, T·s/m."""
        return float((0.5 * (self.values[1:] + self.values[:-1]) * self.times.diff()).sum()) / TICKS

    @property
    def end(self) -> int:
        """The last knot, ns from the block's beginning."""
        return int(self.times[-1])


def trapezoid(delay: int, rise: int, flat: int, fall: int, *, amplitude: float) -> Lobe:
    """A trapezoid, or a triangle where ``flat`` is 0.

    Args:
        delay: ns before the rise.
        rise: ns, > 0.
        flat: ns, ≥ 0.
        fall: ns, > 0.
        amplitude: T/m.

    Raises:
        UsageError: GD-101 if a time is not possible.

    Example:
        >>> trapezoid(0, 10_000, 0, 10_000, amplitude=0.02).values.tolist()
        [0.0, 0.02, 0.0]
    """
    times = [delay, delay + rise, delay + rise + flat, delay + rise + flat + fall]
    values = [0.0, amplitude, amplitude, 0.0]
    if flat == 0:
        del times[2], values[2]
    return Lobe(torch.tensor(times), torch.tensor(values, dtype=torch.float64))


@dataclass(frozen=True)
class Readout:
    """Samples taken at delay + (i + ½)·dwell of a block.

    Args:
        delay: ns from the block's beginning to the first sample's dwell.
        dwell: ns a sample.
        samples: how many.
        frequency: of the receiver, offset from the spins' own, Hz.
        phase: of the receiver, rad: the signal is multiplied by exp(−iφ).
        labels: counters of this readout by Pulseq's names (``LIN``, ``PAR``, ``SLC``, ``ECO``, ``REV`` ...).

    Raises:
        UsageError: GD-101 if a time or number is not possible.

    Example:
        >>> Readout(0, 20_000, 64).duration
        1280000
    """

    delay: int
    dwell: int
    samples: int
    frequency: float = 0.0
    phase: float = 0.0
    labels: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.delay < 0 or self.dwell < 1 or self.samples < 1:
            raise UsageError(
                "GD-101",
                given=f"a readout of {self.samples} samples of {self.dwell} ns after {self.delay} ns",
                allowed="one sample at least, 1 ns at least each, no negative delay",
                do="give whole nanoseconds",
            )

    @property
    def duration(self) -> int:
        """samples · dwell, ns."""
        return self.samples * self.dwell

    @property
    def times(self) -> Tensor:
        """The samples' instants, (samples,), s from the block's beginning, float64."""
        return (self.delay + (torch.arange(self.samples, dtype=torch.float64) + 0.5) * self.dwell) / TICKS


@dataclass(frozen=True, eq=False)
class Block:
    """What a scanner plays at one time: at most one pulse, one lobe an axis, and one readout.

    Args:
        duration: ns; all that it holds must fit.
        pulse: the RF.
        lobes: gradients on x, y and z; None where there is none.
        readout: the samples.

    Raises:
        UsageError: GD-101 if an event ends after the block.

    Example:
        >>> Block(20_000, lobes=(trapezoid(0, 10_000, 0, 10_000, amplitude=0.01), None, None)).duration
        20000
    """

    duration: int
    pulse: Pulse | None = None
    lobes: tuple[Lobe | None, Lobe | None, Lobe | None] = (None, None, None)
    readout: Readout | None = None

    def __post_init__(self) -> None:
        ends = [lobe.end for lobe in self.lobes if lobe is not None]
        ends += [] if self.pulse is None else [self.pulse.delay + self.pulse.duration]
        ends += [] if self.readout is None else [self.readout.delay + self.readout.duration]
        if self.duration < max(ends, default=0):
            raise UsageError(
                "GD-101",
                given=f"a block of {self.duration} ns with an event that ends at {max(ends)} ns",
                allowed="a block as long as its longest event",
                do="give the block more time",
            )


@dataclass(frozen=True, eq=False)
class Sequence:
    """A pulse sequence: blocks that follow one another without a gap.

    Args:
        blocks: in the order of play.
        rasters: the clocks of the scanner it is made for.
        definitions: what else is known of it, by Pulseq's names: ``FOV`` (m), ``Name``, ``TE`` (s) ...

    Example:
        >>> Sequence((Block(10_000), Block(20_000))).duration
        30000
    """

    blocks: tuple[Block, ...]
    rasters: Rasters = Rasters()
    definitions: Mapping[str, str | tuple[float, ...]] = field(default_factory=dict)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """When each block begins, ns."""
        return tuple(itertools.accumulate((block.duration for block in self.blocks), initial=0))[:-1]

    @property
    def duration(self) -> int:
        """Of the whole, ns."""
        return sum(block.duration for block in self.blocks)

    @cached_property
    def pulses(self) -> tuple[tuple[int, Pulse], ...]:
        """Every pulse with the time of its first edge, ns from the sequence's beginning."""
        found = zip(self.starts, (block.pulse for block in self.blocks), strict=True)
        return tuple((start + pulse.delay, pulse) for start, pulse in found if pulse is not None)

    @cached_property
    def readouts(self) -> tuple[tuple[int, Readout], ...]:
        """Every readout with the time at which its block begins, ns from the sequence's beginning."""
        found = zip(self.starts, (block.readout for block in self.blocks), strict=True)
        return tuple((start, readout) for start, readout in found if readout is not None)

    @cached_property
    def sample_times(self) -> Tensor:
        """The instants of all samples, one readout after the other, (n,), s, float64."""
        times = [start / TICKS + readout.times for start, readout in self.readouts]
        return torch.cat(times) if times else torch.zeros(0, dtype=torch.float64)

    @cached_property
    def waveform(self) -> Waveform:
        """The gradients of the whole sequence, from its beginning to its end."""
        pieces = [self._pieces(axis) for axis in range(3)]
        ends = torch.tensor([0, max(self.duration, 1)])
        edges = torch.cat([ends, *(times.flatten() for times, _ in pieces)]).unique()
        left, right = (torch.zeros(len(edges) - 1, 3, dtype=torch.float64) for _ in range(2))
        for axis, (times, values) in enumerate(pieces):
            if not len(times):
                continue
            piece = (torch.searchsorted(times[:, 0].contiguous(), edges[:-1], right=True) - 1).clamp(min=0)
            (begin, end), (low, high) = times[piece].T, values[piece].T
            inside = (edges[:-1] >= begin) & (edges[1:] <= end)
            slope = (high - low) / (end - begin)
            left[:, axis] = torch.where(inside, low + slope * (edges[:-1] - begin), 0.0)
            right[:, axis] = torch.where(inside, low + slope * (edges[1:] - begin), 0.0)
        return Waveform(edges.double() / TICKS, left, right)

    def _pieces(self, axis: int) -> tuple[Tensor, Tensor]:
        """The straight pieces of one axis: their times (n, 2), ns, and values (n, 2), T/m, in order."""
        lobes = [(start, block.lobes[axis]) for start, block in zip(self.starts, self.blocks, strict=True)]
        times = [start + torch.stack([lobe.times[:-1], lobe.times[1:]], 1) for start, lobe in lobes if lobe is not None]
        values = [torch.stack([lobe.values[:-1], lobe.values[1:]], 1) for _, lobe in lobes if lobe is not None]
        if not times:
            return torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0, 2, dtype=torch.float64)
        return torch.cat(times), torch.cat(values)


LONGEST = 1e6
"""s: no event takes 11 days; int64 would hold 292 years of nanoseconds."""


def ticks(seconds: float, raster: int) -> int:
    """The shortest whole number of rasters that is not shorter than a time, in ns.

    A time within 1e-6 of a raster of a whole number counts as whole, so that 4.3e-4 s on 10 µs is 430 000 ns.

    Args:
        seconds: s, ≥ 0.
        raster: ns.

    Raises:
        UsageError: GD-101 for a time that is not finite or longer than 11 days.

    Example:
        >>> ticks(426.8e-6, 10_000), ticks(4.3e-4, 10_000)
        (430000, 430000)
    """
    if not seconds <= LONGEST:
        raise UsageError(
            "GD-101",
            given=f"a time of {seconds:.4g} s",
            allowed=f"finite times of up to {LONGEST:g} s",
            do="check the units: lengths are in m, times in s, gradients in T/m",
        )
    return max(0, math.ceil(seconds * TICKS / raster - 1e-6)) * raster
