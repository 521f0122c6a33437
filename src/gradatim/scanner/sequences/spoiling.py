"""How a train of excitations forgets its transverse magnetisation."""

import math
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T


@dataclass(frozen=True)
class Spoiling:
    """RF phases that grow quadratically, gradients that dephase each voxel, and excitations before the first line.

    Excitation n has the phase φ_n = increment·n(n + 1)/2, and so has its receiver. Source: Zur, Wood and Neuringer
    1991, Magnetic Resonance in Medicine 21:251.

    Args:
        increment: degrees; 117 is usual, 0 spoils by gradients alone.
        cycles: dephasing of a voxel at the end of each TR along x and z.
        dummies: excitations without readout.

    Raises:
        UsageError: GD-168 for an impossible number.

    Example:
        >>> [round(math.degrees(Spoiling().phase(n))) for n in range(4)]
        [0, 117, 351, 342]
    """

    increment: float = 117.0
    cycles: float = 2.0
    dummies: int = 10

    def __post_init__(self) -> None:
        if not (math.isfinite(self.increment) and 0 <= self.cycles < math.inf and 0 <= self.dummies <= 100_000):
            raise UsageError(
                "GD-168",
                given=f"an increment of {self.increment}°, {self.cycles} cycles and {self.dummies} dummies",
                allowed="finite numbers, cycles and dummies of 0 or more",
                do="take 117°, 2 cycles and 10 dummies",
            )

    def phase(self, excitation: int) -> float:
        """φ_n, rad, 0 to 2π.

        Args:
            excitation: n, from 0.
        """
        return math.radians((self.increment * (excitation * (excitation + 1) // 2)) % 360.0)

    def area(self, voxel: float) -> float:
        """Of the gradient that dephases a voxel by so many cycles, cycles/(γ̄·Δ), T·s/m.

        Args:
            voxel: Δ, m.
        """
        return self.cycles / (PROTON_GAMMA_BAR_HZ_PER_T * voxel)
