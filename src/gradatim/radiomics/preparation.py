"""From a map and its regions to what is measured: the IBSI steps between an image and its features."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.boxes import boxes
from gradatim.radiomics.described import described
from gradatim.radiomics.discretise import Discretisation
from gradatim.radiomics.resegment import Resegmentation
from gradatim.radiomics.roi import NO_VOXELS, Roi, Surroundings
from gradatim.radiomics.undefined import Undefined


class Resampling(Protocol):
    """Anything that brings a map, and the mask of a region on it, to another grid."""

    def image(self, image: QuantitativeMap) -> QuantitativeMap:
        """The map on the new grid."""

    def mask(self, mask: Tensor, image: QuantitativeMap) -> Tensor:
        """A mask (x, y, z), bool, of the old map, on the new grid, bool."""


class Response(Protocol):
    """Anything that turns an image into its filtered one, voxel by voxel on the same grid."""

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""


@dataclass(frozen=True)
class Preparation:
    """Map + regions → one :class:`Roi` a region, by the IBSI steps in their order.

    1. resample map and masks; 2. re-segment, on the map's own values; 3. filter; 4. discretise. The
    morphological mask keeps every voxel of the region, the intensity mask those that step 2 leaves. Source: IBSI
    reference manual, arXiv:1612.07003, "Image processing"; filters: IBSI 2, arXiv:2006.05470.

    Args:
        discretisation: gives the grey levels that texture is counted in.
        resegmentation: what each intensity must pass to count, one after the other.
        resampling: brings map and masks to the grid that is measured; None for the map's own.
        response: a filter whose response is measured in place of the map; None for the map itself.
        curve: discretisation of the intensity-volume histogram; None for the intensities as they are.

    Raises:
        UsageError: when called, GD-103 if the grids of map and regions differ.
    """

    discretisation: Discretisation
    resegmentation: tuple[Resegmentation, ...] = ()
    resampling: Resampling | None = None
    response: Response | None = None
    curve: Discretisation | None = None

    def __call__(self, image: QuantitativeMap, regions: Regions) -> Iterator[tuple[int, Roi | Undefined]]:
        """Label and :class:`Roi` of every region, labels increasing.

        A voxel has an intensity where the map's mask holds, its value is finite and the re-segmentation lets it
        pass. A label that has a name but no voxel gives :class:`Undefined`.

        Args:
            image: the map.
            regions: on the map's grid.
        """
        if not image.grid.same_space(regions.grid):
            raise UsageError(
                "GD-103",
                given=f"a map of {image.grid.shape} voxels and regions of {regions.grid.shape}, or with other affines",
                allowed="one grid for both",
                do="resample the label image to the map's grid with nearest neighbours",
            )
        found = boxes(regions.labels)
        for label in sorted({*found, *(name for name in regions.names if name > 0)}):
            if label not in found:
                yield label, Undefined(NO_VOXELS)
                continue
            box = found[label]
            values = image.value[box].to(torch.float64)
            shape = (regions.labels[box] == label).to(values.device)
            intensity = shape & image.mask[box] & torch.isfinite(values)
            for step in self.resegmentation:
                kept = torch.zeros_like(intensity)
                kept[intensity] = step.holds(values[intensity])
                intensity = kept
            start = tuple(part.start for part in box)
            around = Surroundings(image.value, image.mask, (start[0], start[1], start[2]))
            yield label, Roi(values, shape, intensity, image.grid.spacing, self.discretisation, self.curve, around)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data: each method with its name and fields."""
        said = {field.name: described(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in said.items() if value not in (None, [])}
