"""What a multi-echo scan is made for: the quantity whose error its protocol should make small."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import hz_per_ppm
from gradatim.scanner.protocol.echo_plan import field_error
from gradatim.solve.information import CramerRao


class EchoTarget(ABC):
    """A quantity that echoes tell, and the bound of its standard error."""

    t2_star: float

    @abstractmethod
    def error(self, echo_times: Tensor, *, snr: Tensor) -> Tensor:
        """The Cramér-Rao bound, in :attr:`unit`, differentiable.

        Args:
            echo_times: (n,), s.
            snr: of the magnitude at TE = 0, in one real channel.
        """

    @property
    @abstractmethod
    def unit(self) -> str:
        """Of the error."""


@dataclass(frozen=True)
class T2StarTarget(EchoTarget):
    """T2*, from magnitudes A·exp(−TE/T2*) with A unknown.

    Args:
        t2_star: of the tissue that matters, s.

    Example:
        >>> times = torch.tensor([0.0, 0.0333], dtype=torch.float64)
        >>> error = T2StarTarget(0.030).error(times, snr=torch.tensor(100.0, dtype=torch.float64))
        >>> round(error.item() * 1e3, 3)  # ms
        0.863
    """

    t2_star: float

    def __post_init__(self) -> None:
        _require_positive(self.t2_star)

    def error(self, echo_times: Tensor, *, snr: Tensor) -> Tensor:
        bound = CramerRao(lambda theta: theta[0] * (-echo_times / self.t2_star * theta[1]).exp())
        relative = bound(torch.ones(2, dtype=torch.float64), sigma=1.0 / snr)[1, 1].sqrt()
        return self.t2_star * relative

    @property
    def unit(self) -> str:
        return "s"


@dataclass(frozen=True)
class SusceptibilityTarget(EchoTarget):
    """Susceptibility: the field's error in ppm of B0, times what the inversion of the dipole makes of noise.

    σ_χ = σ_f/(γ̄·B0·1e-6)·√⟨1/D_τ²⟩, the mean over all directions of k with D = 1/3 − cos²θ held above τ in size, as in
    thresholded k-space division.

    Args:
        t2_star: s.
        field_strength: B0, T.
        threshold: τ.

    Source:
        Shmueli et al., Magn Reson Med 62:1510-1522, 2009 (the division); direct integration.

    Example:
        >>> round(SusceptibilityTarget(0.030, 3.0).amplification, 3)
        4.112
    """

    t2_star: float
    field_strength: float
    threshold: float = 0.19

    def __post_init__(self) -> None:
        _require_positive(self.t2_star, self.field_strength, self.threshold)
        if self.threshold > 1 / 3:
            raise UsageError(
                "GD-101", given=f"threshold {self.threshold}", allowed="0 to 1/3", do="use 0.1 to 0.2 as is usual"
            )

    @property
    def amplification(self) -> float:
        """√⟨1/D_τ²⟩, without unit; by the closed integral over cos θ."""
        t = self.threshold
        low, high = math.sqrt(1 / 3 - t), math.sqrt(1 / 3 + t)
        inside = (high - low) / t**2
        return math.sqrt(_integral(low) - _integral(0.0) + inside + _integral(1.0) - _integral(high))

    def error(self, echo_times: Tensor, *, snr: Tensor) -> Tensor:
        found = field_error(echo_times, snr=snr, t2_star=self.t2_star)
        return found / hz_per_ppm(self.field_strength) * self.amplification

    @property
    def unit(self) -> str:
        return "ppm"


def _integral(u: float) -> float:
    """An antiderivative of 1/(a² − u²)², a² = 1/3."""
    a = math.sqrt(1 / 3)
    return u / (2 * a**2 * (a**2 - u**2)) + math.log(abs((a + u) / (a - u))) / (4 * a**3)


def _require_positive(*given: float) -> None:
    if not all(math.isfinite(value) and value > 0 for value in given):
        raise UsageError("GD-101", given=f"{given}", allowed="positive finite numbers", do="give T2* in s and B0 in T")
