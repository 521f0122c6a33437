"""Rescale slope and intercept: from what a CT file stores to HU and back."""

import math
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from gradatim.base.errors import UsageError

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class Rescale:
    """HU = slope·stored + intercept, as DICOM's (0028,1053) and (0028,1052) say. Differentiable.

    Args:
        slope: HU a stored unit, not 0; CT scanners give 1.
        intercept: HU of a stored 0; CT scanners mostly give −1024 or −1000.

    Raises:
        UsageError: GD-139 if the slope is 0, or one of them is not finite.

    Example:
        >>> Rescale(slope=1.0, intercept=-1024.0)(1069.0)
        45.0
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope != 0):
            raise UsageError(
                "GD-139",
                given=f"slope {self.slope} and intercept {self.intercept}",
                allowed="finite numbers, a slope other than 0",
                do="read both from the header again; with a slope of 0 every value would be the intercept",
            )

    def __call__(self, stored: Number) -> Number:
        """CT numbers, HU, of stored values, any shape."""
        return stored * self.slope + self.intercept

    def stored(self, hu: Number) -> Number:
        """Stored values of CT numbers in HU, not rounded."""
        return (hu - self.intercept) / self.slope
