"""Fixed bin width as PyRadiomics counts it: the ruler starts at zero, the levels at the lowest occupied bin."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.discretise import MAX_LEVELS
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class ZeroAlignedBins:
    """Bins of one width with an edge at zero, numbered from the region's own lowest one.

    level = ⌊x/width⌋ − ⌊min x/width⌋ + 1. So level 7 is not the same intensity in every region, unlike IBSI's
    fixed bin size, which counts from the lower end of the re-segmentation range: every feature that depends on the
    grey level itself, and not on differences of levels, is another number. Source: PyRadiomics documentation,
    ``binWidth``; van Griethuysen 2017, doi:10.1158/0008-5472.CAN-17-0339.

    Args:
        width: bin width in the image's unit, > 0.

    Raises:
        UsageError: GD-101 if the width is not positive and finite.

    Example:
        >>> ZeroAlignedBins(width=25.0)(torch.tensor([54.0, 74.9, 75.0, 166.0])).tolist()
        [1, 1, 2, 5]
    """

    width: float = 25.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and self.width > 0):
            raise UsageError(
                "GD-101",
                given=f"bins of width {self.width}",
                allowed="a positive width",
                do="give it in the image's unit",
            )

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """Levels (n,) of intensities (n,) in the image's unit."""
        low, high = float(values.min()), float(values.max())
        if (high - low) / self.width > MAX_LEVELS:
            return Undefined(f"more than {MAX_LEVELS} grey levels: use wider bins")
        # Edges by addition, and each belongs to the bin above it: rounding then decides as it does there.
        edges = torch.from_numpy(np.arange(low - low % self.width, high + 2 * self.width, self.width))
        levels = torch.bucketize(values, edges.to(values), right=True)
        if int(levels.max()) > MAX_LEVELS:
            return Undefined(f"more than {MAX_LEVELS} grey levels: use wider bins")
        return levels
