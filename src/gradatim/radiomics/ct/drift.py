"""What a drift of the water reference does to every CT number."""

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from gradatim.base.errors import UsageError

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class WaterDrift:
    """A scanner that takes μ_w·(1 + ε) for the attenuation of water, while that of air stays.

    With a = μ_a/μ_w, HU_seen = (HU·(1 − a) − 1000·ε)/(1 − a + ε), so that

    ΔHU = −ε·(1000 + HU)/(1 − a + ε).

    A reference that is too high makes everything look less dense, denser tissue the more; air keeps its −1000. The map
    is linear in HU, of slope (1 − a)/(1 − a + ε), hence water and air alone undo it. Differentiable in the image.

    Args:
        epsilon: ε, relative drift of the water reference; 0.005 for 0.5 %.
        air: a = μ_a/μ_w; 0 for the definition without air, 0.00104 for air at 20 °C beside water at 70 keV.

    Raises:
        UsageError: GD-139 unless 0 ≤ a < 1 and 1 − a + ε > 0.

    Example:
        >>> round(WaterDrift(0.005)(45.0) - 45.0, 3)
        -5.199
    """

    epsilon: float
    air: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and 0 <= self.air < 1 and 1 - self.air + self.epsilon > 0):
            raise UsageError(
                "GD-139",
                given=f"a drift of {self.epsilon} with air at {self.air} of water",
                allowed="0 ≤ air < 1, and water above air after the drift",
                do="give the drift as a fraction, 0.005 for 0.5 %",
            )

    @property
    def slope(self) -> float:
        """d HU_seen / d HU."""
        return (1 - self.air) / (1 - self.air + self.epsilon)

    def __call__(self, hu: Number) -> Number:
        """CT numbers as the drifted scanner shows them, HU."""
        return hu * self.slope - 1000.0 * (1 - self.slope)

    def undo(self, seen: Number) -> Number:
        """True CT numbers from those of the drifted scanner, HU."""
        return (seen + 1000.0 * (1 - self.slope)) / self.slope

    def derivative(self, hu: Number) -> Number:
        """d HU_seen / dε at this ε, HU: −(1000 + HU)·(1 − a)/(1 − a + ε)²."""
        return (hu + 1000.0) * (-self.slope / (1 - self.air + self.epsilon))
