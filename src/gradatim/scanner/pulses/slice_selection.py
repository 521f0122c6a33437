"""A slice: a selective pulse in a gradient, and what it leaves to rephase."""

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Lobe, Pulse, ticks, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.pulses.profile import delivered_width
from gradatim.scanner.pulses.strength import require_positive
from gradatim.scanner.sequences.lobes import ramp_of
from gradatim.scanner.system import System


@runtime_checkable
class SelectivePulse(Protocol):
    """The design of a pulse that has a bandwidth: :class:`SincPulse`, :class:`SlrPulse`."""

    @property
    def flip(self) -> float:
        """Rad."""

    @property
    def bandwidth(self) -> float:
        """Nominal, Hz."""

    def __call__(self, system: System) -> Pulse:
        """The pulse on a system's clock."""


@dataclass(frozen=True, eq=False)
class Selected:
    """A pulse and the gradient in which it is played, ready for a block.

    Args:
        pulse: with its delay in the block.
        lobe: the gradient; None where the pulse selects nothing.
        before: area of the lobe up to the pulse's centre, T·s/m.
        after: area of the lobe from the pulse's centre on, T·s/m, which an excitation leaves to be rephased.
    """

    pulse: Pulse
    lobe: Lobe | None
    before: float
    after: float


@dataclass(frozen=True)
class SliceSelective:
    """A pulse that acts on one slice: G = bandwidth/(γ̄·Δz), with rise and fall on the raster around the pulse.

    A slice at z₀ from the isocentre is met by the frequency γ̄·G·z₀, and by a phase that makes it turn about the same
    axis as one at 0.

    Args:
        design: the pulse.
        thickness: Δz, nominal, m.
        position: z₀, m.

    Raises:
        UsageError: GD-169 for an impossible number; when called, GD-166 if the gradient is too strong for the system,
            GD-167 if the pulse is.

    Example:
        >>> from gradatim.scanner.pulses.sinc import SincPulse
        >>> slice = SliceSelective(SincPulse(1.5708, 2e-3), 0.005)
        >>> round(1e3 * slice.gradient, 4), round(1e3 * slice.delivered(System()), 2)
        (9.3946, 5.5)
    """

    design: SelectivePulse
    thickness: float
    position: float = 0.0

    def __post_init__(self) -> None:
        require_positive({"slice thickness": self.thickness})
        if not math.isfinite(self.position):
            raise UsageError("GD-169", given=f"position {self.position}", allowed="a finite number", do="give metres")

    @property
    def flip(self) -> float:
        """Of the pulse, rad."""
        return self.design.flip

    @property
    def gradient(self) -> float:
        """G, T/m."""
        return self.design.bandwidth / (PROTON_GAMMA_BAR_HZ_PER_T * self.thickness)

    def __call__(self, system: System) -> Selected:
        """Pulse and gradient on a system's clock, after the transmitter's dead time.

        Args:
            system: whose limits and rasters hold.
        """
        pulse, raster = self.design(system), system.rasters.gradient
        ramp, flat = ramp_of(self.gradient, system), ticks(pulse.duration / TICKS, system.rasters.gradient)
        slack = (flat - pulse.duration) // 2 // system.rasters.pulse * system.rasters.pulse
        wait = max(0, -(-(system.pulse_dead - ramp - slack) // raster)) * raster
        lobe = trapezoid(wait, ramp, flat, ramp, amplitude=self.gradient)
        frequency = PROTON_GAMMA_BAR_HZ_PER_T * self.gradient * self.position
        placed = replace(
            pulse,
            delay=wait + ramp + slack,
            frequency=frequency,
            phase=pulse.phase - math.remainder(2 * math.pi * frequency * pulse.centre / TICKS, 2 * math.pi),
        )
        before = self.gradient * (0.5 * ramp + slack + pulse.centre) / TICKS
        return Selected(placed, lobe, before, lobe.area - before)

    def delivered(self, system: System) -> float:
        """The thickness at half maximum of the simulated profile, m.

        Args:
            system: whose clock the pulse is made for.
        """
        return delivered_width(self.design(system), nominal=self.design.bandwidth) * self.thickness


@dataclass(frozen=True)
class NonSelective:
    """A hard pulse on everything, in the place of a slice.

    Args:
        design: the pulse.

    Example:
        >>> NonSelective(HardPulse(0.2, 1e-4))(System()).after
        0.0
    """

    design: HardPulse

    @property
    def flip(self) -> float:
        """Of the pulse, rad."""
        return self.design.flip

    def __call__(self, system: System) -> Selected:
        """The pulse on a system's clock, after the transmitter's dead time.

        Args:
            system: whose limits and rasters hold.
        """
        wait = -(-system.pulse_dead // system.rasters.pulse) * system.rasters.pulse
        return Selected(replace(self.design(system), delay=wait), None, 0.0, 0.0)
