"""How a region's intensities are distributed, and what is seen of it in a slice: what a report draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class Distribution:
    """The intensities of one region, as they are measured, in bins of equal width.

    Args:
        region: its name.
        edges: (n + 1,), in the map's unit.
        shares: (n,), of the region's intensities; they add up to 1.
        voxels: how many intensities.
        levels: how many different grey levels, 0 where the region has none.
    """

    region: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    voxels: int
    levels: int


def distributions(
    preparation: Preparation, image: QuantitativeMap, layers: Sequence[Regions], *, bins: int = 60
) -> tuple[Distribution, ...]:
    """The distribution of every region that has an intensity.

    Args:
        preparation: the steps between the map and what is measured.
        image: the map.
        layers: its regions; several label images where they overlap.
        bins: how many.

    Raises:
        UsageError: GD-103 if map and regions lie on different grids.
    """
    found = []
    for layer in layers:
        for label, roi in preparation(image, layer):
            if isinstance(roi, Undefined) or roi.intensities.numel() == 0:
                continue
            values = roi.intensities.cpu()
            low, high = float(values.min()), float(values.max())
            span = (low - 0.5, high + 0.5) if low == high else (low, high)
            counts = torch.histc(values, bins, *span)
            levels = roi.levels
            found.append(
                Distribution(
                    layer.name(label),
                    tuple(torch.linspace(*span, bins + 1, dtype=torch.float64).tolist()),
                    tuple((counts / counts.sum()).tolist()),
                    len(values),
                    0 if isinstance(levels, Undefined) else len(levels[roi.intensity].unique()),
                )
            )
    return tuple(found)
