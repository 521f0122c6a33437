"""Any feature as a map: its value in a window around every voxel of a region."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gradatim.base.choice import choose
from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import WHOLE, Aggregation
from gradatim.radiomics.described import described
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.maps.many_at_once import ManyAtOnce, measured_by
from gradatim.radiomics.maps.one_by_one import OneByOne
from gradatim.radiomics.maps.window import Cube, Window
from gradatim.radiomics.maps.windowed_region import WindowedRegion
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.undefined import Undefined

QUICKEST = 1 << 24
"""Windows whose numbers need more bytes than this at a time, a thread, are slower: they leave the processor's cache."""

Heard = Callable[[str, float], None]
"""Takes what is being done and the share of the whole that is done, 0 … 1."""


def unheard(stage: str, fraction: float) -> None:
    """The listener where nobody listens."""


@dataclass(frozen=True, eq=False)
class Job:
    """Features of one family that are measured together.

    Args:
        family: the family.
        aggregation: how its matrices are combined.
        records: the features that are wanted.
        names: of their maps.
        measure: how the family is measured in windows.
    """

    family: Family
    aggregation: Aggregation
    records: tuple[FeatureRecord, ...]
    names: tuple[str, ...]
    measure: ManyAtOnce | OneByOne

    def chunk(self, region: WindowedRegion, *, budget_bytes: int) -> int:
        """How many windows at a time a budget allows.

        Args:
            region: the region.
            budget_bytes: memory for one chunk, bytes.

        Raises:
            UsageError: GD-153 if it does not hold one window.
        """
        each = self.bytes_each(region)
        if each > budget_bytes:
            raise UsageError(
                "GD-153",
                given=f"a budget of {budget_bytes} bytes a thread for {self.family.id}, {region.n_levels} grey levels",
                allowed=f"{each} bytes or more, which one window needs",
                do="give a larger budget, a smaller window, or fewer grey levels",
            )
        return max(1, min(budget_bytes, QUICKEST) // each)

    def bytes_each(self, region: WindowedRegion) -> int:
        """Memory of one window, its features included."""
        return self.measure.bytes_each(region, self.aggregation) + 24 * len(self.records)

    def values(self, region: WindowedRegion, centres: Tensor) -> Tensor:
        """The features (record, m), float64, of the windows around centres (m, 3)."""
        return self.measure.values(region, centres, self.aggregation, self.records)


@dataclass(frozen=True)
class FeatureMaps:
    """Map + regions → one map a feature: f(v) = the feature of W(v) ∩ R, for every voxel v of a region R.

    W(v) is the window around v, moved from voxel to voxel and cut at the region's border; R is the region's intensity
    mask, W(v) ∩ R is measured as any region, by the definitions of :class:`~gradatim.radiomics.extraction.Extraction`.
    Grey levels are those that the discretisation gives the whole region, so that a level means the same everywhere in
    the map (PyRadiomics' voxel-based extraction does so too). A map says nothing outside of the regions' intensity
    masks, and where the feature is undefined: its mask is False there and its value 0.

    Windows are measured many at a time, in chunks that a memory budget bounds; values do not depend on the chunks or
    the number of threads. Morphology, local intensity, intensity-volume histogram and PyRadiomics' own families are
    measured window by window, a hundred times slower; :class:`~gradatim.radiomics.maps.cost.Costing` says beforehand.
    Not differentiable.

    Args:
        extraction: preparation, families and aggregations.
        features: which: ``family.feature`` or a whole ``family``.
        window: what lies around a voxel.
        stride: only voxels whose three indices are multiples of this have a window; 1 for all.
        budget_bytes: memory for the windows measured at a time, all threads together, bytes.

    Raises:
        UsageError: GD-102 for a feature that the extraction's families do not have; GD-152 if none is named, or for a
            stride below 1; when called, GD-153 if the budget does not hold one window; GD-103 if map and regions lie
            on different grids.
        InputError: GD-739 if no region has a voxel with an intensity.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.discretise import NoDiscretisation
        >>> from gradatim.radiomics.preparation import Preparation
        >>> grid = Grid((4, 1, 1), (1.0, 1.0, 1.0))
        >>> image = torch.tensor([1.0, 1.0, 1.0, 5.0]).view(4, 1, 1)
        >>> levels = QuantitativeMap(image, torch.ones(4, 1, 1, dtype=torch.bool), grid, "levels", "")
        >>> region = Regions(torch.ones(4, 1, 1, dtype=torch.int64), grid)
        >>> maps = FeatureMaps(Extraction(Preparation(NoDiscretisation())), features=("glcm.contrast",), window=Cube(1))
        >>> maps(levels, region)["glcm.contrast"].value.flatten().tolist()
        [0.0, 0.0, 8.0, 16.0]
    """

    extraction: Extraction
    features: tuple[str, ...]
    window: Window = Cube(2)
    stride: int = 1
    budget_bytes: int = 1 << 28

    def __post_init__(self) -> None:
        if not self.features or self.stride < 1:
            raise UsageError(
                "GD-152",
                given=f"{len(self.features)} features with a stride of {self.stride}",
                allowed="at least one feature, and a stride of 1 or more",
                do="name a feature or a family, and give a stride that is a whole number of voxels",
            )
        _ = self.jobs

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """What is measured together, in the order of the extraction's families."""
        table = {
            name: (family.id, record.id)
            for family in self.extraction.families
            for record in family.features
            for name in (family.id, f"{family.id}.{record.id}")
        }
        for name in self.features:
            choose(name, table, what="feature")
        return tuple(job for family in self.extraction.families for job in self._jobs(family))

    def _jobs(self, family: Family) -> Iterator[Job]:
        records = tuple(
            r for r in family.features if family.id in self.features or f"{family.id}.{r.id}" in self.features
        )
        ways = [a for a in family.aggregations if a is WHOLE or a in self.extraction.aggregations]
        for way in ways if records else ():
            behind = f".{way.code}" if len(ways) > 1 else ""
            names = tuple(f"{family.id}.{r.id}{behind}" for r in records)
            yield Job(family, way, records, names, measured_by(family))

    @property
    def names(self) -> tuple[str, ...]:
        """The maps' names: ``family.feature``, and the aggregation's IBSI code behind it where there are several."""
        return tuple(self.records)

    def regions_of(self, image: QuantitativeMap, regions: Regions) -> tuple[WindowedRegion, ...]:
        """The regions, prepared, that have a window; as :meth:`__call__` raises."""
        found = []
        for _, roi in self.extraction.preparation(image, regions):
            if not isinstance(roi, Undefined) and bool(roi.intensity.any()):
                x, y, z = roi.values.shape
                stencil = self.window.stencil((x, y, z), roi.spacing)
                found.append(WindowedRegion.of(roi, stencil, stride=self.stride))
        if sum(len(region.centres) for region in found) == 0:
            raise InputError(
                "GD-739",
                given="regions without a voxel to put a window around",
                allowed="a region with an intensity, at a voxel that the stride does not pass over",
                do="look at the labels, the mask, the re-segmentation and the stride",
            )
        return tuple(found)

    def __call__(
        self, image: QuantitativeMap, regions: Regions, *, heard: Heard = unheard
    ) -> dict[str, QuantitativeMap]:
        """Name → map, on the grid that the preparation measures on, float64.

        Args:
            image: the map (x, y, z).
            regions: labels on the same grid; each is measured by itself, and all stand in one map.
            heard: is told what is being done, and the share of the windows that are done, up to 1.
        """
        prepared = self.regions_of(image, regions)
        grid = self.extraction.preparation.resampled(image, regions).grid
        total = len(self.jobs) * sum(len(region.centres) for region in prepared)
        done, made = 0, {}
        for job in self.jobs:
            maps = torch.full((len(job.names), *grid.shape), torch.nan, dtype=torch.float64, device=image.value.device)
            for region in prepared:
                for centres, values in self.measured(job, region, region.centres):
                    x, y, z = (centres + centres.new_tensor(_origin(region))).T
                    maps[:, x, y, z] = values
                    done += len(centres)
                    heard(job.family.id, done / total)
            for name, record, values in zip(job.names, job.records, maps, strict=True):
                mask, unit = values.isfinite(), record.unit.text(image.unit)
                values[~mask] = 0.0
                made[name] = QuantitativeMap(values, mask, grid, name, unit)
        return made

    def taken(self, image: QuantitativeMap, regions: Regions) -> Tensor:
        """Where a window was put (x, y, z), bool, on the grid of the maps; a map's mask is here or nowhere.

        Args:
            image: the map.
            regions: on its grid.
        """
        prepared = self.regions_of(image, regions)
        grid = self.extraction.preparation.resampled(image, regions).grid
        found = torch.zeros(grid.shape, dtype=torch.bool, device=image.value.device)
        for region in prepared:
            x, y, z = (region.centres + region.centres.new_tensor(_origin(region))).T
            found[x, y, z] = True
        return found

    def measured(self, job: Job, region: WindowedRegion, centres: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Centres (m, 3) and their features (record, m), chunk after chunk.

        Args:
            job: which features.
            region: the region.
            centres: (n, 3), int64, voxels of its box.
        """
        threads = max(1, torch.get_num_threads())
        chunk = self.at_a_time(job, region) // threads
        parts = centres.split(min(chunk, max(1, math.ceil(len(centres) / threads))))
        with ThreadPoolExecutor(max_workers=threads) as pool:
            yield from zip(parts, pool.map(lambda part: job.values(region, part), parts), strict=True)

    def at_a_time(self, job: Job, region: WindowedRegion) -> int:
        """How many windows are measured at a time, by all threads together.

        Args:
            job: which features.
            region: the region.

        Raises:
            UsageError: GD-153 if the budget does not hold one a thread.
        """
        threads = max(1, torch.get_num_threads())
        return threads * job.chunk(region, budget_bytes=self.budget_bytes // threads)

    @property
    def records(self) -> dict[str, FeatureRecord]:
        """Name of a map → what its feature is."""
        return {name: record for job in self.jobs for name, record in zip(job.names, job.records, strict=True)}

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data, for sidecars; the budget changes no value and is left out."""
        own = {"features": list(self.features), "window": described(self.window), "stride": self.stride}
        return own | {"extraction": self.extraction.parameters}


def _origin(region: WindowedRegion) -> tuple[int, int, int]:
    around = region.roi.surroundings
    return (0, 0, 0) if around is None else around.origin
