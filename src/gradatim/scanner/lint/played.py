"""A sequence taken apart for its checks: which pulses and readouts belong together, and where in k-space they are."""

import bisect
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, trajectory
from gradatim.base.sequence import TICKS, Pulse, Readout, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.lint.pulse_width import excited_width


@dataclass(frozen=True)
class Shot:
    """An excitation and what follows until the next one.

    Args:
        excitation: its number among the sequence's pulses.
        refocusings: the numbers of its refocusing pulses.
        readouts: the numbers of its readouts.
    """

    excitation: int
    refocusings: tuple[int, ...]
    readouts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Played:
    """A sequence with what its checks need to know of it, each found once.

    Args:
        sequence: what is played.
        turns: what each pulse does to the coherence that is read, in order.
        fov: the field of view, m, one an axis; None where it is not known.

    Example:
        >>> from gradatim.base.sequence import Block
        >>> Played(Sequence((Block(1000), Block(1000))), (), None).place(1500)
        'block 2 at 0.002 ms'
    """

    sequence: Sequence
    turns: tuple[Turn, ...]
    fov: tuple[float, float, float] | None

    def place(self, time: int) -> str:
        """Where in the sequence a time is, blocks counted from 1.

        Args:
            time: ns.
        """
        block = bisect.bisect_right(self.sequence.starts, time)
        return f"block {block} at {1e3 * time / TICKS:.3f} ms"

    @cached_property
    def centres(self) -> tuple[int, ...]:
        """The centre of each pulse, ns."""
        return tuple(start + pulse.centre for start, pulse in self.sequence.pulses)

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """Excitations with what belongs to them; what comes before the first belongs to none."""
        excitations = [i for i, turn in enumerate(self.turns) if turn is Turn.EXCITE]
        refocusings = [i for i, turn in enumerate(self.turns) if turn is Turn.REFOCUS]
        turned = [self.centres[i] for i in refocusings]
        begins = [start + readout.delay for start, readout in self.sequence.readouts]
        ends = [*(self.centres[i] for i in excitations), self.sequence.duration + 1]
        found = []
        for excitation, first, last in zip(excitations, ends[:-1], ends[1:], strict=True):
            within = refocusings[bisect.bisect_right(turned, first) : bisect.bisect_left(turned, last)]
            read = range(bisect.bisect_right(begins, first), bisect.bisect_left(begins, last))
            found.append(Shot(excitation, tuple(within), tuple(read)))
        return tuple(found)

    @cached_property
    def owners(self) -> dict[int, int]:
        """The excitation of each refocusing pulse, by their numbers."""
        return {pulse: shot.excitation for shot in self.shots for pulse in shot.refocusings}

    @cached_property
    def positions(self) -> tuple[Tensor, ...]:
        """k of the samples of each readout, (samples, 3), 1/m."""
        found = trajectory(self.sequence, self.sequence.sample_times, self.turns)
        return found.split([readout.samples for _, readout in self.sequence.readouts])

    @cached_property
    def spans(self) -> Tensor:
        """How far all samples reach on each axis, (3,), 1/m; the inverse is the voxel's size."""
        if not self.positions:
            return torch.zeros(3, dtype=torch.float64)
        every = torch.cat(self.positions)
        return every.amax(dim=0) - every.amin(dim=0)

    @cached_property
    def steps(self) -> Tensor:
        """The usual distance of neighbouring samples, 1/m, a scalar; 0 where nothing is read along a line."""
        found = [k.diff(dim=0).norm(dim=-1) for k in self.positions if len(k) > 1]
        return torch.cat(found).median() if found else torch.zeros((), dtype=torch.float64)

    def pulse(self, index: int) -> Pulse:
        """A pulse by its number."""
        return self.sequence.pulses[index][1]

    def readout(self, index: int) -> tuple[int, Readout]:
        """A readout by its number, with the beginning of its block, ns."""
        return self.sequence.readouts[index]

    def phase(self, index: int) -> float:
        """The phase of a pulse at its centre, rad."""
        pulse = self.pulse(index)
        middle = int(torch.searchsorted(pulse.edges, torch.tensor(pulse.centre), right=True)) - 1
        shape = pulse.field[min(max(middle, 0), len(pulse.field) - 1)]
        strongest = pulse.field[pulse.field.abs().argmax()]
        own = float((shape if abs(shape) > 1e-3 * abs(strongest) else strongest).angle())
        return pulse.phase + own + 2 * math.pi * pulse.frequency * pulse.centre / TICKS

    def selection(self, index: int) -> Tensor:
        """The gradient at a pulse's centre, (3,), T/m."""
        return self._selections[index]

    def slice_width(self, index: int) -> float:
        """Thickness of what a pulse selects, FWHM, m; infinite without a gradient."""
        strength = float(self.selection(index).norm())
        return self._width(index) / (PROTON_GAMMA_BAR_HZ_PER_T * strength) if strength > 1e-6 else math.inf

    def _width(self, index: int) -> float:
        """The band of a pulse, Hz; pulses that share a shape share the work."""
        pulse = self.pulse(index)
        shape = hash((pulse.duration, pulse.field.numpy().tobytes()))
        if shape not in self._widths:
            self._widths[shape] = excited_width(pulse)
        return self._widths[shape]

    @cached_property
    def _widths(self) -> dict[int, float]:
        return {}

    @cached_property
    def _selections(self) -> Tensor:
        """Gradients at all pulses' centres, (pulses, 3), T/m."""
        return self.sequence.waveform.at(torch.tensor(self.centres, dtype=torch.float64) / TICKS)

    def slice_key(self, index: int) -> tuple[int, ...]:
        """What tells the slice of one pulse from another's: gradient, and frequency in steps of 1 Hz.

        A gradient and a frequency of opposite signs select the same slice.
        """
        return self._keys[index]

    @cached_property
    def _keys(self) -> list[tuple[int, ...]]:
        gradients = (self._selections * 1e5).round().long().tolist()
        keys = [
            (*gradient, round(pulse.frequency))
            for gradient, (_, pulse) in zip(gradients, self.sequence.pulses, strict=True)
        ]
        return [max(key, tuple(-part for part in key)) for key in keys]

    def between(self, first: int, second: int) -> Tensor:
        """γ̄∫G dt from the centre of one pulse to that of another, by their numbers, (3,), 1/m."""
        return self.wound_at_centres[second] - self.wound_at_centres[first]

    @cached_property
    def wound_at_centres(self) -> Tensor:
        """γ̄∫G dt from the beginning to each pulse's centre, (pulses, 3), 1/m."""
        times = torch.tensor(self.centres, dtype=torch.float64) / TICKS
        return PROTON_GAMMA_BAR_HZ_PER_T * self.sequence.waveform.moment(times)

    @cached_property
    def wound_at_samples(self) -> Tensor:
        """γ̄∫G dt from the beginning to each sample, (samples, 3), 1/m."""
        return PROTON_GAMMA_BAR_HZ_PER_T * self.sequence.waveform.moment(self.sequence.sample_times)

    def extents(self, index: int) -> Tensor:
        """What a pulse's coherence extends over on each axis, (3,), m: the voxel, or the slice where it is thinner."""
        voxel = 1 / self.spans.clamp(min=2.0)
        gradient = self.selection(index).abs()
        across = self.slice_width(index) / (gradient / gradient.norm().clamp(min=1e-12)).clamp(min=1e-3)
        return torch.minimum(voxel, across)


def turned_by(angle: float) -> float:
    """An angle between −180° and 180°, in degrees.

    Args:
        angle: rad.

    Example:
        >>> round(turned_by(1.5 * math.pi), 9)
        -90.0
    """
    return math.degrees(math.remainder(angle, 2 * math.pi))
