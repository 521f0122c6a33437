"""What zero means: susceptibility is known up to a constant, which a reference region fixes."""

from dataclasses import dataclass, replace

import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import QuantitativeMap, Regions


@dataclass(frozen=True)
class MaskMean:
    """χ − ⟨χ⟩ over the mask: the map's zero is the mean of the tissue in it. Always possible, always the same.

    Source:
        Options and their effect: Straub et al., Magn Reson Med 78:204 (2017); QSM Consensus Organization
        Committee, Magn Reson Med 91:1834 (2024).

    Example:
        >>> MaskMean()
        MaskMean()
    """

    def __call__(self, chi: QuantitativeMap) -> QuantitativeMap:
        """Refer a map in ppm to the mean of its mask."""
        return _shifted(chi, chi.mask, "mean of the mask")


@dataclass(frozen=True, eq=False)
class RegionMean:
    """χ − ⟨χ⟩ over one region, e.g. the cerebrospinal fluid of the ventricles.

    Args:
        regions: where the region is drawn, on the map's grid.
        label: its number.

    Raises:
        UsageError: GD-103 if the regions lie on another grid.
        InputError: GD-601 if the region has no voxel in the map's mask.
    """

    regions: Regions
    label: int

    def __call__(self, chi: QuantitativeMap) -> QuantitativeMap:
        """Refer a map in ppm to the mean of the region."""
        if not self.regions.grid.same_space(chi.grid):
            raise UsageError(
                "GD-103",
                given=f"reference regions on a grid {self.regions.grid.shape} that is not the map's",
                allowed=f"the map's grid {chi.grid.shape}",
                do="resample the label image to the map with nearest neighbours",
            )
        inside = (self.regions.labels == self.label) & chi.mask
        if not bool(inside.any()):
            raise InputError(
                "GD-601",
                given=f"reference region {self.regions.name(self.label)!r} without a voxel in the mask",
                allowed=f"one of the labels {self.regions.present} inside the mask",
                do="choose another reference region",
            )
        return _shifted(chi, inside, f"mean of region {self.regions.name(self.label)}")


def _shifted(chi: QuantitativeMap, where: torch.Tensor, name: str) -> QuantitativeMap:
    level = chi.value[where].double().mean().to(chi.value.dtype)
    return replace(chi, value=torch.where(chi.mask, chi.value - level, 0.0), reference=name)
