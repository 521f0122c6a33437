"""Soft grey levels: each intensity shared between the two bins whose centres lie around it."""

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.discretise import MAX_LEVELS, FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.undefined import Undefined


@functools.singledispatch
def bin_coordinate(discretisation: Any, values: Tensor) -> Tensor | Undefined:
    """Where intensities (n,) lie between bin centres (n,): 0 at the centre of level 1, 1 at that of level 2.

    Differentiable in the intensities, and, for bins that follow the region's range, through its two ends.
    A discretisation of one's own registers its ruler with ``bin_coordinate.register``.

    Args:
        discretisation: the rule for grey levels.
        values: the intensities.

    Raises:
        UsageError: GD-144 for a discretisation without a ruler.

    Example:
        >>> bin_coordinate(FixedBinSize(width=10.0, origin=0.0), torch.tensor([5.0, 12.0], dtype=torch.float64))
        tensor([0.0000, 0.7000], dtype=torch.float64)
    """
    raise UsageError(
        "GD-144",
        given=f"soft grey levels by {type(discretisation).__name__}",
        allowed="FixedBinSize, FixedBinNumber, NoDiscretisation, or a rule registered with bin_coordinate",
        do="discretise by one of these, or register where its bin centres lie",
    )


@bin_coordinate.register
def _(discretisation: FixedBinSize, values: Tensor) -> Tensor | Undefined:
    place = (values - discretisation.origin) / discretisation.width
    if bool(place.min() < 0):
        return Undefined(
            f"the lowest intensity, {float(values.detach().min()):g}, lies below the first bin, "
            f"which starts at {discretisation.origin:g}"
        )
    return (place - 0.5).clamp(min=0)


@bin_coordinate.register
def _(discretisation: FixedBinNumber, values: Tensor) -> Tensor | Undefined:
    low, high = values.min(), values.max()
    if bool(low == high):
        return torch.zeros_like(values)
    place = discretisation.count * (values - low) / (high - low)
    return (place - 0.5).clamp(min=0, max=discretisation.count - 1)


@bin_coordinate.register
def _(discretisation: NoDiscretisation, values: Tensor) -> Tensor | Undefined:
    if bool(values.min() < 0.5):
        return Undefined("an intensity lies below 0.5, the lower edge of grey level 1: discretise them")
    return (values - 1).clamp(min=0)


@dataclass(frozen=True, eq=False)
class SoftLevels:
    """Grey levels as shares: voxel v belongs to level ``lower`` by 1 − share and to the next one by share.

    Shares are those of an intensity that is dithered before it is discretised: every count that is linear in
    each voxel's shares is the expectation of IBSI's count over dithers that are independent between voxels.

    Args:
        lower: (n,), int64, 1 …, the level whose bin centre lies at or below the intensity.
        share: (n,), float64, 0 … 1, what belongs to level ``lower`` + 1; carries the gradient.
    """

    lower: Tensor
    share: Tensor

    @cached_property
    def n_levels(self) -> int:
        """The highest level that any voxel belongs to."""
        return int((self.lower + (self.share > 0)).max())

    @cached_property
    def expected(self) -> Tensor:
        """Mean grey level of each voxel (n,), float64."""
        return self.lower + self.share

    @cached_property
    def occupancy(self) -> Tensor:
        """How much belongs to each level 1 … n_levels (n_levels,), float64; adds up to n."""
        return spread(self.lower, self.share, torch.ones_like(self.share), self.n_levels)


def spread(lower: Tensor, share: Tensor, amount: Tensor, n_levels: int) -> Tensor:
    """Amounts (n,) shared between levels and added up (n_levels,).

    Args:
        lower: (n,), int64, 1 … n_levels.
        share: (n,), what goes to the next level; 0 where there is none.
        amount: (n,).
        n_levels: number of levels.
    """
    bins = share.new_zeros(n_levels + 1)
    bins = bins.index_add(0, lower - 1, amount * (1 - share)).index_add(0, lower, amount * share)
    return bins[:n_levels]


@dataclass(frozen=True)
class SoftAssignment:
    """Intensities → :class:`SoftLevels`: the hard edge of a bin becomes a ramp of ``temperature`` bin widths.

    f: where the intensity lies between two bin centres, 0 … 1, τ: temperature. The upper level's share is
    w = clamp((f − ½)/τ + 1 − τ/2, 0, 1).

    - τ = 1: w = f, linear splitting. Equal to IBSI's levels where every intensity lies at a bin centre.
    - any τ: at bin centres w is 0 or 1; so the digital phantom's grey levels are exact at every temperature.
    - τ → 0: w → 1 for f ≥ ½ and 0 below, IBSI's levels everywhere, the edges included, because the ramp ends
      τ²/2 above the edge. An intensity further from every edge than τ bin widths has exactly IBSI's level.

    w is the probability that the intensity plus a dither, uniform over −τ²/2 … τ − τ²/2 bin widths, reaches the
    upper bin. Below the first centre, and above the last where the number of bins
    is fixed, a level cannot be shared: the gradient is 0 there. Piecewise linear, so the gradient is 0 outside the
    ramps: at small τ it says little about finite changes of the image.

    Args:
        temperature: τ, bin widths, in (0, 1].

    Raises:
        UsageError: GD-101 for another temperature; when called, GD-144 for a discretisation without a ruler.

    Example:
        >>> values = torch.tensor([5.0, 12.0], dtype=torch.float64)
        >>> levels = SoftAssignment()(values, FixedBinSize(width=10.0, origin=0.0))
        >>> levels.lower.tolist(), [round(float(w), 3) for w in levels.share]
        ([1, 1], [0.0, 0.7])
        >>> SoftAssignment(temperature=0.1)(values, FixedBinSize(width=10.0, origin=0.0)).share.tolist()
        [0.0, 1.0]
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.temperature <= 1:
            raise UsageError(
                "GD-101",
                given=f"temperature {self.temperature}",
                allowed="above 0, at most 1 bin width",
                do="give 1 for linear splitting, less to come closer to hard grey levels",
            )

    def __call__(self, values: Tensor, discretisation: Any) -> SoftLevels | Undefined:
        """Soft levels of intensities (n,), float64, n ≥ 1, or why there are none.

        Args:
            values: the intensities.
            discretisation: the rule for grey levels, as for the hard ones.
        """
        place = bin_coordinate(discretisation, values)
        if isinstance(place, Undefined):
            return place
        highest = float(place.detach().max()) + 1
        if not highest <= MAX_LEVELS:
            return Undefined(f"{highest:.4g} grey levels, more than {MAX_LEVELS}: use wider or fewer bins")
        below = place.detach().floor()
        ramp = (place - below - 0.5) / self.temperature + 1 - self.temperature / 2
        return SoftLevels(below.to(torch.int64) + 1, ramp.clamp(0, 1))
