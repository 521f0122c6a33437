"""Closed forms of b for oscillating gradients, which look at motion of one frequency."""

import math
from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T


@dataclass(frozen=True)
class _Oscillation(ABC):
    """Two trains of whole periods: b = factor·γ²G²T/(4π²f²)."""

    frequency: float
    duration: float
    factor: ClassVar[float]

    def __post_init__(self) -> None:
        periods = self.frequency * self.duration
        whole = math.isfinite(periods) and round(periods) >= 1 and abs(periods - round(periods)) <= 1e-6
        if not whole or self.frequency <= 0:
            raise UsageError(
                "GD-101",
                given=f"{periods:.6g} periods of {self.frequency} Hz in {self.duration} s",
                allowed="a whole number of periods, one at least",
                do="choose the duration as a multiple of 1/f",
            )

    def b(self, amplitude: Tensor | float) -> Tensor:
        """The weighting of both trains together, s/m².

        Args:
            amplitude: G, T/m.
        """
        strength = torch.as_tensor(amplitude, dtype=torch.float64)
        turns = PROTON_GAMMA_RAD_PER_S_T * strength / (2.0 * math.pi * self.frequency)
        return self.factor * turns.square() * self.duration


@dataclass(frozen=True)
class CosineOscillation(_Oscillation):
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

    factor: ClassVar[float] = 1.0


@dataclass(frozen=True)
class SineOscillation(_Oscillation):
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

    factor: ClassVar[float] = 3.0
