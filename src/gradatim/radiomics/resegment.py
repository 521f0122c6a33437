"""Re-segmentation: which intensities of a region count."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.range_ends import lower_end, upper_end
from gradatim.radiomics.total import total


class Resegmentation(Protocol):
    """Anything that says which intensities of a region count."""

    def holds(self, values: Tensor) -> Tensor:
        """Which of a region's intensities (n,) count; bool (n,)."""


@dataclass(frozen=True)
class IntensityRange:
    """Re-segmentation: only voxels whose intensity lies in [low, high] count as intensities.

    The region's shape keeps all its voxels. The ends are meant as float32 stores them, so that a map that was clipped
    at one keeps its voxels there. Source: IBSI reference manual, arXiv:1612.07003,
    "Re-segmentation" (IFBL).

    Args:
        low: lower end in the image's unit.
        high: upper end in the image's unit, > low.

    Raises:
        UsageError: GD-101 if the ends are not finite and increasing.

    Example:
        >>> IntensityRange(low=-1.0, high=1.0).holds(torch.tensor([-2.0, 1.0])).tolist()
        [False, True]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError(
                "GD-101",
                given=f"intensity range [{self.low}, {self.high}]",
                allowed="two finite numbers, the lower one first",
                do="give both in the image's unit",
            )

    def holds(self, values: Tensor) -> Tensor:
        """Which values, of any shape, lie in the range; bool of the same shape."""
        return (values >= lower_end(self.low)) & (values <= upper_end(self.high))


@dataclass(frozen=True)
class OutlierFence:
    """Re-segmentation: only intensities within so many standard deviations of their mean count.

    Keeps |x − μ| ≤ sigma·σ, with mean μ and standard deviation σ (without bias correction) of the intensities
    that the rules before it left. Source: IBSI reference manual, arXiv:1612.07003, "Re-segmentation" (7ACA);
    Collewet 2004, doi:10.1016/j.mri.2003.09.001.

    Args:
        sigma: how many standard deviations, > 0 and finite.

    Raises:
        UsageError: GD-101 if it is not.

    Example:
        >>> OutlierFence(sigma=1.5).holds(torch.tensor([1.0, 2.0, 1.0, 2.0, 9.0])).tolist()
        [True, True, True, True, False]
    """

    sigma: float = 3.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise UsageError(
                "GD-101",
                given=f"{self.sigma} standard deviations",
                allowed="a positive finite number",
                do="give another number, 3 by IBSI",
            )

    def holds(self, values: Tensor) -> Tensor:
        """Which of the intensities (n,) lie inside the fence; bool (n,)."""
        if values.numel() == 0:
            return torch.ones_like(values, dtype=torch.bool)
        above = values.to(torch.float64) - values.min()  # so that equal intensities have no spread, to the last bit
        off = above - total(above) / len(above)
        return off.abs() <= self.sigma * (total(off.square()) / len(off)).sqrt()
