"""Turbo spin echo, also called RARE or fast spin echo: many lines of k-space after one excitation."""

import math
from dataclasses import dataclass, replace

import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, PulseUse, Readout, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import SelectivePulse
from gradatim.scanner.pulses.strength import within_b1
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.bridges import joined
from gradatim.scanner.sequences.echo_order import EchoOrder, LinearOrder, lines_of_shots
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.epi import require_slices, waiting
from gradatim.scanner.sequences.lobes import lobe_of_area
from gradatim.scanner.sequences.slice_blocks import excitation_block, refocusing_block
from gradatim.scanner.sequences.slice_pulse import SlicePulse, slice_pulse
from gradatim.scanner.sequences.spin_echo_spacing import SpinEchoSpacing, spin_echo_spacing
from gradatim.scanner.system import System


@dataclass(frozen=True)
class EchoTrain:
    """The train of refocusing pulses after one excitation.

    Args:
        length: echoes; it divides the number of lines.
        order: which line each echo reads.
        flips: of the refocusing pulses, rad: one for all, or one an echo.
        spacing: of the echoes, s; None for the shortest.
        cycles: of dephasing over the slice by each crusher, beside the selection's own.

    Raises:
        UsageError: GD-173 if one of them is impossible.

    Example:
        >>> EchoTrain(4, flips=(2.0, 1.5, 1.2, 1.0)).angle(2)
        1.2
    """

    length: int = 16
    order: EchoOrder = LinearOrder()
    flips: tuple[float, ...] = (math.pi,)
    spacing: float | None = None
    cycles: float = 3.0

    def __post_init__(self) -> None:
        turned = all(math.isfinite(flip) and 0 < flip <= 2 * math.pi for flip in self.flips)
        if not (turned and len(self.flips) in {1, self.length} and self.length >= 1 and 0 < self.cycles <= 1000):
            raise UsageError(
                "GD-173",
                given=f"{self.length} echoes with {len(self.flips)} flip angles {self.flips[:4]} and crushers of "
                f"{self.cycles} cycles",
                allowed="one angle for all or one an echo, above 0 up to 2π rad, and crushers above 0 cycles",
                do="give radians: 180 degrees are 3.14159",
            )

    def angle(self, echo: int) -> float:
        """The flip angle of a refocusing pulse, rad.

        Args:
            echo: from 0.
        """
        return self.flips[echo % len(self.flips)]


