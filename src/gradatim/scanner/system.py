"""A scanner's gradient system: how strong, how fast, on which clock."""

import math
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Rasters


@dataclass(frozen=True)
class System:
    """What a scanner's hardware allows on each of its three axes.

    Args:
        max_gradient: T/m.
        max_slew: T/(m·s).
        field_strength: B0, T.
        max_b1: the strongest pulse, T.
        rasters: its clocks.
        pulse_dead: ns that the transmitter needs before a pulse.
        pulse_ringdown: ns that it needs after one.
        readout_dead: ns that the receiver needs before and after a readout.

    Raises:
        UsageError: GD-101 if a limit is not positive and finite, or a time is negative.

    Example:
        >>> System(0.040, 150.0).max_gradient
        0.04
    """

    max_gradient: float = 0.040
    max_slew: float = 150.0
    field_strength: float = 3.0
    max_b1: float = 20e-6
    rasters: Rasters = Rasters()
    pulse_dead: int = 100_000
    pulse_ringdown: int = 20_000
    readout_dead: int = 10_000

    def __post_init__(self) -> None:
        limits = (self.max_gradient, self.max_slew, self.field_strength, self.max_b1)
        times = (self.pulse_dead, self.pulse_ringdown, self.readout_dead)
        if not all(math.isfinite(limit) and limit > 0 for limit in limits) or min(times) < 0:
            raise UsageError(
                "GD-101",
                given=f"limits {limits} and dead times {times} ns",
                allowed="positive limits in T/m, T/(m·s), T and T; times of 0 ns or more",
                do="give the limits in SI units: 40 mT/m is 0.040",
            )
