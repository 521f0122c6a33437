"""Diffusion-weighted spin-echo echo-planar imaging, all weightings at one echo time."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.coherence import effective_waveform
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, PulseUse, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import SelectivePulse
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.delivered_weighting import (
    DeliveredWeighting,
    DiffusionWeighting,
    delivered_weighting,
    weightings_of,
)
from gradatim.scanner.sequences.diffusion_timing import DiffusionTiming
from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
from gradatim.scanner.sequences.epi import prephasers, require_slices, silenced, waiting
from gradatim.scanner.sequences.lobes import ROUNDING, lobe_of_area
from gradatim.scanner.sequences.slice_blocks import crusher_window, excitation_block, refocusing_block
from gradatim.scanner.sequences.slice_pulse import SlicePulse, slice_pulse
from gradatim.scanner.system import System

_LONGEST_ECHO = 2_000_000_000
_RECOVERY = 3.0
_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class DiffusionPlan:
    """What is delivered: one timing, and for each weighting its amplitude and b-matrix.

    Args:
        timing: of the lobes.
        chosen: excitation and refocusing pulse with their levels.
        crusher: area on each side of the refocusing pulse, T·s/m.
        amplitudes: (n, 3), T/m.
        b: (n, 3, 3), s/m², imaging gradients and cross terms included.
    """

    timing: DiffusionTiming
    chosen: tuple[SlicePulse, SlicePulse]
    crusher: float
    amplitudes: Tensor
    b: Tensor


@dataclass(frozen=True)
class DiffusionEchoPlanar:
    """90°, lobe, 180° between crushers, lobe, echo-planar train; each weighting with the same times.

    The lobes are trapezoids that ramp as fast as the strongest gradient allows and last as long as the echo time leaves
    them; the first begins as early, the second ends as late as can be. Only their amplitudes differ between weightings,
    so that no echo time drifts. Each amplitude is solved from uᵀBu = b with the b-matrix of the whole waveform, imaging
    gradients and cross terms included; b = 0 is delivered as what the imaging gradients alone weight.

    Args:
        train: the plane of k-space; its navigators are read right after the excitation, where they cost no echo time.
        weightings: in the order of play; each is a volume of all slices.
        thickness: of a slice, m.
        excitation: the pulse.
        refocusing: the pulse.
        crusher_cycles: of dephasing over the slice on each side of the refocusing pulse.
        echo_time: s; None for the shortest.
        repetition_time: s; None for 3 s, in which tissue recovers, or for as long as the slices take.
        slice_positions: z of each slice, m.
        dummies: volumes of the first weighting without readout before all, for which the magnetisation settles.

    Raises:
        UsageError: when called, GD-172 for a weighting that no echo time up to 2 s reaches; GD-171 for a time shorter
            than possible, with the shortest; GD-170, GD-166, GD-167 as the parts.

    Source:
        Stejskal & Tanner, J Chem Phys 42:288-292, 1965; Mattiello, Basser & Le Bihan, Magn Reson Med 37:292-300, 1997,
        for the imaging gradients.

    Example:
        >>> weightings = (DiffusionWeighting(0.0), DiffusionWeighting(1e9, (0.0, 0.0, 1.0)))
        >>> protocol = DiffusionEchoPlanar(EchoPlanarTrain((0.22, 0.22), (64, 64), partial_fourier=0.75), weightings)
        >>> round(protocol.plan(System(0.080, 200.0)).b[1, 2, 2].item() / 1e9, 9)
        1.0
    """

    train: EchoPlanarTrain = EchoPlanarTrain()
    weightings: tuple[DiffusionWeighting, ...] = weightings_of((0.0, 1e9), _AXES)
    thickness: float = 5e-3
    excitation: SelectivePulse = SincPulse(math.pi / 2, 2e-3)
    refocusing: SelectivePulse = SincPulse(math.pi, 2.4e-3)
    crusher_cycles: float = 4.0
    echo_time: float | None = None
    repetition_time: float | None = None
    slice_positions: tuple[float, ...] = (0.0,)
    dummies: int = 1

    def plan(self, system: System) -> DiffusionPlan:
        """The timing, amplitudes and b-matrices on a system.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        require_slices(self.slice_positions, len(self.weightings), self.dummies)
        if not 0 < self.crusher_cycles <= 1000:
            raise UsageError(
                "GD-172",
                given=f"crushers of {self.crusher_cycles} cycles",
                allowed="above 0 up to 1000",
                do="take 4: without crushers the refocusing pulse adds a signal of its own",
            )
        plan = self._shortest(system)
        if self.echo_time is None:
            return plan
        least = waiting(self.echo_time, 2 * plan.timing.half, system.rasters.block, what="echo time")
        half = plan.timing.half + least // 2
        return self._filled(system, half)

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        plan = self.plan(system)
        shots = [
            self._shot(system, plan, plan.amplitudes[volume], index, volume)
            for volume in [0] * self.dummies + list(range(len(plan.amplitudes)))
            for index in range(len(self.slice_positions))
        ]
        shots = silenced(shots, self.dummies * len(self.slice_positions))
        lasts = sum(block.duration for block in shots[0]) * len(self.slice_positions)
        asked = max(_RECOVERY, lasts / TICKS) if self.repetition_time is None else self.repetition_time
        rest = waiting(asked, lasts, system.rasters.block, what="repetition time")
        blocks: list[Block] = []
        for index, shot in enumerate(shots, 1):
            last = index % len(self.slice_positions) == 0
            blocks += [*shot, *([Block(rest)] if rest and last else [])]
        along = [float(w.unit @ b @ w.unit) for w, b in zip(self.weightings, plan.b, strict=True)]
        raster = system.rasters.gradient
        definitions: dict[str, str | tuple[float, ...]] = {
            "Name": "diffusion",
            "FOV": (*self.train.fov, self.thickness * len(self.slice_positions)),
            "Matrix": (*map(float, self.train.matrix), float(len(self.slice_positions))),
            "TE": (2 * plan.timing.half / TICKS,),
            "TR": ((lasts + rest) / TICKS,),
            "BValues": tuple(along),
            "BDirections": tuple(x for w in self.weightings for x in w.unit.tolist()),
            "SmallDelta": ((plan.timing.lobe(raster) - plan.timing.rise(system)) / TICKS,),
            "BigDelta": (plan.timing.separation(raster) / TICKS,),
            "SliceThickness": (self.thickness,),
            "SlicePositions": tuple(self.slice_positions),
            **self.train.definitions(system),
        }
        return Sequence(tuple(blocks), system.rasters, definitions)

    def _shortest(self, system: System) -> DiffusionPlan:
        """The plan of the shortest echo time, found by halving in closed form, then checked with all gradients."""
        raster = system.rasters.gradient
        needed = max(w.b * float(w.unit.abs().max()) ** 2 for w in self.weightings)
        first = self._timing(system, 0)
        low, high = max(first.before, first.after) + first.around, _LONGEST_ECHO // 2
        low, high = -(-low // raster), high // raster
        most = self._timing(system, high * raster).lobes_alone(system)
        if most < needed:
            raise UsageError(
                "GD-172",
                given=f"b = {needed / 1e6:.6g} s/mm² on one axis",
                allowed=f"up to {most / 1e6:.6g} s/mm², with an echo time of 2 s",
                do="ask for less weighting, or use a stronger gradient system",
            )
        while low < high:
            middle = (low + high) // 2
            enough = self._timing(system, middle * raster).lobes_alone(system) >= needed
            low, high = (low, middle) if enough else (middle + 1, high)
        while True:
            plan = self._filled(system, low * raster)
            if float(plan.amplitudes.abs().max()) <= plan.timing.strongest(system) * ROUNDING:
                return plan
            low += 1

    def _timing(self, system: System, half: int) -> DiffusionTiming:
        excite, refocus = self._pulses(system, half)
        first = excitation_block(excite, system, position=0.0)
        assert first.pulse is not None  # noqa: S101 - the excitation's block
        navigators = sum(block.duration for block in self.train.navigator_blocks(system))
        window = crusher_window(refocus, system, crushers=(self._crusher,))
        x, y = prephasers(self.train, system)
        return DiffusionTiming(
            half=half,
            before=first.duration - first.pulse.delay - first.pulse.centre + navigators,
            after=block(system, lobes=(x, y, None)).duration + self.train.before_centre(system),
            around=window + refocus.flat // 2,
        )

    def _pulses(self, system: System, half: int) -> tuple[SlicePulse, SlicePulse]:
        """The pulses, each begun so that both halves of the echo time have their length on the raster."""
        raster = system.rasters.gradient
        ends = self.train.before_centre(system) % raster
        excite = slice_pulse(self.excitation, self.thickness, system, use=PulseUse.EXCITATION, shift=ends)
        shift = (ends - half) % raster
        return excite, slice_pulse(self.refocusing, self.thickness, system, use=PulseUse.REFOCUSING, shift=shift)

    @property
    def _crusher(self) -> float:
        return self.crusher_cycles / (PROTON_GAMMA_BAR_HZ_PER_T * self.thickness)

    def _filled(self, system: System, half: int) -> DiffusionPlan:
        """A plan with its amplitudes solved."""
        timing = self._timing(system, half)
        plan = DiffusionPlan(timing, self._pulses(system, half), self._crusher, torch.zeros(0, 3), torch.zeros(0, 3, 3))
        delivered = self._delivered(system, plan)
        amplitudes = torch.stack([delivered.amplitude(w.b, w.unit) for w in self.weightings])
        b = torch.stack([delivered.matrix(amplitude) for amplitude in amplitudes])
        return replace(plan, amplitudes=amplitudes, b=b)

    def _delivered(self, system: System, plan: DiffusionPlan) -> DeliveredWeighting:
        lobes = self._shot(system, plan, torch.zeros(3), 0, 0)
        assert lobes[0].pulse is not None  # noqa: S101 - the excitation's block
        centre = lobes[0].pulse.delay + lobes[0].pulse.centre
        echo = (centre + 2 * plan.timing.half) / TICKS
        return delivered_weighting(
            lambda amplitude: effective_waveform(
                Sequence(self._shot(system, plan, amplitude, 0, 0), system.rasters), echo
            )
        )

    def _shot(
        self, system: System, plan: DiffusionPlan, amplitude: Tensor, index: int, volume: int
    ) -> tuple[Block, ...]:
        labels = {"SLC": index, "REP": volume}
        position = self.slice_positions[index]
        excite, refocus = plan.chosen
        raster = system.rasters.gradient
        long, (early, late) = plan.timing.lobe(raster), plan.timing.gaps(raster)
        lobes = tuple(_lobe(float(value), long, plan.timing.rise(system)) for value in amplitude)
        marking = [Block(long, lobes=(lobes[0], lobes[1], lobes[2]))] if long else []
        x, y = prephasers(self.train, system)
        spoiler = lobe_of_area(self._crusher, system)
        return (
            excitation_block(excite, system, position=position),
            *self.train.navigator_blocks(system, labels),
            *marking,
            *([Block(early)] if early else []),
            refocusing_block(
                refocus,
                system,
                crushers=(plan.crusher, plan.crusher),
                window=plan.timing.around - refocus.flat // 2,
                position=position,
                phase=math.pi / 2,
            ),
            *([Block(late)] if late else []),
            *marking,
            block(system, lobes=(x, y, None)),
            *self.train.blocks(system, labels),
            block(system, lobes=(None, None, spoiler)),
        )


def _lobe(amplitude: float, long: int, rise: int) -> Lobe | None:
    return trapezoid(0, rise, long - 2 * rise, rise, amplitude=amplitude) if amplitude and rise else None
