"""A straight vessel and the number that says how its flow pulsates."""

import math
from dataclasses import dataclass

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class Vessel:
    """A rigid straight tube with a Newtonian fluid.

    Args:
        radius: R, m.
        density: ρ, kg/m³.
        viscosity: μ, Pa·s.

    Raises:
        UsageError: GD-101 if a number is not positive and finite.

    Example:
        >>> round(Vessel(0.0125).womersley(1.2), 4)  # an aorta at 72 beats a minute
        18.889
    """

    radius: float
    density: float = 1060.0
    viscosity: float = 3.5e-3

    def __post_init__(self) -> None:
        given = (self.radius, self.density, self.viscosity)
        if not all(math.isfinite(value) and value > 0 for value in given):
            raise UsageError(
                "GD-101",
                given=f"radius {self.radius} m, density {self.density} kg/m³, viscosity {self.viscosity} Pa·s",
                allowed="positive finite numbers",
                do="give SI units: an aorta's radius is 0.0125 m, blood's viscosity 3.5e-3 Pa·s",
            )

    def womersley(self, frequency: float) -> float:
        """α = R·√(ωρ/μ), without unit: how many Stokes layers, over √2, fit into the radius.

        Args:
            frequency: Hz, > 0.

        Raises:
            UsageError: GD-101 if the frequency is not positive.
        """
        if not (math.isfinite(frequency) and frequency > 0):
            raise UsageError("GD-101", given=f"frequency {frequency} Hz", allowed="> 0", do="give it in Hz")
        return self.radius * math.sqrt(2 * math.pi * frequency * self.density / self.viscosity)

    def stokes_layer(self, frequency: float) -> float:
        """√(2ν/ω), m: how far the wall is felt.

        Args:
            frequency: Hz, > 0.
        """
        return math.sqrt(2.0) * self.radius / self.womersley(frequency)
