"""A multi-echo gradient-echo scan as a differentiable chain: limits → timing → signal-to-noise ratio of the echoes."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import Number, real
from gradatim.scanner.limits.lobe import lobe_duration
from gradatim.scanner.protocol.image_noise import ImageNoise
from gradatim.scanner.system import System

_ROOM = 50
"""Rasters by which a dwell may be shortened so that what was rounded fits."""
_MOST_VOXELS, _MOST_ECHOES = 65536, 1024
"""Along one axis, and in one TR: what no scanner exceeds."""


@dataclass(frozen=True, eq=False)
class EchoTiming:
    """What a design of a multi-echo scan delivers.

    Args:
        echo_times: TE, (n,), s.
        repetition: TR, s.
        needed: the shortest TR that these echoes fit into, s.
        dwell: of a sample, s.
        averages: how often the whole of k-space is read.
        snr: of the magnitude at TE = 0, in one real channel.
    """

    echo_times: Tensor
    repetition: Tensor
    needed: Tensor
    dwell: Tensor
    averages: int
    snr: Tensor


@dataclass(frozen=True)
class GradientEchoScan:
    """A spoiled 3-D multi-echo scan at the Ernst angle, with bipolar echoes.

    The readout of N samples of one dwell has G = 1/(γ̄·FOV·dwell) and ramps G/S. The closest echoes are N·dwell + 2G/S
    apart; the first is at half the pulse, the longest of prephaser and phase encodings, a ramp and half the readout.
    TR is as long as the scan time allows for the averages, TR = scan_time/(averages × encodings), and the signal
    √((1 − E₁)/(1 + E₁)), E₁ = exp(−TR/T1).

    Args:
        matrix: voxels along readout, phase and partition.
        extent: field of view, m.
        echoes: n, two at least.
        scan_time: s.
        t1: s.
        noise: how noisy an image is.
        pulse: duration of the excitation, s.
        spoiling: cycles of dephasing that the spoiler leaves in a voxel.

    Raises:
        UsageError: GD-101 if a number is not possible.

    Source:
        Bernstein, King & Zhou, Handbook of MRI Pulse Sequences, 2004, ch. 8, 11; Ernst & Anderson, Rev Sci Instrum
        37:93-102, 1966.

    Example:
        >>> import torch
        >>> scan = GradientEchoScan((64, 64, 32), (0.22, 0.22, 0.11), echoes=4, scan_time=120.0)
        >>> design = torch.tensor([10e-6, 0.0, 0.0], dtype=torch.float64)  # dwell, and no waiting
        >>> timing = scan.timing(design, max_gradient=0.04, max_slew=150.0)
        >>> [round(time * 1e3, 2) for time in timing.echo_times.tolist()]
        [0.96, 1.74, 2.52, 3.31]
    """

    matrix: tuple[int, int, int]
    extent: tuple[float, float, float]
    echoes: int
    scan_time: float
    t1: float = 1.2
    noise: ImageNoise = ImageNoise()
    pulse: float = 0.5e-3
    spoiling: float = 2.0

    def __post_init__(self) -> None:
        sizes = (*self.extent, self.scan_time, self.t1, self.pulse)
        possible = all(math.isfinite(v) and v > 0 for v in sizes) and min(self.matrix) >= 1 and self.matrix[0] >= 2
        possible = possible and max(self.matrix) <= _MOST_VOXELS and 2 <= self.echoes <= _MOST_ECHOES
        if not possible or not (math.isfinite(self.spoiling) and self.spoiling >= 0):
            raise UsageError(
                "GD-101",
                given=f"{self.echoes} echoes, {self.matrix} voxels, {self.extent} m, {self.scan_time} s, T1 {self.t1}",
                allowed=f"2 to {_MOST_ECHOES} echoes, 1 to {_MOST_VOXELS} voxels, 2 along readout; sizes, times > 0",
                do="give the field of view in m and the scan time in s",
            )

    @property
    def volume(self) -> float:
        """Of a voxel, m³."""
        return math.prod(e / n for e, n in zip(self.extent, self.matrix, strict=True))

    @property
    def encodings(self) -> int:
        """Phase encodings times partitions."""
        return self.matrix[1] * self.matrix[2]

    def with_readout(self, samples: int) -> "GradientEchoScan":
        """The same field of view and time with voxels of another size and nearly the same shape.

        Args:
            samples: voxels along the readout; the other axes follow, to the next whole number.

        Example:
            >>> GradientEchoScan((64, 64, 32), (0.22, 0.22, 0.11), echoes=4, scan_time=120.0).with_readout(96).matrix
            (96, 96, 48)
        """
        phase, partition = (max(1, round(n * samples / self.matrix[0])) for n in self.matrix[1:])
        return replace(self, matrix=(samples, phase, partition))

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Its edges, m."""
        (a, b, c), (n, m, k) = self.extent, self.matrix
        return a / n, b / m, c / k

    def timing(
        self,
        design: Tensor,
        *,
        max_gradient: Number,
        max_slew: Number,
        averages: int = 1,
        scan_time: Number | None = None,
    ) -> EchoTiming:
        """What a design delivers, differentiable in it, in the limits and in the scan time.

        Args:
            design: (3,): dwell, wait before the first echo, wait between echoes, s.
            max_gradient: T/m.
            max_slew: T/(m·s).
            averages: of the whole of k-space.
            scan_time: s; by default the scan's own.
        """
        dwell, first_wait, wait = design
        gradient = 1.0 / (PROTON_GAMMA_BAR_HZ_PER_T * self.extent[0] * dwell)
        ramp, listening = gradient / max_slew, self.matrix[0] * dwell
        prephaser = lobe_duration(gradient * (listening + ramp) / 2, max_gradient, max_slew)
        longest = torch.stack([prephaser, *self._encodings(max_gradient, max_slew)]).amax()
        first = self.pulse / 2 + longest + ramp + listening / 2 + first_wait
        times = first + torch.arange(self.echoes, dtype=torch.float64) * (listening + 2 * ramp + wait)
        needed = times[-1] + listening / 2 + ramp + self._spoiler(max_gradient, max_slew) + self.pulse / 2
        repetition = real(self.scan_time if scan_time is None else scan_time) / (averages * self.encodings)
        return EchoTiming(times, repetition, needed, dwell, averages, self.snr(repetition, dwell, averages))

    def snr(self, repetition: Tensor, dwell: Tensor, averages: int) -> Tensor:
        """Of the magnitude at TE = 0, in one real channel.

        Args:
            repetition: TR, s.
            dwell: s.
            averages: of the whole of k-space.
        """
        relaxed = (-repetition / self.t1).exp()
        listened = averages * self.encodings * self.matrix[0] * dwell
        return ((1 - relaxed) / (1 + relaxed)).sqrt() / self.noise(real(self.volume), sampling_time=listened)

    def on_raster(
        self, design: Tensor, system: System, *, averages: int, largest_spacing: float = math.inf
    ) -> EchoTiming:
        """The design on the scanner's clock, never shorter than its ramps and readout need, and TR as time allows.

        Dwell and waits go down to the raster, what the hardware needs goes up, and all is checked again.

        Args:
            design: (3,), s.
            system: limits and clock.
            averages: of the whole of k-space.
            largest_spacing: that still unwraps, s.

        Raises:
            InputError: GD-850 if what is rounded no longer fits into TR, or no longer unwraps.
        """
        step = system.rasters.readout
        shortest = ticks(1.0 / (PROTON_GAMMA_BAR_HZ_PER_T * self.extent[0] * system.max_gradient), step)
        longest = max(shortest, _down(float(design[0]), step))
        for dwell in range(longest, max(shortest, longest - _ROOM * step) - 1, -step):
            timing = self._rounded([dwell / TICKS, *design[1:].tolist()], system, averages)
            apart = float(timing.echo_times[1] - timing.echo_times[0])
            if float(timing.needed) <= float(timing.repetition) + 1e-9 and apart <= largest_spacing + 1e-12:
                return timing
        raise InputError(
            "GD-850",
            given=f"echoes of {float(timing.needed) * 1e3:.3f} ms in a TR of {float(timing.repetition) * 1e3:.3f} ms",
            allowed="echoes that fit on the scanner's clock",
            do="give a little more scan time",
        )

    def _rounded(self, design: list[float], system: System, averages: int) -> EchoTiming:
        """A design whose dwell is on the raster, with its echoes and TR on theirs."""
        wanted, timing = (
            self.timing(
                torch.tensor(times, dtype=torch.float64),
                max_gradient=system.max_gradient,
                max_slew=system.max_slew,
                averages=averages,
            )
            for times in (design, [design[0], 0.0, 0.0])
        )
        raster = system.rasters.gradient
        first, spacing = (
            max(ticks(float(least), raster), _down(float(best), raster))
            for least, best in zip(_first_and_spacing(timing), _first_and_spacing(wanted), strict=True)
        )
        times = torch.tensor([first + i * spacing for i in range(self.echoes)], dtype=torch.float64) / TICKS
        repetition = real(_down(float(timing.repetition), system.rasters.block) / TICKS)
        return EchoTiming(
            echo_times=times,
            repetition=repetition,
            needed=times[-1] + (timing.needed - timing.echo_times[-1]),
            dwell=timing.dwell,
            averages=averages,
            snr=self.snr(repetition, timing.dwell, averages),
        )

    def _encodings(self, max_gradient: Number, max_slew: Number) -> list[Tensor]:
        """Durations of the largest phase and partition encodings, s; kmax = N/(2 FOV)."""
        areas = [n / (2 * PROTON_GAMMA_BAR_HZ_PER_T * e) for n, e in zip(self.matrix[1:], self.extent[1:], strict=True)]
        return [lobe_duration(area, max_gradient, max_slew) for area in areas]

    def _spoiler(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Duration of the spoiler along the readout, s."""
        if self.spoiling == 0:
            return torch.zeros((), dtype=torch.float64)
        area = self.spoiling * self.matrix[0] / (PROTON_GAMMA_BAR_HZ_PER_T * self.extent[0])
        return lobe_duration(area, max_gradient, max_slew)


def _down(seconds: float, raster: int) -> int:
    """The longest whole number of rasters that is not longer, ns."""
    return int(seconds * TICKS / raster + 1e-6) * raster


def _first_and_spacing(timing: EchoTiming) -> tuple[Tensor, Tensor]:
    return timing.echo_times[0], timing.echo_times[1] - timing.echo_times[0]
