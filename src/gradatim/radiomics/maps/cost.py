"""What maps will cost, before they are made: some windows are measured, and the rest is arithmetic."""

import time
from dataclasses import dataclass

import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.maps.feature_maps import FeatureMaps, Job
from gradatim.radiomics.maps.windowed_region import WindowedRegion

SLACK = 4 << 20
"""Bytes that the allocator and the threads take whatever the image."""


@dataclass(frozen=True)
class MapCost:
    """The cost of making maps.

    Args:
        windows: how many windows are measured, each by every family.
        maps: how many maps are made.
        seconds: estimated time on this machine, as busy as it is now; preparation included.
        peak_bytes: memory that is held at most beside the image, by the sizes of what is kept.
        by_family: family → its part of the seconds.
    """

    windows: int
    maps: int
    seconds: float
    peak_bytes: int
    by_family: dict[str, float]


@dataclass(frozen=True)
class Costing:
    """Maps + image + regions → what they would cost, from the time that a random sample of windows takes.

    The sample of each family grows until it takes a fraction of a second, so that the estimate itself takes about that
    much a family. It is taken from the largest region.

    Args:
        seed: of the sample.
        seconds: how long a sample should take at least, s, if there are windows enough.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.extraction import Extraction
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> from gradatim.radiomics.preparation import Preparation
        >>> grid = Grid((4, 4, 4), (1.0, 1.0, 1.0))
        >>> image = QuantitativeMap(torch.rand(4, 4, 4), torch.ones(4, 4, 4, dtype=torch.bool), grid, "image", "")
        >>> region = Regions(torch.ones(4, 4, 4, dtype=torch.int64), grid)
        >>> maps = FeatureMaps(Extraction(Preparation(FixedBinNumber(8))), features=("statistics",))
        >>> cost = Costing()(maps, image, region)
        >>> cost.windows, cost.maps, cost.seconds > 0
        (64, 18, True)
    """

    seed: int = 0
    seconds: float = 0.2

    def __call__(self, maps: FeatureMaps, image: QuantitativeMap, regions: Regions) -> MapCost:
        """The cost.

        Args:
            maps: what would be made.
            image: the map.
            regions: on its grid.

        Raises:
            InputError: GD-739, and UsageError GD-103 and GD-153, as the maps themselves.
        """
        begin = time.perf_counter()
        prepared = maps.regions_of(image, regions)
        shape = maps.extraction.preparation.resampled(image, regions).grid.shape
        preparing = time.perf_counter() - begin
        largest = max(prepared, key=lambda region: len(region.centres))
        windows = sum(len(region.centres) for region in prepared)
        parts: dict[str, float] = {}
        for job in maps.jobs:
            each = self._seconds_each(maps, job, largest)
            parts[job.family.id] = parts.get(job.family.id, 0.0) + each * windows
        # The maps with their masks, values of windows on their way into them, the regions, and the windows at work.
        kept = 9 * shape[0] * shape[1] * shape[2] * len(maps.names)
        kept += 8 * windows * max(len(job.records) for job in maps.jobs) + SLACK
        at_work = max(min(windows, maps.at_a_time(job, largest)) * job.bytes_each(largest) for job in maps.jobs)
        held = sum(region.bytes for region in prepared)
        return MapCost(windows, len(maps.names), preparing + sum(parts.values()), kept + at_work + held, parts)

    def _seconds_each(self, maps: FeatureMaps, job: Job, region: WindowedRegion) -> float:
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(len(region.centres), generator=generator).to(region.centres.device)
        _timed(maps, job, region, order[:1])  # loads and compiles
        many = 8
        while True:
            taken = _timed(maps, job, region, order[:many])
            if taken >= self.seconds or many >= len(order):
                return taken / min(many, len(order))
            many *= 4


def _timed(maps: FeatureMaps, job: Job, region: WindowedRegion, places: torch.Tensor) -> float:
    begin = time.perf_counter()
    for _, values in maps.measured(job, region, region.centres[places]):
        values.cpu()
    return time.perf_counter() - begin
