"""The spoiled gradient echo with several echoes, of a slice or of a volume."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Sequence
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import NonSelective, Selected, SliceSelective
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.echo_readouts import Bipolar, EchoReadout, Leader, Monopolar, ReadoutPlan
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.lobes import lobe_of_area, shortest_lobe
from gradatim.scanner.sequences.spoiling import Spoiling
from gradatim.scanner.system import System

ERNST = math.radians(15.0)


@dataclass(frozen=True)
class ShortestEchoes:
    """Evenly spaced echoes, the first as early and the others as close as the hardware allows.

    Args:
        count: of echoes.
        first: echo time of the first, s; None for the shortest.
        spacing: s; None for the shortest.

    Raises:
        UsageError: GD-168 for an impossible number.
    """

    count: int
    first: float | None = None
    spacing: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.first, self.spacing) if value is not None]
        if not 1 <= self.count <= 1024 or not all(math.isfinite(value) and value > 0 for value in given):
            raise UsageError(
                "GD-168",
                given=f"{self.count} echoes from {self.first} s every {self.spacing} s",
                allowed="1 to 1024 echoes, and positive times",
                do="give seconds, or none for the shortest",
            )

    def __call__(self, plan: ReadoutPlan, signs: tuple[int, ...], leader: Leader) -> tuple[float, ...]:
        """The echo times, s.

        Args:
            plan: which places readouts.
            signs: of their gradients.
            leader: what the first follows.
        """
        first = plan.earliest(leader, signs[0]) if self.first is None else round(self.first * TICKS)
        if self.spacing is not None:
            return tuple((first + i * round(self.spacing * TICKS)) / TICKS for i in range(self.count))
        spacing, raster = 0, plan.system.rasters.pulse
        while not _all_fit(plan, [first + i * spacing for i in range(self.count)], signs, leader):
            if spacing == 0:
                (start,) = plan.placed([first / TICKS], signs, leader)
                spacing = -(-(start.lobe.end - 2 * plan.raster) // raster) * raster if self.count > 1 else 0
            spacing += raster
        return tuple((first + i * spacing) / TICKS for i in range(self.count))


@dataclass(frozen=True)
class MultiEchoGradientEcho:
    """Excitation, then echoes at exact times, line after line and partition after partition, spoiled.

    The sample of each echo that lies on k = 0 is taken at the echo time, counted from the excitation's centre. The
    prephaser leads to k = −(n//2)·Δk in the middle of the first sample, so that all samples lie on i·Δk. A matrix of 1
    along z makes a slice; more of them encode partitions of a slab, or of everything. Labels are LIN, PAR, SLC, ECO
    and, for echoes that are read backwards, REV.

    Args:
        encoding: field of view, matrix and dwell time.
        excitation: a slice, a slab, or a hard pulse on everything.
        echo_times: s, increasing, or how to find them.
        repetition_time: s, of one excitation; None for the shortest.
        polarity: of the readouts.
        spoiling: of RF and gradients, and the dummies.
        slices: centres along z, m, relative to the excitation's position, measured one after the other.

    Raises:
        UsageError: GD-168 for an impossible protocol; when called, GD-166 if a gradient or a time is beyond the
            hardware, with the shortest possible; GD-167 if the pulse is too strong.

    Example:
        >>> sequence = MultiEchoGradientEcho(CartesianEncoding(matrix=(64, 4, 1)), echo_times=(4e-3, 8e-3))(System())
        >>> len(sequence.readouts), sequence.definitions["TE"]
        (8, (0.004, 0.008))
    """

    encoding: CartesianEncoding = CartesianEncoding()
    excitation: SliceSelective | NonSelective = SliceSelective(SincPulse(ERNST, 2e-3), 0.005)
    echo_times: tuple[float, ...] | ShortestEchoes = ShortestEchoes(6)
    repetition_time: float | None = None
    polarity: Monopolar | Bipolar = Monopolar()
    spoiling: Spoiling = Spoiling()
    slices: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        times = self.echo_times if isinstance(self.echo_times, tuple) else ()
        numbers = (*times, *self.slices, *(() if self.repetition_time is None else (self.repetition_time,)))
        if not all(map(math.isfinite, numbers)) or not (times or isinstance(self.echo_times, ShortestEchoes)):
            raise _impossible(f"times and places {numbers}", "finite numbers, and one echo at least", "give SI units")
        if any(b <= a for a, b in zip((0.0, *times), times, strict=False)):
            raise _impossible(f"echo times {times} s", "positive times that increase", "sort the echo times")
        several = len(self.slices) > 1
        if not self.slices or (several and (isinstance(self.excitation, NonSelective) or self.encoding.matrix[2] > 1)):
            raise _impossible(
                f"{len(self.slices)} slices",
                "one slice at least, and only one where partitions are encoded or all is excited",
                "measure several slices with a slice-selective pulse and a matrix of 1 along z",
            )

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        prepared = _Prepared.of(self, system)
        blocks: list[Block] = []
        for number, place in enumerate(self.slices):
            selected = self._selected(place, system)
            dummy = (self.encoding.matrix[1] // 2, self.encoding.matrix[2] // 2)
            shots = [(dummy, False)] * self.spoiling.dummies + [(lines, True) for lines in self._order()]
            for count, (lines, reads) in enumerate(shots):
                found = prepared.shot(selected, lines, phase=self.spoiling.phase(count), slice_number=number)
                blocks += found if reads else [replace(each, readout=None) for each in found]
        return Sequence(tuple(blocks), system.rasters, self._definitions(prepared))

    def _selected(self, place: float, system: System) -> Selected:
        if isinstance(self.excitation, NonSelective):
            return self.excitation(system)
        return replace(self.excitation, position=self.excitation.position + place)(system)

    def _order(self) -> Iterator[tuple[int, int]]:
        """Lines within partitions."""
        return ((line, part) for part in range(self.encoding.matrix[2]) for line in range(self.encoding.matrix[1]))

    def _definitions(self, prepared: "_Prepared") -> dict[str, str | tuple[float, ...]]:
        reach = max(self.slices) - min(self.slices)
        several: dict[str, str | tuple[float, ...]] = {"SliceThickness": (self.encoding.fov[2],)}
        return {
            "Name": "gre" if len(prepared.echo_times) == 1 else "megre",
            "FOV": (*self.encoding.fov[:2], self.encoding.fov[2] + reach),
            "Matrix": tuple(float(n) for n in self.encoding.matrix),
            "TE": prepared.echo_times,
            "TR": (prepared.duration / TICKS,),
            "FlipAngle": (round(math.degrees(self.excitation.flip), 9),),
            **(several if len(self.slices) > 1 else {}),
        }


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What all shots of a protocol share."""

    protocol: MultiEchoGradientEcho
    system: System
    plan: ReadoutPlan
    leader: Leader
    echoes: tuple[EchoReadout, ...]
    echo_times: tuple[float, ...]
    duration: int

    @classmethod
    def of(cls, protocol: MultiEchoGradientEcho, system: System) -> "_Prepared":
        encoding, selected = protocol.encoding, protocol.excitation(system)
        raster = math.lcm(system.rasters.gradient, system.rasters.block)
        centre = selected.pulse.delay + selected.pulse.centre
        excited = -(-block(system, pulse=selected.pulse, lobes=(None, None, selected.lobe)).duration // raster) * raster
        plan = ReadoutPlan(encoding, system, centre)
        areas = [encoding.step_area(0, 1)]
        areas += [encoding.step_area(part, 2) - selected.after for part in (0, encoding.matrix[2] - 1)]
        least = max(-(-shortest_lobe(area, system) // raster) * raster for area in areas)
        leader = Leader(excited - centre, least=least)
        wanted = protocol.echo_times
        count = wanted.count if isinstance(wanted, ShortestEchoes) else len(wanted)
        signs = tuple(protocol.polarity.sign(echo) for echo in range(count))
        times = wanted(plan, signs, leader) if isinstance(wanted, ShortestEchoes) else wanted
        made = cls(protocol, system, plan, leader, plan.placed(times, signs, leader), times, 0)
        return replace(made, duration=made._repetition())

    def shot(self, selected: Selected, lines: tuple[int, int], *, phase: float, slice_number: int) -> list[Block]:
        """The blocks of one excitation."""
        y, z = (self.protocol.encoding.step_area(index, axis) for axis, index in enumerate(lines, start=1))
        origin, first = self.plan.origin, self.echoes[0]
        pulse = replace(selected.pulse, phase=math.remainder(selected.pulse.phase + phase, 2 * math.pi))
        begin = self.leader.end + origin
        blocks = [block(self.system, pulse=pulse, lobes=(None, None, selected.lobe), duration=begin)]
        lead = self.plan.between(self.leader, first)
        areas = (-first.before, y, z - selected.after)
        blocks.append(self._lobes(areas, lead, first.start - self.leader.end))
        for number, echo in enumerate(self.echoes):
            readout = replace(echo.readout, phase=phase, labels=self._labels(number, lines, slice_number))
            blocks.append(block(self.system, lobes=(echo.lobe, None, None), readout=readout))
            blocks += self._bridge(number)
        end = self.echoes[-1].leader.end + origin
        areas = self._rewinders(lines)
        blocks.append(self._lobes(areas, max(shortest_lobe(a, self.system) for a in areas), self.duration - end))
        return blocks

    def _bridge(self, number: int) -> list[Block]:
        """What leads from one echo to the next, if anything does."""
        if number + 1 == len(self.echoes):
            return []
        leader, following = self.echoes[number].leader, self.echoes[number + 1]
        gap = following.start - leader.end
        if self.plan.between(leader, following):
            return [self._lobes((-(leader.area + following.before), None, None), gap, gap)]
        return [Block(gap)] if gap else []

    def _rewinders(self, lines: tuple[int, int]) -> tuple[float, float, float]:
        """Areas that bring lines and partitions back and leave the spoilers' dephasing."""
        encoding, last = self.protocol.encoding, self.echoes[-1]
        x, z = (self.protocol.spoiling.area(encoding.voxel[axis]) for axis in (0, 2))
        y, part = (encoding.step_area(index, axis) for axis, index in enumerate(lines, start=1))
        return math.copysign(x, last.after) - last.after, -y, z - part

    def _repetition(self) -> int:
        """TR, ns: as asked for, or the shortest."""
        corners = [(0, 0), (self.protocol.encoding.matrix[1] - 1, self.protocol.encoding.matrix[2] - 1)]
        longest = max(shortest_lobe(area, self.system) for lines in corners for area in self._rewinders(lines))
        raster = self.plan.raster
        shortest = self.plan.origin + self.echoes[-1].leader.end + -(-longest // raster) * raster
        wanted = self.protocol.repetition_time
        if wanted is None:
            return shortest
        time = round(wanted * TICKS / raster) * raster
        if time < shortest or abs(wanted * TICKS - time) > 1e-2:
            raise UsageError(
                "GD-166",
                given=f"a repetition time of {1e3 * wanted:.6g} ms",
                allowed=f"whole multiples of {raster / 1e6:g} ms from {shortest / 1e6:.6g} ms on",
                do="ask for a longer repetition time, earlier echoes or less spoiling",
            )
        return time

    def _lobes(self, areas: tuple[float, float | None, float | None], length: int, duration: int) -> Block:
        """Lobes of one length on three axes; none where an axis has no area."""
        x, y, z = (lobe_of_area(a, self.system, duration=length) if a else None for a in areas)
        return block(self.system, lobes=(x, y, z), duration=duration)

    def _labels(self, echo: int, lines: tuple[int, int], slice_number: int) -> dict[str, int]:
        several = {"PAR": lines[1]} if self.protocol.encoding.matrix[2] > 1 else {}
        several |= {"SLC": slice_number} if len(self.protocol.slices) > 1 else {}
        several |= {"ECO": echo} if len(self.echoes) > 1 else {}
        several |= {"REV": int(self.echoes[echo].before < 0)} if isinstance(self.protocol.polarity, Bipolar) else {}
        return {"LIN": lines[0], **several}


def _all_fit(plan: ReadoutPlan, times: list[int], signs: tuple[int, ...], leader: Leader) -> bool:
    """Whether readouts at these times, ns, follow one another with time for what is between them."""
    for time, sign in zip(times, signs, strict=True):
        found = plan.at(time, sign)
        if found is None or not plan.fits(time, sign, leader):
            return False
        leader = found.leader
    return True


def _impossible(given: str, allowed: str, do: str) -> UsageError:
    return UsageError("GD-168", given=given, allowed=allowed, do=do)
