"""What a selective pulse delivers: its profile over frequency, and the width of that beside the nominal one."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.sequence import Pulse, PulseUse
from gradatim.scanner.pulses.spinor import Spinor, pulse_spinor

POINTS = 2001
"""Frequencies at which a profile is looked at."""


def response(rotation: Spinor, use: PulseUse) -> Tensor:
    """How much of its work a pulse does: 2|α||β| that is excited, or |β|² that is refocused or inverted.

    Args:
        rotation: of the pulse.
        use: refocusing and inversion give |β|², all others 2|α||β|.

    Returns:
        (...), 0 to 1.

    Example:
        >>> half = Spinor(torch.tensor([0.5**0.5 + 0j]), torch.tensor([0.5**0.5 + 0j]))
        >>> [round(response(half, use).item(), 3) for use in (PulseUse.EXCITATION, PulseUse.INVERSION)]
        [1.0, 0.5]
    """
    if use in {PulseUse.REFOCUSING, PulseUse.INVERSION}:
        return rotation.refocused
    return rotation.transverse.abs()


@dataclass(frozen=True, eq=False)
class Profile:
    """A pulse's response over frequency offsets.

    Args:
        offset: (n,), Hz, increasing.
        value: (n,), 0 to 1.

    Example:
        >>> bell = torch.linspace(-1, 1, 201).double()
        >>> round(Profile(bell, 1 - bell.abs()).width, 6)
        1.0
    """

    offset: Tensor
    value: Tensor

    @property
    def width(self) -> float:
        """Full width at half of the maximum, Hz: between the outermost crossings, each interpolated.

        Raises:
            InputError: GD-820 if the profile does not fall to half within its range.
        """
        half = float(self.value.max()) / 2
        above = (self.value >= half).nonzero().flatten()
        first, last = int(above[0]), int(above[-1])
        if first == 0 or last == len(self.value) - 1:
            raise InputError(
                "GD-820",
                given=f"a profile above half of its maximum over {float(self.offset[-1] - self.offset[0]):g} Hz",
                allowed="a profile that falls off on both sides",
                do="look at a wider range of frequencies",
            )
        return self._crossing(last, half) - self._crossing(first - 1, half)

    def _crossing(self, index: int, level: float) -> float:
        (x0, x1), (y0, y1) = self.offset[index : index + 2].tolist(), self.value[index : index + 2].tolist()
        return x0 + (x1 - x0) * (level - y0) / (y1 - y0)


def profile(pulse: Pulse, *, span: float, points: int = POINTS) -> Profile:
    """A pulse's response at evenly spaced offsets around its own frequency.

    Args:
        pulse: whose use says what is looked at.
        span: of the offsets, Hz.
        points: how many.

    Example:
        >>> from gradatim.scanner.pulses.sinc import SincPulse
        >>> from gradatim.scanner.system import System
        >>> round(profile(SincPulse(0.26, 2e-3)(System()), span=8000.0).width / 2000, 2)
        1.0
    """
    offset = pulse.frequency + span * torch.linspace(-0.5, 0.5, points, dtype=torch.float64)
    return Profile(offset, response(pulse_spinor(pulse, offset=offset), pulse.use))


def delivered_width(pulse: Pulse, *, nominal: float) -> float:
    """The width that a pulse delivers over its nominal bandwidth: full width at half maximum, simulated.

    Args:
        pulse: whose use says what is looked at.
        nominal: bandwidth, Hz.

    Raises:
        InputError: GD-820 if the profile is not within eight nominal widths.

    Example:
        >>> from gradatim.scanner.pulses.sinc import SincPulse
        >>> from gradatim.scanner.system import System
        >>> design = SincPulse(3.14159265, 2e-3, use=PulseUse.REFOCUSING)
        >>> round(delivered_width(design(System(max_b1=25e-6)), nominal=design.bandwidth), 2)
        0.67
    """
    return profile(pulse, span=8 * nominal).width / nominal
