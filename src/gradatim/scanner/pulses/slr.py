"""Selective pulses by the Shinnar-Le Roux transform."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, PulseUse
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.pulses.linear_phase import Equiripple, LeastSquares, transition
from gradatim.scanner.pulses.strength import require_positive, samples_of, shaped, within_b1
from gradatim.scanner.system import System

HIGHEST = 1 - 1e-6
"""The highest |β| of a design; at 1 its partner α would have a zero on the unit circle."""

SAMPLES = 256
"""The most samples of a pulse: the transform takes as many steps, and the filter as many taps."""


@dataclass(frozen=True)
class SlrPulse:
    """A selective pulse whose profile is designed as a filter, B(z), and then turned into B1.

    In a constant gradient a train of hard pulses makes α and β polynomials in z = exp(2πi·Δf·Δt). β is chosen as a
    linear-phase low-pass filter of height sin(flip/2), α as the polynomial of minimum phase, and so of least power,
    with |α|² + |β|² = 1; the inverse transform gives the hard pulses. The ripples asked for are those of the profile,
    M₊ for excitation, |β|² for refocusing, M_z for inversion, and are translated to those of β by Pauly's table.
    Source: Pauly, Le Roux, Nishimura and Macovski 1991, IEEE Transactions on Medical Imaging 10:53.

    Args:
        flip: rad, at most π.
        duration: T, s; rounded up to whole samples.
        time_bandwidth: T times the nominal bandwidth.
        passband_ripple: of the profile inside.
        stopband_ripple: of the profile outside.
        filter: how β is found.
        use: excitation, refocusing or inversion; another counts as excitation.

    Raises:
        UsageError: GD-169 for an impossible number, or a time-bandwidth product that leaves no transition; when called,
            GD-167 if the pulse is too strong for the system.

    Example:
        >>> pulse = SlrPulse(math.pi / 2, 2e-3)(System())
        >>> len(pulse.field), round(1e6 * pulse.field.abs().max().item(), 1)
        (250, 12.1)
    """

    flip: float
    duration: float
    time_bandwidth: float = 4.0
    passband_ripple: float = 0.01
    stopband_ripple: float = 0.01
    filter: LeastSquares | Equiripple = LeastSquares()
    use: PulseUse = PulseUse.EXCITATION

    def __post_init__(self) -> None:
        names = ("flip angle", "duration", "time-bandwidth product", "passband ripple", "stopband ripple")
        values = (self.flip, self.duration, self.time_bandwidth, self.passband_ripple, self.stopband_ripple)
        require_positive(dict(zip(names, values, strict=True)))
        if self.flip > math.pi * (1 + 1e-9) or max(self.passband_ripple, self.stopband_ripple) >= 0.5:
            raise UsageError(
                "GD-169",
                given=f"an angle of {self.flip:.4g} rad with ripples {self.passband_ripple}, {self.stopband_ripple}",
                allowed="at most π, and ripples below 0.5",
                do="give radians, and ripples as shares of the profile's height",
            )
        width = transition(*self._ripples())
        if not 0 < width < self.time_bandwidth:
            raise UsageError(
                "GD-169",
                given=f"a time-bandwidth product of {self.time_bandwidth} with these ripples",
                allowed=f"a product above {width:.3g}, so that the profile has an inside",
                do="make the product larger, or allow more ripple",
            )

    @property
    def bandwidth(self) -> float:
        """Nominal, time-bandwidth product over duration, Hz."""
        return self.time_bandwidth / self.duration

    def __call__(self, system: System) -> Pulse:
        """The pulse on a system's clock, centred in its middle.

        Args:
            system: whose raster and strongest B1 hold.
        """
        count, each = samples_of(self.duration, system, most=SAMPLES)
        stretched = self.time_bandwidth * count * each / TICKS / self.duration
        inside, outside = self._ripples()
        shape = self.filter(count, time_bandwidth=stretched, inside=inside, outside=outside)
        field = slr_field(shape, flip=torch.tensor(self.flip, dtype=torch.float64), seconds=each / TICKS)
        return within_b1(replace(shaped(field, each, centre=count * each // 2), use=self.use), system)

    def _ripples(self) -> tuple[float, float]:
        """Ripples of β inside and outside for those of the profile (Pauly 1991, table II)."""
        inside, outside = self.passband_ripple, self.stopband_ripple
        if self.use is PulseUse.REFOCUSING:
            return inside / 4, math.sqrt(outside)
        if self.use is PulseUse.INVERSION:
            return inside / 8, math.sqrt(outside / 2)
        if self.flip < math.pi / 4:
            return inside, outside
        return math.sqrt(inside / 2), outside / math.sqrt(2)


def slr_field(shape: Tensor, *, flip: Tensor, seconds: float | Tensor) -> Tensor:
    """B1 whose β is a filter of a height, (n,), T: the inverse Shinnar-Le Roux transform; differentiable.

    With β = −i·b and real a, b: each step takes the last hard pulse off, tan(φ/2) = b₀/a₀, then
    a ← cos(φ/2)·a + sin(φ/2)·b, and z·b ← cos(φ/2)·b − sin(φ/2)·a.

    Args:
        shape: coefficients of a filter, (n,), real, of height 1 in its pass-band.
        flip: rad; the filter is scaled to sin(flip/2), and down to 1 where its ripple passes it.
        seconds: each sample lasts, s.

    Example:
        >>> one = slr_field(torch.ones(1).double(), flip=torch.tensor(math.pi / 2).double(), seconds=1e-3)
        >>> round(1e6 * one.item(), 3)
        5.872
    """
    b = shape * (flip / 2).sin()
    points = 128 * 2 ** math.ceil(math.log2(max(2, len(b))))
    peak = torch.fft.fft(b, points).abs().max()
    b = torch.where(peak > HIGHEST, b * (HIGHEST / peak), b)
    a = _minimum_phase(b, points)
    angles = []
    for _ in range(len(shape)):
        half = torch.atan2(b[0], a[0])
        angles.append(2 * half)
        a, b = (half.cos() * a + half.sin() * b)[:-1], (half.cos() * b - half.sin() * a)[1:]
    return torch.stack(angles[::-1]) / (PROTON_GAMMA_RAD_PER_S_T * seconds)


def _minimum_phase(b: Tensor, points: int) -> Tensor:
    """The polynomial of minimum phase with |a|² = 1 − |b|² on the unit circle, by folding its cepstrum."""
    spectrum = torch.fft.fft(b, points)
    logarithm = 0.5 * torch.log1p(-(spectrum.real**2 + spectrum.imag**2))
    cepstrum = torch.fft.ifft(logarithm).real
    fold = torch.zeros(points, dtype=b.dtype)
    fold[0] = fold[points // 2] = 1.0
    fold[1 : points // 2] = 2.0
    return torch.fft.ifft(torch.exp(torch.fft.fft(cepstrum * fold))).real[: len(b)]
