"""From intensities to grey levels, the integers 1, 2, ... that texture is counted in."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.undefined import Undefined

MAX_LEVELS = 1024
"""More grey levels than this give texture matrices of more than 8 MB each, nearly all of it zeros."""


class Discretisation(Protocol):
    """Anything that gives each intensity of a region its grey level."""

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,), int64, 1 … MAX_LEVELS, of the intensities (n,), float64, n ≥ 1; or why there are none."""


def _counted(levels: Tensor) -> Tensor | Undefined:
    # Judged before the cast: what an int64 cannot hold would turn negative in silence.
    highest = float(levels.max())
    if highest > MAX_LEVELS:
        return Undefined(f"{highest:.4g} grey levels, more than {MAX_LEVELS}: use wider or fewer bins")
    return levels.to(torch.int64)


@dataclass(frozen=True)
class NoDiscretisation:
    """The intensities are grey levels already: integers from 1 upwards.

    Example:
        >>> NoDiscretisation()(torch.tensor([1.0, 6.0])).tolist()
        [1, 6]
        >>> NoDiscretisation()(torch.tensor([0.5])).reason
        'intensities are not whole numbers from 1 upwards: discretise them'
    """

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,) of whole-number intensities (n,)."""
        levels = values.round()
        if bool((levels != values).any()) or bool(levels.min() < 1):
            return Undefined("intensities are not whole numbers from 1 upwards: discretise them")
        return _counted(levels)


@dataclass(frozen=True)
class FixedBinNumber:
    """The region's own range in equal bins: level = ⌊count·(x − min)/(max − min)⌋ + 1, the maximum in the last.

    Removes the unit and the contrast: for images whose intensities have no fixed meaning. A constant
    region is all level 1. Source: IBSI reference manual, arXiv:1612.07003, "Intensity discretisation" (K15C).

    Args:
        count: number of bins, 1 to 1024.

    Raises:
        UsageError: GD-101 for another count.

    Example:
        >>> FixedBinNumber(count=4)(torch.tensor([0.0, 1.0, 2.0, 4.0])).tolist()
        [1, 2, 3, 4]
    """

    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_LEVELS:
            raise UsageError(
                "GD-101", given=f"{self.count} bins", allowed=f"1 to {MAX_LEVELS}", do="give another number"
            )

    def __call__(self, values: Tensor) -> Tensor:
        """Levels (n,) of intensities (n,) in any unit."""
        low, high = values.min(), values.max()
        if bool(low == high):
            return torch.ones_like(values, dtype=torch.int64)
        levels = torch.floor(self.count * (values - low) / (high - low)).to(torch.int64) + 1
        return levels.clamp(max=self.count)


@dataclass(frozen=True)
class FixedBinSize:
    """Bins of one width on a fixed ruler: level = ⌊(x − origin)/width⌋ + 1.

    Keeps the unit: level 7 means the same in every region and case, for images with calibrated
    intensities (χ in ppm, CT in HU). Source: IBSI reference manual, arXiv:1612.07003, "Intensity
    discretisation" (Q3RU), where the origin is the lower end of the re-segmentation range.

    Args:
        width: bin width in the image's unit, > 0.
        origin: lower edge of the first bin in the image's unit; a region that reaches below it has no levels.

    Raises:
        UsageError: GD-101 if the width is not positive and finite, or the origin not finite.

    Example:
        >>> FixedBinSize(width=25.0, origin=-500.0)(torch.tensor([-500.0, -476.0, -475.0])).tolist()
        [1, 1, 2]
        >>> FixedBinSize(width=25.0, origin=0.0)(torch.tensor([-3.0])).reason
        'the lowest intensity, -3, lies below the first bin, which starts at 0'
    """

    width: float
    origin: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and self.width > 0 and math.isfinite(self.origin)):
            raise UsageError(
                "GD-101",
                given=f"bins of width {self.width} from {self.origin}",
                allowed="a positive width and a finite origin",
                do="give both in the image's unit",
            )

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,) of intensities (n,) in the image's unit."""
        low = float(values.min())
        if low < self.origin:
            return Undefined(
                f"the lowest intensity, {low:g}, lies below the first bin, which starts at {self.origin:g}"
            )
        return _counted(torch.floor((values - self.origin) / self.width) + 1)
