"""Bins of one width for images whose intensities have no natural lower end."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class FixedBinSizeFromMinimum:
    """Bins of one width from each region's own minimum: level = ⌊(x − min)/width⌋ + 1.

    What IBSI's fixed bin size is without a re-segmentation range. A level of one region is not that of another:
    where a range is known, :class:`~gradatim.radiomics.discretise.FixedBinSize` from its lower end is the ruler
    that all regions share. Source: IBSI reference manual, arXiv:1612.07003, "Intensity discretisation" (Q3RU).

    Args:
        width: bin width in the image's unit, > 0.

    Raises:
        UsageError: GD-101 if the width is not positive and finite.

    Example:
        >>> import torch
        >>> FixedBinSizeFromMinimum(width=25.0)(torch.tensor([-7.0, 17.0, 18.0])).tolist()
        [1, 1, 2]
    """

    width: float

    def __post_init__(self) -> None:
        FixedBinSize(self.width, origin=0.0)

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,) of intensities (n,) in the image's unit."""
        return FixedBinSize(self.width, origin=float(values.min()))(values)
