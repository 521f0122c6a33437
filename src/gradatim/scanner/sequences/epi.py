"""Single-shot echo-planar imaging with gradient echoes."""

import math
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, PulseUse, Sequence, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import SelectivePulse
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
from gradatim.scanner.sequences.lobes import lobe_of_area
from gradatim.scanner.sequences.slice_blocks import excitation_block
from gradatim.scanner.sequences.slice_pulse import SlicePulse, slice_pulse
from gradatim.scanner.system import System

_SPOILING_CYCLES = 4.0


@dataclass(frozen=True)
class EchoPlanar:
    """All of k-space after one excitation, a slice at a time: excite, navigate, prephase, read, spoil.

    The echo time is that from the pulse's centre to k = 0, which is a sample. Times are rounded up to the raster and
    what is delivered stands in the definitions. A field offset Δf shifts the image by Δf·N·ESP voxels along y.

    Args:
        train: the plane of k-space and how it is read.
        thickness: of a slice, m.
        excitation: the pulse.
        echo_time: s; None for the shortest.
        repetition_time: from a slice's excitation to its next, s; None for the shortest.
        slice_positions: z of each slice, m, in the order of play.
        volumes: how often all slices are played.
        dummies: volumes without readout before them, for which the magnetisation settles.

    Raises:
        UsageError: when called, GD-171 for a time shorter than possible, with the shortest; GD-170 for an impossible
            train; GD-166 and GD-167 for what is beyond the hardware.

    Source:
        Mansfield, J Phys C 10:L55-L58, 1977; Bernstein, King & Zhou, Handbook of MRI Pulse Sequences, 2004, ch. 16.

    Example:
        >>> sequence = EchoPlanar(EchoPlanarTrain((0.22, 0.22), (64, 64)), echo_time=0.03)(System(0.040, 150.0))
        >>> sequence.definitions["TE"], sequence.definitions["EchoSpacing"], len(sequence.readouts)
        ((0.03,), (0.00044,), 67)
    """

    train: EchoPlanarTrain = EchoPlanarTrain()
    thickness: float = 5e-3
    excitation: SelectivePulse = SincPulse(math.pi / 2, 2e-3)
    echo_time: float | None = None
    repetition_time: float | None = None
    slice_positions: tuple[float, ...] = (0.0,)
    volumes: int = 1
    dummies: int = 0

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        require_slices(self.slice_positions, self.volumes, self.dummies)
        chosen = self._pulse(system)
        raster = system.rasters.block
        shortest = self._echo(system, self._shot(system, chosen, 0, 0, wait=0))
        wait = waiting(self.echo_time, shortest, raster, what="echo time")
        shots = [
            self._shot(system, chosen, index, volume, wait=wait)
            for volume in [0] * self.dummies + list(range(self.volumes))
            for index in range(len(self.slice_positions))
        ]
        shots = silenced(shots, self.dummies * len(self.slice_positions))
        lasts = sum(block.duration for block in shots[0]) * len(self.slice_positions)
        rest = waiting(self.repetition_time, lasts, raster, what="repetition time")
        blocks: list[Block] = []
        for index, shot in enumerate(shots, 1):
            last = index % len(self.slice_positions) == 0
            blocks += [*shot, *([Block(rest)] if rest and last else [])]
        definitions: dict[str, str | tuple[float, ...]] = {
            "Name": "epi",
            "FOV": (*self.train.fov, self.thickness * len(self.slice_positions)),
            "Matrix": (*map(float, self.train.matrix), float(len(self.slice_positions))),
            "TE": ((shortest + wait) / TICKS,),
            "TR": ((lasts + rest) / TICKS,),
            "FlipAngle": (math.degrees(chosen.pulse.flip),),
            "SliceThickness": (self.thickness,),
            "SlicePositions": tuple(self.slice_positions),
            **self.train.definitions(system),
        }
        return Sequence(tuple(blocks), system.rasters, definitions)

    def _pulse(self, system: System) -> SlicePulse:
        # half a period may end on half a raster: so begins what leads to it
        shift = (self.train.line(system).period // 2) % system.rasters.gradient
        return slice_pulse(self.excitation, self.thickness, system, use=PulseUse.EXCITATION, shift=shift)

    def _shot(self, system: System, chosen: SlicePulse, index: int, volume: int, *, wait: int) -> tuple[Block, ...]:
        labels = {"SLC": index, "REP": volume}
        x, y = prephasers(self.train, system)
        straight = self.train.navigators == 0
        excite = excitation_block(
            chosen,
            system,
            position=self.slice_positions[index],
            beside=(x, y) if straight else (None, None),
        )
        navigators = self.train.navigator_blocks(system, labels)
        away = () if straight else (block(system, lobes=(x, y, None)),)
        spoiler = lobe_of_area(_SPOILING_CYCLES / (PROTON_GAMMA_BAR_HZ_PER_T * self.thickness), system)
        pause = (Block(wait),) if wait else ()
        train = self.train.blocks(system, labels)
        return (excite, *navigators, *pause, *away, *train, block(system, lobes=(None, None, spoiler)))

    def _echo(self, system: System, shot: tuple[Block, ...]) -> int:
        """From the pulse's centre to k = 0, ns."""
        pulse = shot[0].pulse
        assert pulse is not None  # noqa: S101 - the excitation's block
        before = sum(block.duration for block in shot[: -1 - self.train.lines])
        return before - pulse.delay - pulse.centre + self.train.before_centre(system)


def prephasers(train: EchoPlanarTrain, system: System) -> tuple[Lobe, Lobe | None]:
    """The gradients on x and y that lead from k = 0 to where a train begins, both as long.

    Args:
        train: that begins there.
        system: whose limits hold.
    """
    across, along = train.prephasing(system)
    longest = max(lobe_of_area(area, system).end for area in (across, along))
    x = lobe_of_area(across, system, duration=longest)
    return x, lobe_of_area(along, system, duration=longest) if along else None


def waiting(asked: float | None, shortest: int, raster: int, *, what: str) -> int:
    """How long to wait for a time that is asked, ns, on the raster and rounded up.

    Args:
        asked: s; None for no waiting.
        shortest: without waiting, ns.
        raster: ns.
        what: the time's name.

    Raises:
        UsageError: GD-171 if it is shorter than the shortest.

    Example:
        >>> waiting(0.03, 25_000_000, 10_000, what="echo time")
        5000000
    """
    if asked is None:
        return 0
    if not (math.isfinite(asked) and asked < 1e5 and asked * TICKS >= shortest - 1e-6 * raster):
        raise UsageError(
            "GD-171",
            given=f"{what} {1e3 * asked:.6g} ms",
            allowed=f"{1e3 * shortest / TICKS:.6g} ms or more",
            do="ask for more time, less resolution or fewer lines, or use a stronger gradient system",
        )
    return ticks(asked - shortest / TICKS, raster)


def silenced(shots: list[tuple[Block, ...]], count: int) -> list[tuple[Block, ...]]:
    """The same shots, the first so many without readouts.

    Args:
        shots: in the order of play.
        count: how many are dummies.
    """
    dumb = [tuple(replace(block, readout=None) for block in shot) for shot in shots[:count]]
    return dumb + shots[count:]


def require_slices(positions: tuple[float, ...], volumes: int, dummies: int) -> None:
    """Refuse slices that are none, or nowhere.

    Args:
        positions: z of each, m.
        volumes: how often they are played.
        dummies: how often before, without readout.

    Raises:
        UsageError: GD-171.
    """
    if not (
        positions and volumes >= 1 and 0 <= dummies <= 1000 and all(math.isfinite(z) and abs(z) < 10 for z in positions)
    ):
        raise UsageError(
            "GD-171",
            given=f"{len(positions)} slices at {positions[:4]} m, played {volumes} times after {dummies} dummies",
            allowed="one slice and one volume at least, at positions in m, and 0 to 1000 dummies",
            do="give z in metres",
        )
