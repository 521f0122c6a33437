"""Closed forms of b for pairs of equal gradient lobes: rectangle, trapezoid, half sine, sin², bipolar."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T


class GradientPair(ABC):
    """Two equal lobes that mark and read position, ``separation`` from start to start."""

    @abstractmethod
    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        """The weighting along the gradient, s/m², differentiable in all three.

        Args:
            amplitude: of the lobes' peak, T/m.
            duration: of one lobe, s.
            separation: Δ, from the start of one lobe to that of the other, s, ≥ duration.

        Raises:
            InputError: GD-805 if the lobes would overlap, or a time is not positive.
        """


@dataclass(frozen=True)
class RectangularPair(GradientPair):
    """Lobes that switch at once: b = γ²G²δ²(Δ − δ/3).

    Source:
        Stejskal & Tanner, J Chem Phys 42:288-292, 1965.

    Example:
        >>> round(RectangularPair().b(0.04, duration=0.02, separation=0.04).item() * 1e-6, 6)  # s/mm²
        1526.786572
    """

    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        return _shaped(amplitude, duration, separation, area=1.0, constant=1.0 / 3.0)


@dataclass(frozen=True)
class HalfSinePair(GradientPair):
    """Lobes of half a sine: b = γ²G²δ²(4Δ − δ)/π².

    Source:
        Price, Concepts Magn Reson 9:299-336, 1997, and direct integration.

    Example:
        >>> round(HalfSinePair().b(0.04, duration=0.02, separation=0.04).item() * 1e-6, 6)
        649.722455
    """

    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        return _shaped(amplitude, duration, separation, area=2.0 / math.pi, constant=0.25)


@dataclass(frozen=True)
class SquaredSinePair(GradientPair):
    """Lobes of sin²: b = γ²(Gδ/2)²(Δ − kδ), k = 1/3 − 5/(4π²).

    Source:
        Direct integration of q².

    Example:
        >>> round(SquaredSinePair().b(0.04, duration=0.02, separation=0.04).item() * 1e-6, 6)
        410.70211
    """

    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        return _shaped(amplitude, duration, separation, area=0.5, constant=1.0 / 3.0 - 5.0 / (4.0 * math.pi**2))


@dataclass(frozen=True)
class TrapezoidalPair(GradientPair):
    """Lobes with ramps: b = γ²G²[d²(Δ − d/3) + ε³/30 − dε²/6], d from the start of the rise to that of the fall.

    Args:
        ramp: ε, s; ``duration`` is that of the whole lobe, d + ε.

    Source:
        Price, Concepts Magn Reson 9:299-336, 1997, and direct integration.

    Example:
        >>> round(TrapezoidalPair(ramp=0.0005).b(0.04, duration=0.0205, separation=0.04).item() * 1e-6, 6)
        1526.691625
    """

    ramp: float

    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        strength, length, apart = _checked(amplitude, duration, separation)
        if not 0 <= 2 * self.ramp <= length.detach().min().item() * (1 + 1e-12):
            raise _impossible(f"ramps of {self.ramp} s in a lobe of {length.detach().min().item()} s")
        d, e = length - self.ramp, self.ramp
        return PROTON_GAMMA_RAD_PER_S_T**2 * strength**2 * (d**2 * (apart - d / 3) + e**3 / 30 - d * e**2 / 6)


@dataclass(frozen=True)
class BipolarPair(GradientPair):
    """Each lobe split in two halves of opposite sign around a refocusing pulse: b = γ²G²δ²(Δ − δ/3 − τ/2).

    Background gradients cancel. δ is the duration of both halves together.

    Args:
        gap: τ, s, from the end of the first half to the start of the second.

    Source:
        Cotts et al., J Magn Reson 83:252-266, 1989; Wu, Chen & Johnson, J Magn Reson A 115:260-264, 1995.

    Example:
        >>> round(BipolarPair(gap=0.0).b(0.04, duration=0.02, separation=0.04).item() * 1e-6, 6)
        1526.786572
    """

    gap: float

    def b(self, amplitude: Tensor | float, *, duration: Tensor | float, separation: Tensor | float) -> Tensor:
        strength, length, apart = _checked(amplitude, duration, separation)
        if not self.gap >= 0 or bool((apart < length + self.gap).any()):
            raise _impossible(f"halves {self.gap} s apart with pairs {apart.tolist()} s apart")
        return (PROTON_GAMMA_RAD_PER_S_T * strength * length).square() * (apart - length / 3 - self.gap / 2)


def _shaped(
    amplitude: Tensor | float, duration: Tensor | float, separation: Tensor | float, *, area: float, constant: float
) -> Tensor:
    """b = γ²A²(Δ − kδ), A the lobe's area ``area``·G·δ."""
    strength, length, apart = _checked(amplitude, duration, separation)
    return (PROTON_GAMMA_RAD_PER_S_T * area * strength * length).square() * (apart - constant * length)


def _checked(
    amplitude: Tensor | float, duration: Tensor | float, separation: Tensor | float
) -> tuple[Tensor, Tensor, Tensor]:
    strength, length, apart = (
        torch.as_tensor(value, dtype=torch.float64) for value in (amplitude, duration, separation)
    )
    finite = all(bool(value.isfinite().all()) for value in (strength, length, apart))
    if not finite or bool((length <= 0).any()) or bool((apart < length * (1 - 1e-12)).any()):
        raise _impossible(f"lobes of {length.tolist()} s, {apart.tolist()} s apart, of {strength.tolist()} T/m")
    return strength, length, apart


def _impossible(given: str) -> InputError:
    return InputError(
        "GD-805",
        given=given,
        allowed="positive finite times, the lobes one after the other",
        do="give times in s and the separation from start to start",
    )
