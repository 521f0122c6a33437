"""A pulse under the gradient that lets it turn one slice only, centred where a raster wants it."""

import math
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, PulseUse
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.slice_selection import SelectivePulse
from gradatim.scanner.sequences.lobes import ramp_of
from gradatim.scanner.system import System


@dataclass(frozen=True, eq=False)
class SlicePulse:
    """A pulse in the middle of a constant gradient.

    Args:
        pulse: its delay counts from where the gradient has risen.
        level: of the gradient, T/m.
        flat: how long the level is held, ns; the pulse's centre is its middle.
        ramp: the shortest rise to the level, ns.
    """

    pulse: Pulse
    level: float
    flat: int
    ramp: int

    @property
    def half_area(self) -> float:
        """From the pulse's centre to the end of the level, T·s/m."""
        return 0.5 * self.level * self.flat / TICKS

    def at(self, start: int, *, position: float, phase: float) -> Pulse:
        """The pulse of one slice, with its level held from ``start`` on.

        A slice off the centre needs the frequency γ̄·G·z, and keeps its phase at the pulse's centre.

        Args:
            start: ns from the block's beginning.
            position: z, m.
            phase: at the pulse's centre, rad.
        """
        frequency = PROTON_GAMMA_BAR_HZ_PER_T * self.level * position
        turned = math.remainder(phase - 2 * math.pi * frequency * self.pulse.centre / TICKS, 2 * math.pi)
        return replace(self.pulse, delay=start + self.pulse.delay, frequency=frequency, phase=turned)


def slice_pulse(
    design: SelectivePulse, thickness: float, system: System, *, use: PulseUse, shift: int = 0
) -> SlicePulse:
    """Put a pulse under the gradient bandwidth/(γ̄·thickness), its centre in the middle of the level.

    Args:
        design: of the pulse.
        thickness: of the slice, m.
        system: whose limits and rasters hold.
        use: what the pulse is for.
        shift: how much longer than a whole number of gradient rasters half the level is, ns.

    Raises:
        UsageError: GD-171 for a thickness that is not positive, or a pulse whose centre is off the pulse raster;
            GD-166 if the slice is too thin for the gradient.

    Example:
        >>> from gradatim.scanner.pulses.sinc import SincPulse
        >>> chosen = slice_pulse(SincPulse(1.5, 2e-3), 5e-3, System(), use=PulseUse.EXCITATION)
        >>> round(1e3 * chosen.level, 4), chosen.flat
        (9.3946, 2000000)
    """
    pulse = replace(design(system), use=use)
    raster = system.rasters.gradient
    half = -(-(max(pulse.centre, pulse.duration - pulse.centre) - shift) // raster) * raster + shift
    if not (math.isfinite(thickness) and thickness > 0) or (half - pulse.centre) % system.rasters.pulse:
        raise UsageError(
            "GD-171",
            given=f"a slice of {thickness} m with a pulse whose centre is {pulse.centre} ns after its beginning",
            allowed=f"a thickness above 0, and a centre on the raster of {system.rasters.pulse} ns",
            do="give the thickness in m, and a duration of an even number of rasters",
        )
    level = design.bandwidth / (PROTON_GAMMA_BAR_HZ_PER_T * thickness)
    return SlicePulse(replace(pulse, delay=half - pulse.centre), level, 2 * half, ramp_of(level, system))
