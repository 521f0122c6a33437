"""From intensities to grey levels, the integers 1, 2, ... that texture is counted in."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.range_ends import lower_end, upper_end
from gradatim.radiomics.undefined import Undefined

MAX_LEVELS = 1024
"""More grey levels than this give texture matrices of more than 8 MB each, nearly all of it zeros."""


_WHOLE = 1e-6
"""How far from a whole number of bins a range may be, in bins: the rounding of widths such as 0.1."""


_COUNTABLE = 2.0**52
_TOO_MANY = "the intensity-volume histogram has more bins than can be told apart: give it wider ones"


class Discretisation(Protocol):
    """Anything that gives each intensity of a region its grey level."""

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,), int64, 1 … MAX_LEVELS, of the intensities (n,), float64, n ≥ 1; or why there are none."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Intensities in bins of one width, each bin standing for one intensity.

    Args:
        number: (n,), int64, each intensity's bin, 0 … count − 1.
        first: what the first bin stands for.
        width: from one bin to the next.
        count: how many bins there are, empty ones included.
    """

    number: Tensor
    first: float
    width: float
    count: int


class Curve(Protocol):
    """Anything that puts the intensities of a region into the bins of its intensity-volume histogram."""

    def bins(self, values: Tensor) -> Bins | Undefined:
        """The intensities (n,), float64, n ≥ 1, in bins; or why there are none. No limit to their number."""


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

    def bins(self, values: Tensor) -> Bins:
        """As a :class:`Curve`: each bin stands for its number 1 … count, since the unit is gone."""
        return Bins(self(values) - 1, first=1.0, width=1.0, count=self.count)


@dataclass(frozen=True)
class FixedBinSize:
    """Bins of one width on a fixed ruler: level = ⌊(x − origin)/width⌋ + 1.

    Keeps the unit: level 7 means the same in every region and case, for images with calibrated
    intensities (χ in ppm, CT in HU). Source: IBSI reference manual, arXiv:1612.07003, "Intensity
    discretisation" (Q3RU), where the origin is the lower end of the re-segmentation range.

    Args:
        width: bin width in the image's unit, > 0.
        origin: lower edge of the first bin in the image's unit, as float32 stores it; a region that reaches below it
            has no levels.

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
        if low < lower_end(self.origin):
            return Undefined(
                f"the lowest intensity, {low:g}, lies below the first bin, which starts at {self.origin:g}"
            )
        return _counted(torch.floor((values - self.origin) / self.width).clamp(min=0) + 1)


@dataclass(frozen=True)
class WholeNumbers:
    """A curve for intensities that are whole numbers, as CT has: each is a bin, from the lowest to the highest.

    Source: IBSI reference manual, arXiv:1612.07003, "Intensity-volume histogram features", discrete calibrated
    intensities. With a re-segmentation range IBSI counts from its lower to its upper end instead, which is
    :class:`IntensityBins` of width 1 from half a unit below to half a unit above.

    Example:
        >>> bins = WholeNumbers().bins(torch.tensor([-3.0, 1.0]))
        >>> bins.number.tolist(), bins.first, bins.count
        ([0, 4], -3.0, 5)
        >>> WholeNumbers().bins(torch.tensor([0.5])).reason
        'intensities are not whole numbers: give the intensity-volume histogram a bin width'
    """

    def bins(self, values: Tensor) -> Bins | Undefined:
        """Whole-number intensities (n,), each in a bin of its own."""
        if bool((values != values.round()).any()):
            return Undefined("intensities are not whole numbers: give the intensity-volume histogram a bin width")
        low, high = float(values.min()), float(values.max())
        if high - low > _COUNTABLE:
            return Undefined(_TOO_MANY)
        return Bins((values - low).to(torch.int64), first=low, width=1.0, count=int(high - low) + 1)


@dataclass(frozen=True)
class IntensityBins:
    """A curve for calibrated intensities: bins of one width over a range, each standing for its centre.

    Bin ⌊(x − low)/width⌋ + 1, the upper end in the last one. Over a fixed range, IBSI's is that of the
    re-segmentation, an intensity fraction means the same in every region. Source: IBSI reference manual,
    arXiv:1612.07003, "Intensity-volume histogram features", continuous calibrated intensities.

    Args:
        width: bin width in the image's unit, > 0.
        low: lower edge of the first bin in the image's unit; None for the region's lowest intensity.
        high: upper end of the last bin, > low; None for the region's highest intensity.

    Raises:
        UsageError: GD-101 if the numbers are not finite or do not increase.

    Example:
        >>> bins = IntensityBins(width=2.5, low=-1000.0, high=400.0).bins(torch.tensor([-1000.0, 400.0]))
        >>> bins.number.tolist(), bins.first, bins.count
        ([0, 559], -998.75, 560)
        >>> IntensityBins(width=2.5, low=0.0).bins(torch.tensor([-1.0, 4.0])).reason
        'intensities from -1 to 4 leave the range of the intensity-volume histogram, 0 to 4'
    """

    width: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        finite = all(math.isfinite(number) for number in (self.width, *ends))
        if not (finite and self.width > 0 and ends == sorted(set(ends))):
            raise UsageError(
                "GD-101",
                given=f"bins of width {self.width} from {self.low} to {self.high}",
                allowed="a positive width and two finite ends, the lower one first",
                do="give all in the image's unit, or leave an end to the region",
            )

    def bins(self, values: Tensor) -> Bins | Undefined:
        """Intensities (n,) in the image's unit, in the bins of the range."""
        lowest, highest = float(values.min()), float(values.max())
        low = lowest if self.low is None else self.low
        high = highest if self.high is None else self.high
        if lowest < lower_end(low) or highest > upper_end(high):
            return Undefined(
                f"intensities from {lowest:g} to {highest:g} leave the range of the intensity-volume histogram, "
                f"{low:g} to {high:g}"
            )
        if (high - low) / self.width > _COUNTABLE:
            return Undefined(_TOO_MANY)
        # A range of a whole number of widths must not get one bin more by rounding.
        count = max(1, math.ceil((high - low) / self.width - _WHOLE))
        number = torch.floor((values - low) / self.width).to(torch.int64).clamp(0, count - 1)
        return Bins(number, first=low + self.width / 2, width=self.width, count=count)
