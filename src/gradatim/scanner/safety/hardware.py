"""What the SAFE model knows of a gradient coil: three filters an axis, and how much stimulation is the limit."""

import math
from dataclasses import dataclass

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class SafeAxis:
    """One axis of a gradient coil in the SAFE model.

    Args:
        weights: a₁, a₂, a₃ of the three filters, their sum 1.
        time_constants: τ₁, τ₂, τ₃, s.
        limit: the stimulation that counts as 100 %, T/(m·s).
        threshold: the stimulation at which a scanner in normal mode stops, T/(m·s).
        scale: of the gradient, without unit; 1/π was used for it by mistake until 2021.

    Raises:
        UsageError: GD-175 if the weights do not sum to 1 within 0.001, or a number is not positive and finite.

    Example:
        >>> SafeAxis((0.4, 0.1, 0.5), (2e-4, 3e-5, 3e-3), limit=30.0, threshold=24.0, scale=0.35).limit
        30.0
    """

    weights: tuple[float, float, float]
    time_constants: tuple[float, float, float]
    limit: float
    threshold: float
    scale: float

    def __post_init__(self) -> None:
        positive = (*self.time_constants, self.limit, self.threshold, self.scale)
        finite = all(math.isfinite(number) for number in (*positive, *self.weights))
        if not finite or min(positive) <= 0 or min(self.weights) < 0 or abs(sum(self.weights) - 1) > 1e-3:
            raise UsageError(
                "GD-175",
                given=f"weights {self.weights}, time constants {self.time_constants} s, limit {self.limit}, "
                f"threshold {self.threshold} and scale {self.scale}",
                allowed="weights of 0 or more that sum to 1, all else positive and finite",
                do="give the coefficients of the gradient coil in s and T/(m·s)",
            )


@dataclass(frozen=True)
class SafeHardware:
    """A gradient coil in the SAFE model.

    Args:
        name: of the coil, as reports call it.
        x: along the first axis.
        y: along the second.
        z: along the third.

    Example:
        >>> EXAMPLE_HARDWARE.axes[1].limit
        15.0
    """

    name: str
    x: SafeAxis
    y: SafeAxis
    z: SafeAxis

    @property
    def axes(self) -> tuple[SafeAxis, SafeAxis, SafeAxis]:
        """The three axes in their order."""
        return self.x, self.y, self.z


EXAMPLE_HARDWARE = SafeHardware(
    "the example hardware (not a real scanner)",
    x=SafeAxis((0.40, 0.10, 0.50), (0.20e-3, 0.03e-3, 3.00e-3), limit=30.0, threshold=24.0, scale=0.35),
    y=SafeAxis((0.55, 0.15, 0.30), (1.50e-3, 2.50e-3, 0.15e-3), limit=15.0, threshold=12.0, scale=0.31),
    z=SafeAxis((0.42, 0.40, 0.18), (2.00e-3, 0.12e-3, 1.00e-3), limit=25.0, threshold=20.0, scale=0.25),
)
"""The published example of the SAFE reference code (Szczepankiewicz and Witzel 2018): it is no scanner's."""
