"""Pulsed-field-gradient NMR with a stimulated echo: diffusion while the magnetisation is kept along B0."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, effective_waveform
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, PulseUse, Readout, Sequence, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.sequences.delivered_weighting import DeliveredWeighting, delivered_weighting
from gradatim.scanner.sequences.encoding_lobes import EncodingLobes, SingleLobe, centred_pulse
from gradatim.scanner.sequences.epi import silenced, waiting
from gradatim.scanner.sequences.lobes import lobe_of_area
from gradatim.scanner.sequences.slice_blocks import up
from gradatim.scanner.system import System

_WORDS = {Turn.EXCITE: "excite", Turn.REFOCUS: "refocus", Turn.STORE: "store", Turn.RESTORE: "restore"}


@dataclass(frozen=True)
class _Times:
    """On the raster, ns: the gap beside each mark, storage between the pulses' blocks, and what follows from them."""

    pulse: int
    gap: int
    mark: int
    storage: int
    dwell: int
    spoiler: Lobe

    @property
    def echo(self) -> int:
        """τ, between the first two pulses, and from the third to the echo."""
        return self.pulse + 2 * self.gap + self.mark

    @property
    def separation(self) -> int:
        """Δ."""
        return self.echo + self.pulse + self.storage


@dataclass(frozen=True)
class StimulatedEcho:
    """90° – G – 90° – wait, spoil – 90° – G – acquire, once for each gradient strength.

    With single lobes b = γ²G²[δ²(Δ − δ/3) + ε³/30 − δε²/6], Δ from the beginning of one lobe to that of the other. The
    first sample is taken at the stimulated echo, τ after the third pulse, τ being the time between the first two. Half
    of the signal is kept; T1 acts during storage, T2 only during 2τ. What is not stored is dephased by the spoiler,
    which lies on the axis that is furthest from the gradients' direction.

    A Pulseq file has no word for pulses that store or restore; all three stand there as excitations. The definition
    ``Turns`` says what each does, and every trajectory and b-matrix of a sequence follows it.

    Args:
        gradients: G of each measurement, T/m.
        lobes: how position is marked.
        diffusion_time: Δ, s; rounded up to the raster.
        direction: of the gradients, of any length.
        settling: without gradients before and after each mark, s; at least what the receiver needs.
        samples: of the free decay after the echo.
        dwell: s.
        repetition_time: s; None for the shortest.
        pulse: each 90° pulse.
        spoiler: dephasing during storage, 1/m.
        dummies: measurements of the first strength without readout before all.

    Raises:
        UsageError: GD-174 if a number is impossible, or Δ too short, with the shortest; GD-171 for a repetition time
            shorter than possible; when called, GD-167 if a pulse is too strong.

    Source:
        Tanner, J Chem Phys 52:2523-2526, 1970.

    Example:
        >>> probe = System(max_gradient=0.5, max_slew=5000.0, max_b1=2e-3)
        >>> sequence = StimulatedEcho((0.1, 0.5), SingleLobe(2e-3), diffusion_time=0.05)(probe)
        >>> sequence.definitions["Turns"], len(sequence.pulses)
        ('excite store restore', 6)
    """

    gradients: tuple[float, ...]
    lobes: EncodingLobes = SingleLobe()
    diffusion_time: float = 0.05
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0)
    settling: float = 200e-6
    samples: int = 1024
    dwell: float = 100e-6
    repetition_time: float | None = None
    pulse: HardPulse = HardPulse(math.pi / 2, 10e-6)
    spoiler: float = 1e4
    dummies: int = 0

    def __post_init__(self) -> None:
        length = math.hypot(*self.direction)
        numbers = (*self.gradients, length, self.diffusion_time, self.settling, self.dwell, self.spoiler)
        positive = min(length, self.diffusion_time, self.dwell, self.spoiler) > 1e-9 and self.settling >= 0
        bounded = (
            1 <= self.samples <= 1_000_000
            and 0 <= self.dummies <= 1000
            and max(self.diffusion_time, self.settling, self.dwell) < 1e3
        )
        if not (self.gradients and all(map(math.isfinite, numbers)) and positive and bounded):
            raise UsageError(
                "GD-174",
                given=f"{len(self.gradients)} gradients {self.gradients[:3]} T/m along {self.direction}, "
                f"Δ {self.diffusion_time} s, settling {self.settling} s, {self.samples} samples of {self.dwell} s, "
                f"a spoiler of {self.spoiler} 1/m, {self.dummies} dummies",
                allowed="one finite gradient at least, a direction with a length, positive times and dephasing",
                do="give SI units: 50 G/cm are 0.5 T/m",
            )

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What each pulse of the whole sequence does."""
        return self._shot_turns * (self.dummies + len(self.gradients))

    def b(self, system: System) -> Tensor:
        """The weighting along the direction that each gradient delivers, (n,), s/m², from the exact waveform.

        Args:
            system: whose rasters round the times.
        """
        delivered = self._delivered(system)
        unit = self._unit
        return torch.stack([unit @ delivered.matrix(g * unit) @ unit for g in self.gradients])

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        order = [0] * self.dummies + list(range(len(self.gradients)))
        shots = [tuple(self._shot(system, self.gradients[index] * self._unit, index)) for index in order]
        shots = silenced(shots, self.dummies)
        lasts = sum(block.duration for block in shots[0])
        rest = waiting(self.repetition_time, lasts, system.rasters.block, what="repetition time")
        pause = [Block(rest)] if rest else []
        times = self._times(system)
        definitions: dict[str, str | tuple[float, ...]] = {
            "Name": "pfg",
            "Turns": " ".join(_WORDS[turn] for turn in self._shot_turns),
            "Gradients": tuple(self.gradients),
            "BValues": tuple(self.b(system).tolist()),
            "SmallDelta": (self.lobes.delta(system) / TICKS,),
            "BigDelta": (times.separation / TICKS,),
            "TE": (2 * times.echo / TICKS,),
            "TR": ((lasts + rest) / TICKS,),
            "SpectralWidth": (TICKS / times.dwell,),
        }
        return Sequence(tuple(block for shot in shots for block in [*shot, *pause]), system.rasters, definitions)

    @property
    def _shot_turns(self) -> tuple[Turn, ...]:
        inner = self.lobes.turns
        return (Turn.EXCITE, *inner, Turn.STORE, Turn.RESTORE, *inner)

    @property
    def _unit(self) -> Tensor:
        direction = torch.tensor(self.direction, dtype=torch.float64)
        return direction / direction.norm()

    def _times(self, system: System) -> _Times:
        raster = math.lcm(system.rasters.block, system.rasters.gradient)
        dwell = ticks(self.dwell, system.rasters.readout)
        pulse = centred_pulse(self.pulse, system, use=PulseUse.EXCITATION).duration
        # the first sample lies on the echo, half a pulse's block after the gap
        room = dwell / 2 + system.readout_dead - pulse // 2
        gap = ticks(max(self.settling, room / TICKS), raster)
        if dwell % 2 or (gap + pulse // 2 - dwell // 2) % system.rasters.pulse:
            raise UsageError(
                "GD-174",
                given=f"a dwell time of {dwell} ns, with which no sample lies on the echo",
                allowed=f"an even number of {system.rasters.pulse} ns",
                do="change the dwell time",
            )
        mark = sum(block.duration for block in self.lobes.blocks(0 * self._unit, system))
        spoiler = lobe_of_area(self.spoiler / PROTON_GAMMA_BAR_HZ_PER_T, system)
        shortest = 2 * pulse + 2 * gap + mark + spoiler.end
        storage = ticks(self.diffusion_time - (shortest - spoiler.end) / TICKS, raster)
        if self.diffusion_time * TICKS < shortest - 1:
            raise UsageError(
                "GD-174",
                given=f"Δ = {1e3 * self.diffusion_time:.6g} ms",
                allowed=f"{1e3 * shortest / TICKS:.6g} ms or more with this δ, settling time and spoiler",
                do="ask for a longer diffusion time, or a shorter or weaker part of it",
            )
        return _Times(pulse, gap, mark, storage, dwell, spoiler)

    def _delivered(self, system: System) -> DeliveredWeighting:
        times = self._times(system)
        echo = (times.pulse // 2 + 2 * times.echo + times.pulse + times.storage) / TICKS
        turns = self._shot_turns
        return delivered_weighting(
            lambda amplitude: effective_waveform(
                Sequence(tuple(self._shot(system, amplitude, 0)), system.rasters), echo, turns
            )
        )

    def _shot(self, system: System, amplitude: Tensor, index: int) -> list[Block]:
        times = self._times(system)
        gap = [Block(times.gap)] if times.gap else []
        right = centred_pulse(self.pulse, system, use=PulseUse.EXCITATION)
        axis = int(self._unit.abs().argmin())
        spoil = tuple(times.spoiler if each == axis else None for each in range(3))
        mark = self.lobes.blocks(amplitude, system)
        # restoring changes the sign of what was marked, and so does each refocusing pulse of the reading
        read = self.lobes.blocks(amplitude if len(self.lobes.turns) % 2 == 0 else -amplitude, system)
        first = times.gap + times.pulse // 2 - times.dwell // 2
        readout = Readout(first, times.dwell, self.samples, labels={"REP": index})
        end = up(first + readout.duration + system.readout_dead, system.rasters.block)
        return [
            *(right, *gap, *mark, *gap, right),
            Block(times.storage, lobes=(spoil[0], spoil[1], spoil[2])),
            *(right, *gap, *read, Block(end, readout=readout)),
        ]
