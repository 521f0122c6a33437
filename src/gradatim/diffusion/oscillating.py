"""Closed forms of b for oscillating gradients, which look at motion of one frequency."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T


@dataclass(frozen=True)
class CosineOscillation:
    """Two trains of cosines: b = γ²G²T/(4π²f²), its spectrum one peak at f.

    Args:
        frequency: f, Hz.
        duration: T of each train, s, a whole number of periods.

    Raises:
        UsageError: GD-101 unless f·T is a whole number of at least one.

    Source:
        Does, Parsons & Gore, Magn Reson Med 49:206-215, 2003, and direct integration.

    Example:
        >>> round(CosineOscillation(100.0, 0.04).b(0.04).item() * 1e-6, 6)  # s/mm²
        11.602187
    """

    frequency: float
    duration: float

    def __post_init__(self) -> None:
        _require_periods(self.frequency, self.duration)

    def b(self, amplitude: Tensor | float) -> Tensor:
        """The weighting of both trains together, s/m².

        Args:
            amplitude: G, T/m.
        """
        return _b(amplitude, self.frequency, self.duration)


@dataclass(frozen=True)
class SineOscillation:
    """Two trains of sines: b = 3γ²G²T/(4π²f²), of which two thirds look at slow motion.

    Args:
        frequency: f, Hz.
        duration: T of each train, s, a whole number of periods.

    Raises:
        UsageError: GD-101 unless f·T is a whole number of at least one.

    Source:
        Does, Parsons & Gore, Magn Reson Med 49:206-215, 2003, and direct integration.

    Example:
        >>> round(SineOscillation(100.0, 0.04).b(0.04).item() * 1e-6, 6)
        34.80656
    """

    frequency: float
    duration: float

    def __post_init__(self) -> None:
        _require_periods(self.frequency, self.duration)

    def b(self, amplitude: Tensor | float) -> Tensor:
        """The weighting of both trains together, s/m².

        Args:
            amplitude: G, T/m.
        """
        return 3.0 * _b(amplitude, self.frequency, self.duration)


def _b(amplitude: Tensor | float, frequency: float, duration: float) -> Tensor:
    strength = torch.as_tensor(amplitude, dtype=torch.float64)
    return (PROTON_GAMMA_RAD_PER_S_T * strength / (2.0 * math.pi * frequency)).square() * duration


def _require_periods(frequency: float, duration: float) -> None:
    periods = frequency * duration
    if not math.isfinite(periods) or frequency <= 0 or round(periods) < 1 or abs(periods - round(periods)) > 1e-6:
        raise UsageError(
            "GD-101",
            given=f"{periods:.6g} periods of {frequency} Hz in {duration} s",
            allowed="a whole number of periods, one at least",
            do="choose the duration as a multiple of 1/f",
        )
