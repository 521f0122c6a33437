"""Readouts that follow one another, each with its k = 0 sample at its echo time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Lobe, Readout, trapezoid
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.lobes import ramp_of, shortest_lobe
from gradatim.scanner.system import System


@dataclass(frozen=True)
class Monopolar:
    """Every echo is read in the same direction; between two of them a lobe flies back."""

    def sign(self, echo: int) -> int:
        """+1 for every echo."""
        return 1


@dataclass(frozen=True)
class Bipolar:
    """Every second echo is read backwards, so that nothing need fly back."""

    def sign(self, echo: int) -> int:
        """+1, −1, +1 ..."""
        return -1 if echo % 2 else 1


@dataclass(frozen=True)
class Leader:
    """What a readout follows.

    Args:
        end: when it is over, ns after the excitation's centre.
        area: the dephasing along x that it leaves, T·s/m.
        least: time that other axes need before the readout, ns.
    """

    end: int
    area: float = 0.0
    least: int = 0


@dataclass(frozen=True, eq=False)
class EchoReadout:
    """One echo's gradient and samples, placed in time.

    Args:
        start: of its lobe after the excitation's centre, ns.
        lobe: from time 0.
        readout: delayed from the lobe's first knot.
        before: area of the lobe up to its k = 0 sample, T·s/m.
        after: area from there on.
    """

    start: int
    lobe: Lobe
    readout: Readout
    before: float
    after: float

    @property
    def leader(self) -> Leader:
        """What the next readout has to follow."""
        return Leader(self.start + self.lobe.end, self.after)


@dataclass(frozen=True)
class ReadoutPlan:
    """Places readouts on the rasters, so that sample n//2 (read backwards: n − 1 − n//2) falls on k = 0 at TE.

    Args:
        encoding: what is read.
        system: on which clock and within which limits.
        origin: ns from a block boundary to the excitation's centre; boundaries and gradients lie on rasters from that
            boundary, and samples on the pulse raster.
    """

    encoding: CartesianEncoding
    system: System
    origin: int

    @property
    def raster(self) -> int:
        """On which blocks and gradients both lie, ns."""
        return math.lcm(self.system.rasters.gradient, self.system.rasters.block)

    def at(self, echo_time: int, sign: int) -> EchoReadout | None:
        """The readout whose k = 0 sample is at an echo time, or None if the clock has no such time.

        Args:
            echo_time: ns after the excitation's centre.
            sign: of the readout's gradient.
        """
        dwell, count, middle = self._samples(sign)
        first = self.origin + echo_time - middle * dwell - dwell // 2
        if first % self.system.rasters.pulse:
            return None
        amplitude = sign * self.encoding.gradient
        ramp = self._up(max(ramp_of(amplitude, self.system), self.system.readout_dead))
        wait = first % self.raster
        lobe = trapezoid(0, ramp, self._up(wait + count * dwell), ramp, amplitude=amplitude)
        before = amplitude * (0.5 * ramp + wait + middle * dwell + 0.5 * dwell) / TICKS
        readout = Readout(ramp + wait, dwell, count)
        return EchoReadout(first - wait - ramp - self.origin, lobe, readout, before, lobe.area - before)

    def earliest(self, leader: Leader, sign: int, *, at_least: int = 0) -> int:
        """The first echo time whose readout fits, ns after the excitation's centre.

        Args:
            leader: what it follows.
            sign: of its gradient.
            at_least: no echo time before this one is looked at, ns.
        """
        raster = self.system.rasters.pulse
        dwell, _, middle = self._samples(sign)
        half = middle * dwell + dwell // 2
        time = max(at_least, leader.end + leader.least + half)
        time += (half - self.origin - time) % raster
        while not self.fits(time, sign, leader):
            time += raster
        return time

    def fits(self, echo_time: int, sign: int, leader: Leader) -> bool:
        """Whether a readout, and the lobe that leads to it, have the time; arguments as for :meth:`earliest`."""
        found = self.at(echo_time, sign)
        return found is not None and found.start - leader.end >= self.between(leader, found)

    def between(self, leader: Leader, readout: EchoReadout) -> int:
        """How long the lobe that leads to a readout takes at least, ns; 0 where none is needed."""
        area = leader.area + readout.before
        if abs(area) < 1e-12 * abs(readout.before):
            return leader.least
        return max(leader.least, self._up(shortest_lobe(area, self.system)))

    def placed(self, echo_times: Iterable[float], signs: Iterable[int], leader: Leader) -> tuple[EchoReadout, ...]:
        """All readouts at the echo times that are asked for.

        Args:
            echo_times: s, increasing.
            signs: of their gradients.
            leader: what the first follows.

        Raises:
            UsageError: GD-166 if an echo time is too short, or between two ticks of the clock, with the next possible.
        """
        found: list[EchoReadout] = []
        for wanted, sign in zip(echo_times, signs, strict=False):
            time = round(wanted * TICKS)
            readout = self.at(time, sign)
            if readout is None or readout.start - leader.end < self.between(leader, readout):
                shortest = self.earliest(leader, sign)
                near = self.earliest(leader, sign, at_least=time)
                raise UsageError(
                    "GD-166",
                    given=f"echo {len(found) + 1} at {1e3 * wanted:.6g} ms",
                    allowed=f"{shortest / 1e6:.6f} ms at the shortest, and {near / 1e6:.6f} ms as the nearest above",
                    do="ask for a later echo, a shorter dwell time, fewer samples or a faster gradient system",
                )
            found.append(readout)
            leader = readout.leader
        return tuple(found)

    def _samples(self, sign: int) -> tuple[int, int, int]:
        """Dwell time, ns, number of samples, and which of them falls on k = 0."""
        count = self.encoding.matrix[0]
        return self.encoding.dwell_ticks(self.system), count, count // 2 if sign > 0 else count - 1 - count // 2

    def _up(self, time: int) -> int:
        return -(-time // self.raster) * self.raster
