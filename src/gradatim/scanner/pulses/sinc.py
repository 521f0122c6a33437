"""The windowed sinc pulse."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, PulseUse
from gradatim.scanner.pulses.strength import require_positive, samples_of, shaped, turning, within_b1
from gradatim.scanner.system import System

SAMPLES = 512
"""The most samples of a pulse; a 2 ms pulse has 500 of 4 µs."""


@dataclass(frozen=True)
class SincPulse:
    """A sinc of time-bandwidth product b under a raised cosine, B1(t) ∝ (1 − a + a·cos(2πt/T))·sinc(b·t/T), |t| ≤ T/2.

    Its bandwidth b/T is nominal: the width that it delivers depends on angle and use (``profile.delivered_width``).
    Apodization a = 0.5 is a Hann window, 0.46 a Hamming window, 0 none.

    Args:
        flip: γ∫B1 dt, rad.
        duration: T, s; rounded up to whole samples.
        time_bandwidth: b.
        apodization: a, 0 to 1.
        use: what it is for.

    Raises:
        UsageError: GD-169 for an impossible number; when called, GD-167 if it is too strong for the system.

    Example:
        >>> pulse = SincPulse(math.pi / 2, 2e-3)(System())
        >>> round(pulse.flip, 6), pulse.duration, pulse.centre
        (1.570796, 2000000, 1000000)
    """

    flip: float
    duration: float
    time_bandwidth: float = 4.0
    apodization: float = 0.5
    use: PulseUse = PulseUse.EXCITATION

    def __post_init__(self) -> None:
        require_positive(
            {"flip angle": self.flip, "duration": self.duration, "time-bandwidth product": self.time_bandwidth}
        )
        if not 0 <= self.apodization <= 1:
            raise UsageError(
                "GD-169", given=f"apodization {self.apodization}", allowed="0 to 1", do="0.5 is a Hann window"
            )

    @property
    def bandwidth(self) -> float:
        """Nominal, b/T, Hz."""
        return self.time_bandwidth / self.duration

    def __call__(self, system: System) -> Pulse:
        """The pulse on a system's clock, centred in its middle.

        Args:
            system: whose raster and strongest B1 hold.
        """
        count, each = samples_of(self.duration, system, most=SAMPLES)
        # A duration that had to be rounded up keeps its bandwidth.
        stretched = self.time_bandwidth * count * each / TICKS / self.duration
        field = sinc_field(
            count,
            flip=_exact(self.flip),
            seconds=_exact(each / TICKS),
            time_bandwidth=_exact(stretched),
            apodization=_exact(self.apodization),
        )
        return within_b1(replace(shaped(field, each, centre=count * each // 2), use=self.use), system)


def sinc_field(count: int, *, flip: Tensor, seconds: Tensor, time_bandwidth: Tensor, apodization: Tensor) -> Tensor:
    """B1 of a windowed sinc in the middle of each sample, (count,), T; differentiable in every parameter.

    Args:
        count: samples.
        flip: rad, ().
        seconds: each sample lasts, s, ().
        time_bandwidth: b, ().
        apodization: a, ().

    Example:
        >>> one, half = torch.tensor(1.0).double(), torch.tensor(0.5).double()
        >>> sinc_field(3, flip=one, seconds=one * 1e-3, time_bandwidth=one, apodization=half).argmax().item()
        1
    """
    place = (torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5
    window = 1 - apodization + apodization * (2 * math.pi * place).cos()
    return turning(window * torch.sinc(time_bandwidth * place), flip, seconds)


def _exact(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
