"""From a measured flow or velocity over a heartbeat to the pressure gradient behind it, with its error."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.transport.womersley import Womersley


def harmonics_of(series: Tensor) -> Tensor:
    """Complex amplitudes of one period: x(t) = Re Σ Xₙ·e^(inωt), the steady one first.

    Args:
        series: (samples,), equally spaced over one period, the end left out.

    Returns:
        (samples // 2 + 1,), complex128.

    Raises:
        UsageError: GD-101 unless it is a finite vector of two samples at least.

    Example:
        >>> beat = torch.cos(2 * torch.pi * torch.arange(8, dtype=torch.float64) / 8)
        >>> [round(size, 12) for size in harmonics_of(1 + beat).abs().tolist()]
        [1.0, 1.0, 0.0, 0.0, 0.0]
    """
    if series.ndim != 1 or len(series) < 2 or not bool(series.isfinite().all()):
        raise UsageError(
            "GD-101",
            given=f"a series {tuple(series.shape)}",
            allowed="two finite samples or more",
            do="give one period",
        )
    amplitudes = torch.fft.rfft(series.to(torch.float64), norm="forward") * 2
    ends = torch.ones(len(amplitudes), dtype=torch.float64)
    ends[0] = 0.5
    if len(series) % 2 == 0:
        ends[-1] = 0.5
    return amplitudes * ends


def series_of(harmonics: Tensor, *, samples: int) -> Tensor:
    """x at equally spaced times of one period, (samples,): the inverse of :func:`harmonics_of`.

    Args:
        harmonics: Xₙ, (n,), complex.
        samples: how many.

    Example:
        >>> [round(x, 12) + 0.0 for x in series_of(torch.tensor([1.0, 1j]), samples=4).tolist()]
        [1.0, 0.0, 1.0, 2.0]
    """
    angle = 2 * math.pi * torch.arange(samples, dtype=torch.float64) / samples
    turns = torch.arange(len(harmonics), dtype=torch.float64)[:, None] * angle
    return (harmonics.to(torch.complex128)[:, None] * torch.polar(torch.ones_like(turns), turns)).real.sum(0)


@dataclass(frozen=True, eq=False)
class MeasuredGradient:
    """A pressure gradient found from a series.

    Args:
        harmonics: Gₙ, (n,), Pa/m, of −∂p/∂z.
        series: −∂p/∂z at the times of the measurement, (samples,), Pa/m.
        error: one standard error of the series, Pa/m.
        noise: standard deviation of a sample, in the series' unit, from what the harmonics leave.
    """

    harmonics: Tensor
    series: Tensor
    error: float
    noise: float


@dataclass(frozen=True)
class PressureGradient:
    """−∂p/∂z(t) from the flow of one heartbeat: Gₙ = Zₙ·Qₙ for the first harmonics.

    High harmonics need more gradient for the same flow, |Zₙ| ≈ nωρ/(πR²), so that noise grows with them: what lies
    above ``harmonics`` is taken as noise, and gives the error σ_G² = (σ²/N)·(|Z₀|² + 2Σ|Zₙ|²).

    Args:
        flow: the vessel's exact solution, with the heart's frequency.
        harmonics: how many are kept above the steady one.

    Raises:
        UsageError: GD-101 for no harmonics.
        InputError: GD-851 if the series has too few samples to leave some for the noise.

    Source:
        Womersley, J Physiol 127:553-563, 1955; least squares with equally spaced samples.

    Example:
        >>> from gradatim.transport.vessel import Vessel
        >>> flow = 1e-4 * (1 + torch.cos(2 * torch.pi * torch.arange(32, dtype=torch.float64) / 32))
        >>> round(PressureGradient(Womersley(Vessel(0.0125), 1.2), harmonics=6)(flow).harmonics[1].abs().item(), 1)
        1754.7
    """

    flow: Womersley
    harmonics: int = 10

    def __post_init__(self) -> None:
        if self.harmonics < 1:
            raise UsageError("GD-101", given=f"{self.harmonics} harmonics", allowed="1 or more", do="use 6 to 12")

    def __call__(self, series: Tensor) -> MeasuredGradient:
        """The gradient behind a flow.

        Args:
            series: Q, (samples,), m³/s, equally spaced over one period.
        """
        return self._through(series, self.flow.impedance(self.harmonics + 1))

    def of_velocity(self, series: Tensor, *, radius: float = 0.0) -> MeasuredGradient:
        """The gradient behind a velocity at one radius.

        Args:
            series: u, (samples,), m/s.
            radius: r, m, where it was measured.
        """
        unit = torch.ones(self.harmonics + 1, dtype=torch.complex128)
        return self._through(series, self.flow.gradient_of_velocity(unit, radius=radius))

    def _through(self, series: Tensor, impedance: Tensor) -> MeasuredGradient:
        amplitudes = harmonics_of(series)
        kept, samples = len(impedance), len(series)
        spare = samples - (2 * kept - 1)
        if spare < 1:
            raise InputError(
                "GD-851",
                given=f"{samples} samples for {self.harmonics} harmonics",
                allowed=f"{2 * kept} samples or more",
                do="keep fewer harmonics",
            )
        found = amplitudes[:kept]
        left = series.to(torch.float64) - series_of(found, samples=samples)
        noise = float((left.square().sum() / spare).sqrt())
        gain = float(impedance[0].abs().square() + 2 * impedance[1:].abs().square().sum())
        gradient = found * impedance
        return MeasuredGradient(
            harmonics=gradient,
            series=series_of(gradient, samples=samples),
            error=noise * math.sqrt(gain / samples),
            noise=noise,
        )
