"""The blocks of a Pulseq file, played one after the other: what the format leaves to the order of play."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from gradatim.base.sequence import Block, Pulse, Rasters, Readout
from gradatim.io.pulseq_events import (
    LONGEST,
    US,
    Gradient,
    Offsets,
    gradient_of,
    impossible,
    nanoseconds,
    readout_of,
    trapezoid_of,
)
from gradatim.io.pulseq_extensions import Extensions, Lobes, trigger_end, turned
from gradatim.io.pulseq_pulses import pulse_of
from gradatim.io.pulseq_shapes import Allowance, missing, read_shapes
from gradatim.io.pulseq_text import Line, PulseqText, damaged

Event = TypeVar("Event")


@dataclass(eq=False)
class Events:
    """The events of a file by their numbers.

    Args:
        pulses: of [RF].
        gradients: of [GRADIENTS] and [TRAP].
        readouts: of [ADC].
        delays: of [DELAYS], ns.
        inferred: how many pulses' uses the file does not state.
    """

    pulses: dict[int, Pulse] = field(default_factory=dict)
    gradients: dict[int, Gradient] = field(default_factory=dict)
    readouts: dict[int, Readout] = field(default_factory=dict)
    delays: dict[int, int] = field(default_factory=dict)
    inferred: int = 0


def read_events(text: PulseqText, rasters: Rasters, field_strength: float | None, allowance: Allowance) -> Events:
    """Read all events of a file.

    Args:
        text: the file.
        rasters: its clocks.
        field_strength: B0, T, if known.
        allowance: how much it may unpack to.
    """
    shapes, offsets = read_shapes(text, allowance), Offsets(field_strength)
    version, events = text.version, Events()
    for line in text["RF"]:
        pulse, inferred = pulse_of(line, shapes, version, rasters.pulse, offsets, allowance)
        events.inferred += inferred
        _enter(events.pulses, line, pulse)
    for line in text["GRADIENTS"]:
        _enter(events.gradients, line, gradient_of(line, shapes, version, rasters.gradient))
    for line in text["TRAP"]:
        _enter(events.gradients, line, trapezoid_of(line))
    for line in text["ADC"]:
        _enter(events.readouts, line, readout_of(line, version, offsets))
    for line in text["DELAYS"]:
        _enter(events.delays, line, nanoseconds(line.sized(2).number_at(1), US, line.where))
    return events


@dataclass(eq=False)
class Player:
    """Plays blocks: labels, the ends of gradients and the clock go from block to block.

    Args:
        text: the file.
        rasters: its clocks.
        events: what its blocks refer to.
        extensions: labels, rotations.
        allowance: how much it may unpack to; what a block repeats counts each time.
    """

    text: PulseqText
    rasters: Rasters
    events: Events
    extensions: Extensions
    allowance: Allowance
    _last: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def blocks(self) -> tuple[Block, ...]:
        """All blocks.

        Raises:
            InputError: GD-226 without any; GD-229 for missing events; GD-231 for events that do not fit.
            UnsafeInputError: GD-433 beyond the allowance.
        """
        found, clock = [], 0
        for line in self.text["BLOCKS"]:
            block = self._block(line)
            clock += block.duration
            if clock > LONGEST:
                raise impossible(line.where, f"a sequence of {clock} ns")
            found.append(block)
        if not found:
            raise damaged(self.text.name, "it has no blocks")
        return tuple(found)

    def _block(self, line: Line) -> Block:
        timed, pulse, *axes, readout, last = self._numbers(line)
        acting = self.extensions.of(last)
        self.extensions.count(acting)
        rf = self._event(self.events.pulses, pulse, "pulse")
        adc = self._event(self.events.readouts, readout, "readout")
        gradients = [self._event(self.events.gradients, axis, "gradient") for axis in axes]
        x, y, z = (None if g is None else g.lobe(end) for g, end in zip(gradients, self._last, strict=True))
        lobes: Lobes = (x, y, z)
        ends = [lobe.end for lobe in lobes if lobe is not None]
        ends += [] if rf is None else [rf.delay + rf.duration]
        ends += [] if adc is None else [adc.delay + adc.duration]
        self._spend(rf, lobes, adc, line)
        duration = self._duration(line, timed, max(ends, default=0), acting)
        self._last = [0.0 if lobe is None or lobe.end < duration else float(lobe.values[-1]) for lobe in lobes]
        for title, turn in acting:
            lobes = turned(lobes, turn) if title == "ROTATIONS" else lobes
        if adc is not None and self.extensions.labels:
            adc = replace(adc, labels=dict(self.extensions.labels))
        return Block(duration, rf, lobes, adc)

    def _numbers(self, line: Line) -> list[int]:
        """Duration or delay, pulse, x, y, z, readout and extension, 0 for what is not there."""
        found = [line.whole_at(i) for i in range(1, len(line.sized(7, 8).words))]
        if min(found) < 0:
            raise line.wrong("a negative number")
        return [*found, 0][:7]

    def _event(self, table: dict[int, Event], number: int, what: str) -> Event | None:
        if number and number not in table:
            raise missing(self.text.name, f"{what} {number}")
        return table[number] if number else None

    def _duration(self, line: Line, timed: int, needed: int, acting: list[tuple[str, Line]]) -> int:
        """As the block says from 1.4 on; before, as long as its longest event, delay or trigger."""
        if self.text.version >= (1, 4, 0):
            duration = timed * self.rasters.block
            if duration < needed:
                raise impossible(line.where, f"a block of {duration} ns with an event that ends at {needed} ns")
            return duration
        delay = self._event(self.events.delays, timed, "delay") or 0
        return max(needed, delay, *(trigger_end(trigger) for title, trigger in acting if title == "TRIGGERS"), 0)

    def _spend(self, rf: Pulse | None, lobes: Lobes, adc: Readout | None, line: Line) -> None:
        knots = sum(len(lobe.times) for lobe in lobes if lobe is not None)
        knots += (0 if rf is None else len(rf.edges)) + (0 if adc is None else adc.samples)
        self.allowance.take(knots, line.where)


def _enter(table: dict[int, Event], line: Line, event: Event) -> None:
    if line.whole_at(0) in table:
        raise line.wrong("a second event of this number")
    table[line.whole_at(0)] = event
