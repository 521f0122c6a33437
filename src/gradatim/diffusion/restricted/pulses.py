"""A pair of rectangular gradient pulses, and what is left of the signal after it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.diffusion.gradient_pairs import RectangularPair


@dataclass(frozen=True, eq=False)
class PulsePair:
    """Two rectangular pulses of opposite effect, as long as they are strong and apart.

    All three broadcast against each other.

    Args:
        gradient: G, T/m.
        duration: δ, s.
        separation: Δ, s, from start to start, ≥ δ.

    Raises:
        InputError: GD-805 if the pulses overlap, or a number is not finite.

    Example:
        >>> pulses = PulsePair(0.5, 2e-3, 0.05)
        >>> f"{pulses.wavenumber.item():.4g}", f"{pulses.b.item():.5g}"  # 1/m, s/m²
        ('2.675e+05', '3.5307e+09')
    """

    gradient: Tensor | float
    duration: Tensor | float
    separation: Tensor | float

    def __post_init__(self) -> None:
        RectangularPair().b(self.gradient, duration=self.duration, separation=self.separation)

    @property
    def terms(self) -> tuple[Tensor, Tensor, Tensor]:
        """G, δ and Δ of one shape, float64."""
        g, d, s = (
            torch.as_tensor(value, dtype=torch.float64) for value in (self.gradient, self.duration, self.separation)
        )
        together = torch.broadcast_tensors(g, d, s)
        return together[0], together[1], together[2]

    @property
    def wavenumber(self) -> Tensor:
        """2πq = γGδ, rad/m."""
        gradient, duration, _ = self.terms
        return PROTON_GAMMA_RAD_PER_S_T * gradient * duration

    @property
    def b(self) -> Tensor:
        """γ²G²δ²(Δ − δ/3), s/m²."""
        return RectangularPair().b(self.gradient, duration=self.duration, separation=self.separation)


@dataclass(frozen=True, eq=False)
class Attenuation:
    """What is left of the signal, and how far it can be trusted.

    Args:
        signal: (...), 1 without gradients.
        error: (...), the method's own estimate of how far the signal is off, in the same unit.
        tolerance: up to which error it is said to hold.

    Example:
        >>> Attenuation(torch.tensor([0.5]), torch.tensor([0.02]), 0.01).holds.item()
        False
    """

    signal: Tensor
    error: Tensor
    tolerance: float

    @property
    def holds(self) -> Tensor:
        """Whether the estimated error is within the tolerance, (...), bool."""
        return self.error <= self.tolerance
