"""How steeply a readout gradient may swing from one peak to the opposite one below a share of a stimulation limit."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.scanner.limits.limit import Number, real
from gradatim.scanner.safety.strength_duration import FIRST_LEVEL, StrengthDuration


@dataclass(frozen=True, eq=False)
class SwingLimit:
    """A swing from +g to −g in 2τ keeps 2·g·lever/(2τ) ≤ p·r·(1 + c/(2τ)), that is g ≤ Sₚ·(τ + c/2), Sₚ = p·r/lever.

    Since the field may step by p·r·c at once, small peaks are not touched: down to where g/Sₚ − c/2 falls below g/S the
    slew rate S binds first. An estimate with the field at a lever from the isocentre, not a clearance. All methods act
    elementwise and are differentiable.

    Args:
        share: p, of the limit that may be reached; 0.8 is 80 %.
        nerves: r and c of the hyperbola of strength and duration.
        lever: m.

    Source:
        IEC 60601-2-33 for the hyperbola; solved for the ramp here.

    Example:
        >>> limit = SwingLimit(0.8)
        >>> round(limit.slew.item(), 6), round(1e3 * limit.strongest(0.2e-3).item(), 6)
        (80.0, 30.4)
    """

    share: Number
    nerves: StrengthDuration = FIRST_LEVEL
    lever: float = 0.2

    @property
    def slew(self) -> Tensor:
        """Sₚ, the slew rate of a swing without end, T/(m·s)."""
        return real(self.share) * self.nerves.rheobase / self.lever

    @property
    def grace(self) -> float:
        """c/2, by which a ramp may be shorter than g/Sₚ, s."""
        return self.nerves.chronaxie / 2

    def strongest(self, ramp: Number) -> Tensor:
        """The peak that a ramp τ (s) from 0 allows, Sₚ·(τ + c/2), T/m."""
        return self.slew * (real(ramp) + self.grace)

    def ramp(self, peak: Number, max_slew: Number) -> Tensor:
        """The shortest ramp from 0 to a peak, max(g/S, g/Sₚ − c/2), s."""
        return torch.maximum(real(peak) / real(max_slew), real(peak) / self.slew - self.grace)

    def exceeded(self, peak: Number, max_slew: Number) -> Tensor:
        """Where a swing at the full slew rate would be too fast, g·(1/Sₚ − 1/S) > c/2, bool."""
        return real(peak) * (1 / self.slew - 1 / real(max_slew)) > self.grace

    def peak(self, best: Number, hardware: Number, max_slew: Number) -> Tensor:
        """The best peak below the hardware's where that one is exceeded, T/m; the duration is convex in the peak.

        Args:
            best: where the limit alone would have it.
            hardware: what amplitude and slew rate alone would take.
            max_slew: S.
        """
        exceeded = self.exceeded(hardware, max_slew)
        untouched = self.grace / torch.where(exceeded, 1 / self.slew - 1 / real(max_slew), 1.0)
        return torch.where(exceeded, torch.minimum(real(hardware), torch.maximum(real(best), untouched)), hardware)
