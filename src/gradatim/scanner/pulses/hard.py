"""The hard pulse: constant B1."""

from dataclasses import dataclass

import torch

from gradatim.base.sequence import TICKS, Pulse, PulseUse, ticks
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.pulses.strength import require_positive, within_b1
from gradatim.scanner.system import System


@dataclass(frozen=True)
class HardPulse:
    """A pulse of constant B1 = flip/(γ·T), which turns spins up to about 1/(4T) from resonance alike.

    Args:
        flip: rad.
        duration: T, s; rounded up so that its middle is on the pulse raster.
        phase: of B1, rad.
        use: what it is for.

    Raises:
        UsageError: GD-169 for an impossible number; when called, GD-167 if it is too strong for the system.

    Example:
        >>> round(1e6 * HardPulse(1.5707963, 500e-6)(System()).field.abs().max().item(), 3)
        11.743
    """

    flip: float
    duration: float
    phase: float = 0.0
    use: PulseUse = PulseUse.EXCITATION

    def __post_init__(self) -> None:
        require_positive({"flip angle": self.flip, "duration": self.duration})

    def __call__(self, system: System) -> Pulse:
        """The pulse on a system's clock, centred in its middle.

        Args:
            system: whose raster and strongest B1 hold.
        """
        length = ticks(self.duration, 2 * system.rasters.pulse)
        strength = self.flip / (PROTON_GAMMA_RAD_PER_S_T * length / TICKS)
        field = torch.tensor([strength], dtype=torch.complex128)
        pulse = Pulse(0, torch.tensor([0, length]), field, length // 2, phase=self.phase, use=self.use)
        return within_b1(pulse, system)