@dataclass(frozen=True)
class TurboSpinEcho:
    """90°x, then 180°y every ESP: each echo with its own line, wound up before it and unwound after it.

    The conditions of Carr, Purcell, Meiboom and Gill hold exactly: the pulses' phases differ by 90°, the first
    refocusing pulse follows after ESP/2, and between refocusing pulses each axis has twice the area that it has from
    the excitation to the first of them. So every pathway, the stimulated ones too, meets in the echoes. The effective
    echo time is that of the echo with k = 0. Shots without readout come first, since the first of all would otherwise
    be brighter than the rest and ghost along y.

    Args:
        encoding: field of view with the slice's thickness along z, matrix, dwell time.
        train: of refocusing pulses.
        excitation: the pulse, its phase 0 at its centre.
        refocusing: the pulse at its nominal angle; other angles are this shape at another strength.
        repetition_time: of a slice, s; None for the shortest.
        dummies: shots of all slices without readout, before the first.
        slice_positions: z of each slice, m, in the order of play.

    Raises:
        UsageError: GD-173 if the train does not fit the matrix; when called, as
            :func:`~gradatim.scanner.sequences.spin_echo_spacing.spin_echo_spacing`, and GD-171 for a repetition time
            shorter than possible, with the shortest.

    Source:
        Hennig, Nauerth & Friedburg, Magn Reson Med 3:823-833, 1986; Meiboom & Gill, Rev Sci Instrum 29:688-691, 1958.

    Example:
        >>> encoding = CartesianEncoding((0.22, 0.22, 0.005), (64, 64, 1), 20e-6)
        >>> sequence = TurboSpinEcho(encoding, EchoTrain(16), dummies=1)(System(0.040, 150.0))
        >>> len(sequence.pulses), len(sequence.readouts), sequence.definitions["EchoSpacing"]
        (85, 64, (0.00498,))
    """

    encoding: CartesianEncoding = CartesianEncoding()
    train: EchoTrain = EchoTrain()
    excitation: SelectivePulse = SincPulse(math.pi / 2, 1.2e-3)
    refocusing: SelectivePulse = SincPulse(math.pi, 2.4e-3)
    repetition_time: float | None = None
    dummies: int = 1
    slice_positions: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        if self.encoding.matrix[2] != 1 or not 0 <= self.dummies <= 1000:
            raise UsageError(
                "GD-173",
                given=f"{self.encoding.matrix[2]} partitions, {self.dummies} dummy shots",
                allowed="one partition, 0 to 1000 dummy shots",
                do="give slices as positions",
            )

    def spacing(self, system: System) -> SpinEchoSpacing:
        """How each echo's time is divided.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        excite, refocus = self._pulses(system)
        crusher = self.train.cycles / (PROTON_GAMMA_BAR_HZ_PER_T * self.encoding.fov[2])
        return spin_echo_spacing(self.encoding, excite, refocus, system, crusher=crusher, asked=self.train.spacing)

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        require_slices(self.slice_positions, 1, self.dummies)
        spacing = self.spacing(system)
        lines = lines_of_shots(
            self.train.order, self.encoding.matrix[1], self.train.length, spacing=spacing.echoes / TICKS
        )
        slices = len(self.slice_positions)
        lasts = slices * sum(block.duration for block in self._shot(system, spacing, lines[0].tolist(), None, 0))
        rest = waiting(self.repetition_time, lasts, system.rasters.block, what="repetition time")
        blocks: list[Block] = []
        for shot in range(-self.dummies, len(lines)):
            for index in range(slices):
                read = lines[max(shot, 0)].tolist()
                blocks += self._shot(system, spacing, read, shot if shot >= 0 else None, index)
            blocks += [Block(rest)] if rest else []
        echo = int((lines == self.encoding.matrix[1] // 2).nonzero()[0, 1])
        thickness = self.encoding.fov[2]
        definitions: dict[str, str | tuple[float, ...]] = {
            "Name": "tse",
            "FOV": (*self.encoding.fov[:2], thickness * slices),
            "Matrix": (*map(float, self.encoding.matrix[:2]), float(slices)),
            "TE": ((echo + 1) * spacing.echoes / TICKS,),
            "TR": ((lasts + rest) / TICKS,),
            "EchoSpacing": (spacing.echoes / TICKS,),
            "EchoTrainLength": (float(self.train.length),),
            "Dummies": (float(self.dummies),),
            "BandwidthPerPixel": (1 / (self.encoding.matrix[0] * self.encoding.dwell_ticks(system) / TICKS),),
            "SliceThickness": (thickness,),
            "SlicePositions": tuple(self.slice_positions),
        }
        return Sequence(tuple(blocks), system.rasters, definitions)

    def _pulses(self, system: System) -> tuple[SlicePulse, SlicePulse]:
        thickness = self.encoding.fov[2]
        return (
            slice_pulse(self.excitation, thickness, system, use=PulseUse.EXCITATION),
            slice_pulse(self.refocusing, thickness, system, use=PulseUse.REFOCUSING),
        )

    def _shot(
        self, system: System, spacing: SpinEchoSpacing, lines: list[int], shot: int | None, index: int
    ) -> list[Block]:
        """One train; ``shot`` None for a dummy."""
        excite, refocus = self._pulses(system)
        position = self.slice_positions[index]
        down = _lobe({0: excite.level, excite.ramp: 0.0})
        first = excitation_block(excite, system, position=position, after=down)
        assert first.pulse is not None  # noqa: S101 - the excitation's block
        blocks = [replace(first, duration=first.pulse.delay + first.pulse.centre + spacing.readout // 2)]
        nominal = refocus.pulse.flip
        wound = None
        for echo, line in enumerate(lines):
            angle = self.train.angle(echo)
            pulse = within_b1(replace(refocus.pulse, field=refocus.pulse.field * (angle / nominal)), system)
            step = self._step(spacing, system, line)
            blocks.append(
                refocusing_block(
                    replace(refocus, pulse=pulse),
                    system,
                    crushers=(spacing.crushers[min(echo, 1)], spacing.crushers[1]),
                    window=spacing.window,
                    position=position,
                    phase=math.pi / 2,
                    beside=(self._ramps(spacing, system, first=echo == 0), _steps(spacing, wound, step)),
                )
            )
            labels = {"LIN": line, "SLC": index, "SEG": shot or 0}
            readout = Readout(spacing.delay, self.encoding.dwell_ticks(system), self.encoding.matrix[0], labels=labels)
            level = _lobe({0: spacing.gradient, spacing.readout: spacing.gradient})
            blocks.append(Block(spacing.readout, lobes=(level, None, None), readout=None if shot is None else readout))
            wound = step
        spoiler = lobe_of_area(spacing.crushers[1], system)
        down = _lobe({0: spacing.gradient, spacing.ramp: 0.0})
        blocks.append(block(system, lobes=(down, _steps(spacing, wound, None), spoiler)))
        return blocks

    def _ramps(self, spacing: SpinEchoSpacing, system: System, *, first: bool) -> Lobe:
        """x around a refocusing pulse: the prephaser, or down from the readout before; then up to the next."""
        end = spacing.pulse + 2 * spacing.window
        up = _lobe({end - spacing.ramp: 0.0, end: spacing.gradient})
        prephaser = lobe_of_area(spacing.prephasing, system, duration=spacing.window)
        down = _lobe({0: spacing.gradient, spacing.ramp: 0.0})
        return joined([(0, prephaser if first else down), (0, up)])

    def _step(self, spacing: SpinEchoSpacing, system: System, line: int) -> Lobe | None:
        """The gradient along y that winds up a line, or None for k = 0."""
        area = self.encoding.step_area(line, 1)
        return lobe_of_area(area, system, duration=spacing.window) if area else None


def _steps(spacing: SpinEchoSpacing, before: Lobe | None, after: Lobe | None) -> Lobe | None:
    """y around a refocusing pulse: the line before is unwound, the next one is wound up."""
    pieces = [] if before is None else [(0, replace(before, values=-before.values))]
    pieces += [] if after is None else [(spacing.pulse + spacing.window, after)]
    return joined(pieces) if pieces else None


def _lobe(knots: dict[int, float]) -> Lobe:
    return Lobe(torch.tensor(list(knots)), torch.tensor(list(knots.values()), dtype=torch.float64))
