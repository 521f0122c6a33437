"""The shortest echo spacing of echo-planar imaging."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, EpiSampling, FlatTopSampled, RampSampled
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real, require_positive
from gradatim.scanner.limits.lobe import lobe_duration
from gradatim.scanner.limits.on_raster import shortest_on_raster
from gradatim.scanner.limits.sentences import gains
from gradatim.scanner.limits.swing import SwingLimit
from gradatim.scanner.safety.strength_duration import FIRST_LEVEL, StrengthDuration
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
    With an allowed share of a stimulation limit, slew rate and peak are lowered together, in the best way, until the
    swing from one lobe's peak to the next one's keeps it; blips, which are small, do not count.

    Args:
        fov: field of view, m, along both axes.
        matrix: N, pixels along both axes.
        sampling: which part of the lobe is sampled.
        blip_steps: steps of k-space a blip makes, 1, or the acceleration of parallel imaging.
        shortest_dwell: of the receiver, s; None where it does not matter.
        allowed_share: of the limit of nerve stimulation that the swing may reach, 0.8 for 80 %; None where it does not
            matter. An estimate, no clearance.
        nerves: that limit, by strength and duration.
        lever: distance from the isocentre at which the field is taken, m.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 16.1. The area lost to blips is derived here.

    Example:
        >>> limit = EpiEchoSpacing(fov=0.22, matrix=64)(System(0.040, 150.0))
        >>> limit.binding.value, round(limit.value.item(), 7), limit.rastered
        ('slew', 0.0004268, 0.00043)
        >>> careful = EpiEchoSpacing(fov=0.22, matrix=128, allowed_share=0.8)(System(0.080, 200.0))
        >>> careful.binding.value, round(careful.value.item(), 7)
        ('stimulation', 0.0006466)
    """

    fov: Number
    matrix: Number
    sampling: EpiSampling = RampSampled()
    blip_steps: Number = 1
    shortest_dwell: Number | None = None
    allowed_share: Number | None = None
    nerves: StrengthDuration = FIRST_LEVEL
    lever: float = 0.2

    def __post_init__(self) -> None:
        require_positive(
            {
                "fov": self.fov,
                "matrix": self.matrix,
                "blip_steps": self.blip_steps,
                "shortest_dwell": self.shortest_dwell,
                "allowed_share": self.allowed_share,
                "lever": self.lever,
            }
        )

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The echo spacing, s."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        blip = self.blip(gradient, slew)
        hardware = self.sampling.duration(self._area, blip, gradient, slew)
        if self._swing is None:
            return hardware
        peak = self.peak(max_gradient, slew)
        careful = self.sampling.with_ramp(self._area, blip, peak, self._swing.ramp(peak, slew))
        return torch.where(self._swing.exceeded(self._hardware_peak(gradient, slew), slew), careful, hardware)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the gradient stays below both the hardware's maximum and the receiver's, and nerves do not bind."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        return (self._enough(gradient, slew) <= gradient) & ~self.stimulation_bound(max_gradient, slew)

    def stimulation_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the allowed share of the stimulation limit makes the spacing longer, bool."""
        fast = replace(self, allowed_share=None).continuous(max_gradient, max_slew)
        return self.continuous(max_gradient, max_slew) > fast * (1 + 1e-12)

    def peak(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The readout gradient that is reached, T/m."""
        gradient, slew = self._usable(max_gradient), real(max_slew)
        hardware = self._hardware_peak(gradient, slew)
        if self._swing is None:
            return hardware
        best = self.sampling.best_peak(self._area, self.blip(gradient, slew), self._swing)
        return self._swing.peak(best, hardware, slew)

    def played_slew(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The slew rate of the readout's ramps, T/(m·s)."""
        slew, peak = real(max_slew), self.peak(max_gradient, max_slew)
        return slew.expand(peak.shape) if self._swing is None else peak / self._swing.ramp(peak, slew)

    def blip(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The shortest blip, T(steps/(γ̄·FOV)), s."""
        step = real(self.blip_steps) / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov))
        return lobe_duration(step, max_gradient, max_slew)

    def longest_dwell(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The longest dwell time that keeps Nyquist's step at the lobe's peak, 1/(γ̄·FOV·g), s."""
        return 1 / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov) * self.peak(max_gradient, max_slew))

    def stimulation(self, system: System, share: Callable[[float, float], float]) -> float:
        """How much of a stimulation limit the swing from one lobe's peak to the next one's reaches.

        Args:
            system: the hardware.
            share: of a swing (T/m) at a slew rate (T/(m·s)).
        """
        limits = system.max_gradient, system.max_slew
        return share(2 * self.peak(*limits).item(), self.played_slew(*limits).item())

    def __call__(self, system: System) -> Limit:
        """The echo spacing on a system, in real numbers and on its raster, with the distortion that follows.

        Args:
            system: the hardware.
        """
        names = ("fov", "matrix", "blip_steps", "shortest_dwell", "allowed_share")
        slopes, relative, value = derivatives(self, system, names=names)
        gradient, slew = self._usable(system.max_gradient), real(system.max_slew)
        blip, enough = self.blip(gradient, slew), self._enough(gradient, slew)
        blip_played = ticks(blip.item(), system.rasters.gradient) / TICKS
        played = shortest_on_raster(
            lambda ramp, total, amplitude: self.sampling.sampled(ramp, total, amplitude, blip_played),
            wanted=self._area.item(),
            start=value.item(),
            system=System(gradient.item(), system.max_slew, rasters=system.rasters),
            strongest=None if self._swing is None else self._swing.strongest,
        )
        lines = real(self.matrix) / real(self.blip_steps)
        binding = self._constraint(system, receiver=bool(enough > gradient) and gradient.item() < system.max_gradient)
        details = {
            **self._compared(system),
            "blip": Quantity(blip, "s"),
            "peak_gradient": Quantity(self.peak(system.max_gradient, slew), "T/m"),
            "longest_dwell": Quantity(self.longest_dwell(system.max_gradient, slew), "s"),
            "phase_encode_bandwidth": Quantity(phase_encode_bandwidth(lines, played.duration), "Hz"),
            "pixels_per_hertz": Quantity(pixels_per_hertz(lines, played.duration), "1/Hz"),
        }
        reason = {
            Constraint.STIMULATION: partial(self._stimulation_reason, value, relative, system),
            Constraint.RECEIVER: partial(_receiver_reason, gradient, system),
        }.get(binding, partial(gains, "the readout lobe", relative, system, enough=enough.item()))
        return Limit("echo_spacing", value, "s", binding, reason(), slopes, relative, details, played.duration)

    def _compared(self, system: System) -> dict[str, Quantity]:
        """What other samplings would take; with a stimulation limit what the hardware would, and the slew rate left."""
        others = {
            "ramp_sampled": replace(self, sampling=RampSampled()),
            "flat_top": replace(self, sampling=FlatTopSampled()),
            "blips_left_out": replace(self, sampling=BlipsLeftOut()),
        }
        if self._swing is not None:
            others["hardware_alone"] = replace(self, allowed_share=None)
        limits = system.max_gradient, system.max_slew
        slew = {} if self._swing is None else {"played_slew_rate": Quantity(self.played_slew(*limits), "T/(m·s)")}
        return {name: Quantity(way.continuous(*limits), "s") for name, way in others.items()} | slew

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

    @property
    def _swing(self) -> SwingLimit | None:
        return None if self.allowed_share is None else SwingLimit(self.allowed_share, self.nerves, self.lever)

    def _hardware_peak(self, gradient: Tensor, slew: Tensor) -> Tensor:
        return torch.minimum(gradient, self._enough(gradient, slew))

    def _constraint(self, system: System, *, receiver: bool) -> Constraint:
        limits = system.max_gradient, system.max_slew
        if bool(self.stimulation_bound(*limits)):
            return Constraint.STIMULATION
        if receiver:
            return Constraint.RECEIVER
        return Constraint.SLEW if bool(self.slew_bound(*limits)) else Constraint.AMPLITUDE

    def _stimulation_reason(self, value: Tensor, elasticity: Mapping[str, float], system: System) -> str:
        limits = system.max_gradient, system.max_slew
        longer = value / replace(self, allowed_share=None).continuous(*limits)
        saved = ((f"1 % more {called}", -elasticity[name]) for name, called in _HELPERS.items())
        helps = ", ".join(f"{who} saves {percent:.2f} %" for who, percent in saved if percent > 5e-3)
        return (
            f"stimulation-bound: {100 * real(self.allowed_share or 0).item():g} % of the limit allow "
            f"{self.played_slew(*limits).item():.0f} of {system.max_slew:g} T/(m·s) at a peak of "
            f"{1e3 * self.peak(*limits).item():.1f} mT/m, which takes {100 * (longer.item() - 1):.3g} % longer; "
            f"{helps}; an estimate, no clearance"
        )


_HELPERS = {"allowed_share": "of the share", "max_gradient": "gradient", "max_slew": "slew rate"}


def _receiver_reason(gradient: Tensor, system: System) -> str:
    return (
        f"receiver-bound: at its shortest dwell time Nyquist's step allows {1e3 * gradient.item():.1f} of "
        f"{1e3 * system.max_gradient:g} mT/m; more gradient gives nothing, a faster receiver does"
    )
