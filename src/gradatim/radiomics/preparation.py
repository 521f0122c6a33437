"""From a map and its regions to what is measured: the IBSI steps between an image and its features."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.boxes import Box, boxes
from gradatim.radiomics.described import described
from gradatim.radiomics.discretise import Curve, Discretisation
from gradatim.radiomics.resegment import Resegmentation
from gradatim.radiomics.roi import NO_VOXELS, Roi, Surroundings
from gradatim.radiomics.tight import tight
from gradatim.radiomics.undefined import Undefined

VANISHED = "no voxel of the resampled grid lies in the region"


class Resampling(Protocol):
    """Anything that brings a map, and the masks of the regions on it, to another grid."""

    def image(self, image: QuantitativeMap) -> QuantitativeMap:
        """The map on the new grid."""

    def region(self, mask: Tensor, box: Box, grid: Grid) -> tuple[Tensor, Box]:
        """A region's mask, bool, and its box on the old ``grid``, as mask and box on the new one."""


class Response(Protocol):
    """Anything that turns an image into another on the same grid: a filter, a denoiser.

    A frozen dataclass, so that its name and its fields stand in the settings. A method of another slice joins
    by a small one that calls it; the values are those of the resampled map, 0 where it says nothing.

    Example:
        >>> @dataclass(frozen=True)
        ... class Negative:
        ...     def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        ...         return -values
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> Preparation(FixedBinNumber(8), response=Negative()).parameters["response"]
        {'method': 'Negative'}
    """

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""


@dataclass(frozen=True, eq=False)
class Marked:
    """Where a region lies after one step of its preparation.

    Args:
        image: the map that the step works on.
        box: the region's bounding box in it.
        shape: (x, y, z), bool, the morphological mask inside the box.
        intensity: (x, y, z), bool, the intensity mask inside the box.
    """

    image: QuantitativeMap
    box: Box
    shape: Tensor
    intensity: Tensor


@dataclass(frozen=True)
class Preparation:
    """Map + regions → one :class:`Roi` a region, by the IBSI steps in their order.

    1. resample the map, and each region's mask by itself; 2. re-segment, on the resampled map's own values;
    3. filter the whole resampled map; 4. discretise. The morphological mask keeps every voxel of the resampled
    region, the intensity mask those that step 2 leaves. Source: IBSI reference manual, arXiv:1612.07003, "Image
    processing"; filters: IBSI 2, arXiv:2006.05470.

    Args:
        discretisation: gives the grey levels that texture is counted in.
        resegmentation: what each intensity must pass to count, one after the other.
        resampling: brings map and masks to the grid that is measured; None for the map's own.
        response: a filter whose response is measured in place of the map; None for the map itself.
        curve: the bins of the intensity-volume histogram; None for a bin a whole number.

    Raises:
        UsageError: when called, GD-103 if the grids of map and regions differ, or a response has another shape.
    """

    discretisation: Discretisation
    resegmentation: tuple[Resegmentation, ...] = ()
    resampling: Resampling | None = None
    response: Response | None = None
    curve: Curve | None = None

    def __call__(self, image: QuantitativeMap, regions: Regions) -> Iterator[tuple[int, Roi | Undefined]]:
        """Label and :class:`Roi` of every region, labels increasing.

        A voxel has an intensity where the map's mask holds, its value is finite and the re-segmentation lets it
        pass. A label that has a name but no voxel, or none after resampling, gives :class:`Undefined`.

        Args:
            image: the map.
            regions: on the map's grid.
        """
        new = self.resampled(image, regions)
        value, known = new.value, new.mask
        if self.response is not None:
            known = known & torch.isfinite(value)
            value = self.response(torch.where(known, value, 0), spacing=new.grid.spacing)
            if value.shape != known.shape:
                raise UsageError(
                    "GD-103",
                    given=f"a response of shape {tuple(value.shape)} to a map of shape {tuple(known.shape)}",
                    allowed="one shape for both",
                    do="give a filter that keeps the grid",
                )
        for label, steps in self.steps(image, new, regions):
            if isinstance(steps, Undefined):
                yield label, steps
                continue
            last = steps[-1]
            x, y, z = last.box
            values = value[last.box].to(torch.float64)
            yield (
                label,
                Roi(
                    values,
                    last.shape,
                    last.intensity & torch.isfinite(values),
                    new.grid.spacing,
                    self.discretisation,
                    self.curve,
                    Surroundings(value, known, (x.start, y.start, z.start)),
                ),
            )

    def resampled(self, image: QuantitativeMap, regions: Regions) -> QuantitativeMap:
        """The map on the grid that is measured.

        Raises:
            UsageError: GD-103 if the grids of map and regions differ.
        """
        if not image.grid.same_space(regions.grid):
            raise UsageError(
                "GD-103",
                given=f"a map of {image.grid.shape} voxels and regions of {regions.grid.shape}, or with other affines",
                allowed="one grid for both",
                do="resample the label image to the map's grid with nearest neighbours",
            )
        return image if self.resampling is None else self.resampling.image(image)

    def steps(
        self, image: QuantitativeMap, new: QuantitativeMap, regions: Regions
    ) -> Iterator[tuple[int, tuple[Marked, Marked, Marked] | Undefined]]:
        """Label of every region, increasing, and where it lies: as given, resampled, and re-segmented.

        Args:
            image: the map as given.
            new: the map as :meth:`resampled`.
            regions: on the grid of ``image``.
        """
        found = boxes(regions.labels)
        for label in sorted({*found, *(name for name in regions.names if name > 0)}):
            if label not in found:
                yield label, Undefined(NO_VOXELS)
                continue
            box = found[label]
            given = _marked(image, box, (regions.labels[box] == label).to(image.value.device))
            moved = given if self.resampling is None else _moved(self.resampling, given, new)
            yield label, moved if isinstance(moved, Undefined) else (given, moved, self._kept(moved))

    def _kept(self, moved: Marked) -> Marked:
        values, intensity = moved.image.value[moved.box].to(torch.float64), moved.intensity
        for step in self.resegmentation:
            kept = torch.zeros_like(intensity)
            kept[intensity] = step.holds(values[intensity])
            intensity = kept
        return Marked(moved.image, moved.box, moved.shape, intensity)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data: each method with its name and fields."""
        said = {field.name: described(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in said.items() if value not in (None, [])}


def _marked(image: QuantitativeMap, box: Box, shape: Tensor) -> Marked:
    return Marked(image, box, shape, shape & image.mask[box] & torch.isfinite(image.value[box]))


def _moved(resampling: Resampling, given: Marked, new: QuantitativeMap) -> Marked | Undefined:
    shape, box = resampling.region(given.shape, given.box, given.image.grid)
    if not bool(shape.any()):
        return Undefined(VANISHED)
    inner = tight(shape)
    x, y, z = (slice(a.start + b.start, a.start + b.stop) for a, b in zip(box, inner, strict=True))
    return _marked(new, (x, y, z), shape[inner])
