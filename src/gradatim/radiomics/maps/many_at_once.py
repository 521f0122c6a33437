"""Which families are measured in many windows at once, and their features from that."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.gldzm import Gldzm
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.histogram import IntensityHistogram
from gradatim.radiomics.maps.histograms import HistogramsInWindows
from gradatim.radiomics.maps.neighbours import DependencesInWindows, TonesInWindows
from gradatim.radiomics.maps.one_by_one import OneByOne, finite_mean
from gradatim.radiomics.maps.pairs import PairsInWindows
from gradatim.radiomics.maps.runs_and_zones import DistancesInWindows, RunsInWindows, SizesInWindows
from gradatim.radiomics.maps.samples import SamplesInWindows
from gradatim.radiomics.maps.windowed_region import Counted, WindowedRegion
from gradatim.radiomics.ngldm import Ngldm
from gradatim.radiomics.ngtdm import Ngtdm
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.statistics import Statistics
from gradatim.radiomics.undefined import Undefined


@runtime_checkable
class InWindows(Protocol):
    """A family's measurement of many windows at a time."""

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window, while its features are computed."""

    def __call__(self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation) -> Counted | Undefined:
        """What the family's records take, of the windows around centres (m, 3)."""


BATCHED: dict[type[Family], InWindows] = {
    Statistics: SamplesInWindows(),
    IntensityHistogram: HistogramsInWindows(),
    Glcm: PairsInWindows(),
    Glrlm: RunsInWindows(),
    Glszm: SizesInWindows(),
    Gldzm: DistancesInWindows(),
    Ngtdm: TonesInWindows(),
    Ngldm: DependencesInWindows(),
}
"""Families that have one; any other is measured window by window."""


@dataclass(frozen=True)
class ManyAtOnce:
    """The features of a family in many windows at a time.

    Args:
        measure: the family's measurement.
    """

    measure: InWindows

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return self.measure.bytes_each(region, aggregation)

    def values(
        self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation, records: tuple[FeatureRecord, ...]
    ) -> Tensor:
        """The features (record, m), float64, NaN where undefined, of the windows around centres (m, 3)."""
        counted = self.measure(region, centres, aggregation)
        nowhere = torch.full((len(centres), 1), torch.nan, dtype=torch.float64, device=centres.device)
        if isinstance(counted, Undefined):
            return nowhere[:, 0].expand(len(records), -1)
        if len(counted.rows) == 0:
            return nowhere[:, 0].expand(len(records), -1)
        return torch.stack([_spread(record.compute(counted.batch), counted, nowhere) for record in records])


def _spread(found: Tensor, counted: Counted, nowhere: Tensor) -> Tensor:
    """A value a matrix as the mean over those of each window."""
    every = nowhere.repeat(1, counted.matrices).flatten()
    every[counted.rows] = found
    return finite_mean(every.view(-1, counted.matrices))


def measured_by(family: Family) -> ManyAtOnce | OneByOne:
    """How a family is measured in windows: many at a time where there is a way, otherwise one by one.

    Args:
        family: the family.
    """
    batched = BATCHED.get(type(family))
    return OneByOne(family) if batched is None else ManyAtOnce(batched)
