"""Which part of an EPI readout lobe is sampled: all of it, its flat top, or all but the blips."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.scanner.limits.limit import Number, real
from gradatim.scanner.limits.lobe import lobe_duration, lobe_peak
from gradatim.scanner.limits.swing import SwingLimit

_STEPS = 20
"""Of Newton's method; from where it begins, seven reach the last digit."""


class EpiSampling(ABC):
    """A way to sample the readout lobe; all its methods act elementwise and are differentiable."""

    @abstractmethod
    def duration(self, area: Number, blip: Number, max_gradient: Number, max_slew: Number) -> Tensor:
        """The shortest lobe, s, of which an area (T·s/m) is sampled beside blips of a duration (s)."""

    @abstractmethod
    def enough(self, area: Number, blip: Number, max_slew: Number) -> Tensor:
        """The gradient above which more of it gives nothing, T/m."""

    @abstractmethod
    def with_ramp(self, area: Number, blip: Number, peak: Number, ramp: Number) -> Tensor:
        """The lobe of a given peak (T/m) and ramp (s) of which the area is sampled, s."""

    @abstractmethod
    def best_peak(self, area: Number, blip: Number, swing: SwingLimit) -> Tensor:
        """The peak, T/m, of the shortest lobe whose ramps only a limit of the swing makes long."""

    @abstractmethod
    def sampled(self, ramp: Tensor, total: Tensor, amplitude: Tensor, blip: Number) -> Tensor:
        """The sampled area, T·s/m, of trapezoids."""


@dataclass(frozen=True)
class RampSampled(EpiSampling):
    """Samples are taken all the time, on the ramps too: ESP = T(A).

    Example:
        >>> round(RampSampled().duration(6.8324e-6, 0.0, 0.040, 150.0).item(), 7)
        0.0004268
    """

    def duration(self, area: Number, blip: Number, max_gradient: Number, max_slew: Number) -> Tensor:
        """T(A), that of the shortest lobe of the area."""
        return lobe_duration(area, max_gradient, max_slew)

    def enough(self, area: Number, blip: Number, max_slew: Number) -> Tensor:
        """√(A·S)."""
        return (real(area) * real(max_slew)).sqrt()

    def with_ramp(self, area: Number, blip: Number, peak: Number, ramp: Number) -> Tensor:
        """A/g + τ."""
        return real(area) / real(peak) + real(ramp)

    def best_peak(self, area: Number, blip: Number, swing: SwingLimit) -> Tensor:
        """√(A·Sₚ), so that ESP = 2√(A/Sₚ) − c/2."""
        return (real(area) * swing.slew).sqrt()

    def sampled(self, ramp: Tensor, total: Tensor, amplitude: Tensor, blip: Number) -> Tensor:
        """All of it."""
        return amplitude * (total - ramp)


@dataclass(frozen=True)
class FlatTopSampled(EpiSampling):
    """Samples are taken on the flat top only: the least of A/g + 2g/S over g ≤ G, at g = √(A·S/2).

    Where only the slew rate binds, 2√(2A/S), √2 times as long as with ramps sampled.

    Example:
        >>> round(FlatTopSampled().duration(6.8324e-6, 0.0, 0.040, 150.0).item(), 7)
        0.0006037
    """

    def duration(self, area: Number, blip: Number, max_gradient: Number, max_slew: Number) -> Tensor:
        """A/g + 2g/S."""
        plateau = torch.minimum(real(max_gradient), self.enough(area, blip, max_slew))
        return real(area) / plateau + 2 * plateau / real(max_slew)

    def enough(self, area: Number, blip: Number, max_slew: Number) -> Tensor:
        """√(A·S/2)."""
        return (real(area) * real(max_slew) / 2).sqrt()

    def with_ramp(self, area: Number, blip: Number, peak: Number, ramp: Number) -> Tensor:
        """A/g + 2τ."""
        return real(area) / real(peak) + 2 * real(ramp)

    def best_peak(self, area: Number, blip: Number, swing: SwingLimit) -> Tensor:
        """√(A·Sₚ/2), so that ESP = 2√(2A/Sₚ) − c."""
        return (real(area) * swing.slew / 2).sqrt()

    def sampled(self, ramp: Tensor, total: Tensor, amplitude: Tensor, blip: Number) -> Tensor:
        """The flat top."""
        return amplitude * (total - 2 * ramp)


@dataclass(frozen=True)
class BlipsLeftOut(EpiSampling):
    """Samples are taken on ramps and flat top, but not during the blips, half of which lies at either end.

    What the lobe gives in those halves is lost: A grows by S·(Tb/2)² as long as half a blip is shorter than a ramp.
    Beyond that, ESP = A/G + Tb: the ramps hide behind the blips. Both forms and their slopes meet at Tb/2 = G/S.

    Example:
        >>> round(BlipsLeftOut().duration(6.8324e-6, 53.4e-6, 0.040, 150.0).item(), 7)
        0.0004302
    """

    def duration(self, area: Number, blip: Number, max_gradient: Number, max_slew: Number) -> Tensor:
        """T(A + S·(Tb/2)²), or A/G + Tb."""
        gradient, slew, half = real(max_gradient), real(max_slew), real(blip) / 2
        hidden = real(area) / gradient + 2 * half
        return torch.where(half > gradient / slew, hidden, lobe_duration(self._whole(area, blip, slew), gradient, slew))

    def enough(self, area: Number, blip: Number, max_slew: Number) -> Tensor:
        """√((A + S·(Tb/2)²)·S)."""
        return lobe_peak(self._whole(area, blip, max_slew), float("inf"), max_slew)

    def with_ramp(self, area: Number, blip: Number, peak: Number, ramp: Number) -> Tensor:
        """A/g + τ + (Tb/2)²/τ, or A/g + Tb where half a blip is longer than the ramp."""
        half = real(blip) / 2
        ramp = torch.maximum(real(ramp), half)
        return real(area) / real(peak) + ramp + half**2 / ramp

    def best_peak(self, area: Number, blip: Number, swing: SwingLimit) -> Tensor:
        """Sₚ·(τ + c/2) at (A/Sₚ)/(τ + c/2)² + (Tb/2)²/τ² = 1.

        By Newton's method from below: the sum falls and is convex, so that no step passes the root. The peak carries no
        gradient; at a minimum the duration's slope needs none.
        """
        with torch.no_grad():
            ratio, half = real(area) / swing.slew, real(blip) / 2
            ramp = torch.maximum(half, ratio.sqrt() - swing.grace)
            for _ in range(_STEPS):
                whole = ramp + swing.grace
                left = ratio / whole**2 + half**2 / ramp**2 - 1
                ramp = ramp + left / (2 * ratio / whole**3 + 2 * half**2 / ramp**3)
            return swing.strongest(ramp)

    def sampled(self, ramp: Tensor, total: Tensor, amplitude: Tensor, blip: Number) -> Tensor:
        """All but its ends."""
        half = real(blip) / 2
        on_ramp = torch.minimum(half, ramp)
        lost = amplitude * (on_ramp**2 / (2 * ramp) + (half - on_ramp))
        return amplitude * (total - ramp) - 2 * lost

    def _whole(self, area: Number, blip: Number, max_slew: Number) -> Tensor:
        return real(area) + real(max_slew) * (real(blip) / 2) ** 2
