"""The shortest echo spacing of echo-planar imaging."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, EpiSampling, FlatTopSampled, RampSampled
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real, require_positive
from gradatim.scanner.limits.lobe import lobe_duration
from gradatim.scanner.limits.on_raster import shortest_on_raster
from gradatim.scanner.limits.sentences import gains
from gradatim.scanner.system import System


def phase_encode_bandwidth(lines: Number, spacing: Number) -> Tensor:
    """Bandwidth of a pixel along phase encoding, 1/(N·ESP), Hz.

    Args:
        lines: N, lines between the two edges of k-space; with parallel imaging those that are read.
        spacing: ESP, s.

    Example:
        >>> round(phase_encode_bandwidth(64, 510e-6).item(), 2)
        30.64
    """
    return 1 / pixels_per_hertz(lines, spacing)


def pixels_per_hertz(lines: Number, spacing: Number) -> Tensor:
    """How far EPI shifts what is off resonance along phase encoding, N·ESP, pixels per Hz.

    Args:
        lines: N, lines between the two edges of k-space; with parallel imaging those that are read.
        spacing: ESP, s.

    Example:
        >>> round(100 * pixels_per_hertz(64, 510e-6).item(), 3)
        3.264
    """
    return real(lines) * real(spacing)


@dataclass(frozen=True, eq=False)
class EpiEchoSpacing:
    """The time from one gradient echo of a train to the next, the duration of a readout lobe of area N/(γ̄·FOV).

    With a shortest dwell time the gradient stays so low that Nyquist's step is kept at its peak, g ≤ 1/(γ̄·FOV·dwell).

    Args:
        fov: field of view, m, along both axes.
        matrix: N, pixels along both axes.
        sampling: which part of the lobe is sampled.
        blip_steps: steps of k-space a blip makes, 1, or the acceleration of parallel imaging.
        shortest_dwell: of the receiver, s; None where it does not matter.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 16.1. The area lost to blips is derived here.

    Example:
        >>> limit = EpiEchoSpacing(fov=0.22, matrix=64)(System(0.040, 150.0))
        >>> limit.binding.value, round(limit.value.item(), 7), limit.rastered
        ('slew', 0.0004268, 0.00043)
    """

    fov: Number
    matrix: Number
    sampling: EpiSampling = RampSampled()
    blip_steps: Number = 1
    shortest_dwell: Number | None = None

    def __post_init__(self) -> None:
        require_positive(
            {
                "fov": self.fov,
                "matrix": self.matrix,
                "blip_steps": self.blip_steps,
                "shortest_dwell": self.shortest_dwell,
            }
        )

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The echo spacing, s."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        return self.sampling.duration(self._area, self.blip(gradient, slew), gradient, slew)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the gradient stays below both the hardware's maximum and the receiver's."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        return self._enough(gradient, slew) <= gradient

    def blip(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The shortest blip, T(steps/(γ̄·FOV)), s."""
        step = real(self.blip_steps) / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov))
        return lobe_duration(step, max_gradient, max_slew)

    def longest_dwell(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The longest dwell time that keeps Nyquist's step at the lobe's peak, 1/(γ̄·FOV·g), s."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        peak = torch.minimum(gradient, self._enough(gradient, slew))
        return 1 / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov) * peak)

    def stimulation(self, system: System, share: Callable[[float, float], float]) -> float:
        """How much of a stimulation limit the swing from one lobe's peak to the next one's reaches.

        Args:
            system: the hardware.
            share: of a swing (T/m) at a slew rate (T/(m·s)).
        """
        gradient, slew = self._usable(system.max_gradient), real(system.max_slew)
        peak = torch.minimum(gradient, self._enough(gradient, slew))
        return share(2 * peak.item(), system.max_slew)

    def __call__(self, system: System) -> Limit:
        """The echo spacing on a system, in real numbers and on its raster, with the distortion that follows.

        Args:
            system: the hardware.
        """
        names = ("fov", "matrix", "blip_steps", "shortest_dwell")
        slopes, relative, value = derivatives(self, system, names=names)
        gradient, slew = self._usable(system.max_gradient), real(system.max_slew)
        blip, enough = self.blip(gradient, slew), self._enough(gradient, slew)
        blip_played = ticks(blip.item(), system.rasters.gradient) / TICKS
        played = shortest_on_raster(
            lambda ramp, total, amplitude: self.sampling.sampled(ramp, total, amplitude, blip_played),
            wanted=self._area.item(),
            start=value.item(),
            system=System(gradient.item(), system.max_slew, rasters=system.rasters),
        )
        lines = real(self.matrix) / real(self.blip_steps)
        others: dict[str, EpiSampling] = {
            "ramp_sampled": RampSampled(),
            "flat_top": FlatTopSampled(),
            "blips_left_out": BlipsLeftOut(),
        }
        details = {
            **{name: Quantity(way.duration(self._area, blip, gradient, slew), "s") for name, way in others.items()},
            "blip": Quantity(blip, "s"),
            "peak_gradient": Quantity(torch.minimum(gradient, enough), "T/m"),
            "longest_dwell": Quantity(self.longest_dwell(system.max_gradient, system.max_slew), "s"),
            "phase_encode_bandwidth": Quantity(phase_encode_bandwidth(lines, played.duration), "Hz"),
            "pixels_per_hertz": Quantity(pixels_per_hertz(lines, played.duration), "1/Hz"),
        }
        receiver = enough > gradient and gradient.item() < system.max_gradient
        return Limit(
            "echo_spacing",
            value,
            "s",
            Constraint.RECEIVER if receiver else self._constraint(system),
            _receiver_reason(gradient, system)
            if receiver
            else gains("the readout lobe", relative, system, enough=enough.item()),
            slopes,
            relative,
            details,
            played.duration,
        )

    @property
    def _area(self) -> Tensor:
        return real(self.matrix) / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov))

    def _enough(self, gradient: Tensor, slew: Tensor) -> Tensor:
        return self.sampling.enough(self._area, self.blip(gradient, slew), slew)

    def _usable(self, max_gradient: Number) -> Tensor:
        if self.shortest_dwell is None:
            return real(max_gradient)
        nyquist = 1 / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov) * real(self.shortest_dwell))
        return torch.minimum(real(max_gradient), nyquist)

    def _constraint(self, system: System) -> Constraint:
        slew_bound = bool(self.slew_bound(system.max_gradient, system.max_slew))
        return Constraint.SLEW if slew_bound else Constraint.AMPLITUDE


def _receiver_reason(gradient: Tensor, system: System) -> str:
    return (
        f"receiver-bound: at its shortest dwell time Nyquist's step allows {1e3 * gradient.item():.1f} of "
        f"{1e3 * system.max_gradient:g} mT/m; more gradient gives nothing, a faster receiver does"
    )
