"""The Hounsfield scale: from linear attenuation to CT numbers and back."""

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from gradatim.base.errors import UsageError

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class HounsfieldScale:
    """HU = 1000·(μ − μ_w)/(μ_w − μ_a): water is 0 HU and air −1000 HU.

    Many texts leave out the air term, HU = 1000·(μ − μ_w)/μ_w. That is this scale with μ_a = 0: vacuum, not air, is
    then −1000 HU, and air about −999. Differentiable. Source: Hounsfield 1973, doi:10.1259/0007-1285-46-552-1016.

    Args:
        water: μ_w, 1/mm (or any unit, the same for all three), > 0.
        air: μ_a, the same unit, 0 ≤ μ_a < μ_w.

    Raises:
        UsageError: GD-139 if water and air are no scale.

    Example:
        >>> scale = HounsfieldScale(water=0.0193)
        >>> round(scale.hu(0.0193 * 1.045), 6), round(scale.mu(-1000.0), 6)
        (45.0, 0.0)
    """

    water: float
    air: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.water) and 0 <= self.air < self.water):
            raise UsageError(
                "GD-139",
                given=f"water at {self.water} and air at {self.air}",
                allowed="finite attenuation, 0 ≤ air < water",
                do="give both linear attenuation coefficients in one unit",
            )

    def hu(self, mu: Number) -> Number:
        """CT numbers, HU, of attenuation coefficients μ in the unit of ``water``."""
        return (mu - self.water) * (1000.0 / (self.water - self.air))

    def mu(self, hu: Number) -> Number:
        """Attenuation coefficients μ, in the unit of ``water``, of CT numbers in HU."""
        return hu * ((self.water - self.air) / 1000.0) + self.water
