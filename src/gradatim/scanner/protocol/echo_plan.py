"""Which echo times unwrap safely, and how well they know the field."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.information import CramerRao

_ROOT_HALF = math.sqrt(0.5)


@dataclass(frozen=True, eq=False)
class PlannedEchoes:
    """What a list of echo times means for the phase.

    Args:
        echo_times: TE, (n,), s.
        steps: phase that the largest offset gains from one echo to the next, (n − 1,), rad; it unwraps below π.
        risks: the chance that noise takes such a step past π, (n − 1,).
        first: phase of the largest offset at the first echo, rad; below π no echo needs its neighbours in space.
        neighbours: phase between neighbouring voxels where the field is steepest, (n,), rad; below π in space.
        signal_left: share of the signal that the same slope leaves within a voxel, (n,).
        field_error: bound of the standard error of the field, Hz.
        largest_spacing: the widest echo spacing whose risk stays below the plan's, s.
    """

    echo_times: Tensor
    steps: Tensor
    risks: Tensor
    first: float
    neighbours: Tensor
    signal_left: Tensor
    field_error: float
    largest_spacing: float


@dataclass(frozen=True)
class EchoPlan:
    """Wraps and noise of a multi-echo scan: φ(TE) = φ₀ + 2π Δf TE, noise σ_φ = 1/(SNR e^(−TE/T2*)) at each echo.

    From echo to echo phase unwraps while 2π|Δf|ΔTE < π; noise adds σ = √(σ_φ² + σ_φ'²), so that the chance of a wrong
    wrap is Q((π − 2π|Δf|ΔTE)/σ). Between neighbours in space it unwraps while 2π|∂Δf|·TE < π, and a linear slope
    across a voxel leaves |sinc(∂Δf·TE)| of the signal. The field's error is the Cramér-Rao bound of Δf with φ₀, T2*
    and amplitude unknown.

    Args:
        max_offset: the largest |Δf| that must unwrap, Hz.
        max_slope: the steepest change of Δf from one voxel to the next, Hz.
        snr: of the magnitude at TE = 0.
        t2_star: s.
        risk: accepted chance of a wrong wrap at the largest offset.

    Raises:
        UsageError: GD-101 if a number or an echo time is not positive and finite; GD-190 for fewer than two echoes or
            echo times that do not increase.

    Source:
        Robinson et al., Magn Reson Med 72:1651-1661, 2014 (echo differences); Kay, 1993 (the bound); direct derivation.

    Example:
        >>> plan = EchoPlan(max_offset=100.0)(torch.tensor([0.004, 0.008, 0.012], dtype=torch.float64))
        >>> round(plan.steps[0].item() / math.pi, 3)
        0.8
    """

    max_offset: float
    max_slope: float = 10.0
    snr: float = 50.0
    t2_star: float = 0.030
    risk: float = 1e-3

    def __post_init__(self) -> None:
        given = (self.max_offset, self.snr, self.t2_star, self.risk)
        finite = all(math.isfinite(value) and value > 0 for value in given) and self.risk < 0.5
        if not finite or not (math.isfinite(self.max_slope) and self.max_slope >= 0):
            raise UsageError(
                "GD-101",
                given=f"offset {self.max_offset} Hz, slope {self.max_slope} Hz, SNR {self.snr}, T2* {self.t2_star} s, "
                f"risk {self.risk}",
                allowed="positive finite numbers, the risk below 0.5",
                do="give frequencies in Hz and T2* in s",
            )

    def __call__(self, echo_times: Tensor) -> PlannedEchoes:
        """The plan of these echo times.

        Args:
            echo_times: (n,), s, at least two, increasing.
        """
        times = echo_times.to(torch.float64)
        if len(times) < 2 or not bool(times.isfinite().all() & (times > 0).all() & (times.diff() > 0).all()):
            raise UsageError(
                "GD-190",
                given=f"echo times {times.tolist()} s",
                allowed="two or more, positive and increasing",
                do="give echo times in s, the shortest first",
            )
        spread = (times / self.t2_star).exp() / self.snr
        steps = 2 * math.pi * self.max_offset * times.diff()
        noise = (spread[1:].square() + spread[:-1].square()).sqrt()
        turns = self.max_slope * times
        return PlannedEchoes(
            echo_times=times,
            steps=steps,
            risks=torch.special.erfc((math.pi - steps) / noise * _ROOT_HALF) / 2,
            first=2 * math.pi * self.max_offset * float(times[0]),
            neighbours=2 * math.pi * turns,
            signal_left=torch.sinc(turns).abs(),
            field_error=float(field_error(times, snr=self.snr, t2_star=self.t2_star)),
            largest_spacing=self._largest_spacing(float(noise.max())),
        )

    def _largest_spacing(self, noise: float) -> float:
        """π less as many standard deviations as the risk allows, over 2π|Δf|."""
        margin = noise * float(-torch.special.ndtri(torch.tensor(self.risk, dtype=torch.float64)))
        return max(0.0, (math.pi - margin) / (2 * math.pi * self.max_offset))


def field_error(echo_times: Tensor, *, snr: Tensor | float, t2_star: float) -> Tensor:
    """Bound of the standard error of Δf from complex echoes with unknown amplitude, T2* and common phase, Hz.

    S(TE) = A·exp(−TE/T2*)·exp(i(φ₀ + 2π Δf TE)). Differentiable in the echo times and the SNR.

    Args:
        echo_times: (n,), s.
        snr: A/σ, σ of one real channel: of the magnitude at TE = 0.
        t2_star: s.

    Raises:
        InputError: GD-645 for a single echo, which cannot tell Δf from φ₀.

    Example:
        >>> two = torch.tensor([0.0, 0.01], dtype=torch.float64)
        >>> round(field_error(two, snr=100.0, t2_star=1e9).item(), 4)  # √2/(2π·0.01·100)
        0.2251
    """
    step = 1.0 / (2 * math.pi * float(echo_times.detach().amax()))

    def echoes(theta: Tensor) -> Tensor:
        amplitude = theta[0] * (-echo_times / t2_star * theta[1]).exp()
        return torch.polar(amplitude, theta[2] + 2 * math.pi * step * theta[3] * echo_times)

    one, zero = torch.ones(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    noise = 1.0 / torch.as_tensor(snr, dtype=torch.float64)
    return step * CramerRao(echoes)(torch.cat([one, zero]), sigma=noise)[3, 3].sqrt()
