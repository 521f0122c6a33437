"""The soft counterparts of the families: the same records, fed with matrices that can be differentiated."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.glcm import CoOccurrence, Glcm
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.histogram import Histogram, IntensityHistogram
from gradatim.radiomics.level_by_size import LevelBySize
from gradatim.radiomics.ngldm import Dependence, Ngldm
from gradatim.radiomics.ngtdm import Ngtdm
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import NO_INTENSITIES
from gradatim.radiomics.soft.cooccurrence import soft_matrices
from gradatim.radiomics.soft.dependence import soft_dependence
from gradatim.radiomics.soft.region import SoftRegion
from gradatim.radiomics.soft.runs import soft_runs
from gradatim.radiomics.soft.tone import SoftTone, soft_tone
from gradatim.radiomics.statistics import Sample, Statistics
from gradatim.radiomics.undefined import Undefined

TINY = 1e-300
"""In place of a probability or count of 0, where the derivative of −p·log p is infinite; it is 0 there."""


class SoftFamily(ABC):
    """What a family measures, softly.

    Class attributes:
        family: the family whose records are computed.
    """

    family: ClassVar[Family]

    @abstractmethod
    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[Any] | Undefined:
        """What the records' functions take, one or several batches, or why there is none."""


@dataclass(frozen=True)
class SoftStatistics(SoftFamily):
    """Intensity-based statistics: IBSI's own, exact; percentiles and extremes move with one or two intensities."""

    family = Statistics()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[Sample] | Undefined:
        """The region's intensities as one :class:`Sample`."""
        if region.roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        return (Sample(region.roi.intensities),)


@dataclass(frozen=True)
class SoftIntensityHistogram(SoftFamily):
    """Histogram of soft levels; what is itself a level (percentiles, mode, extremes) moves in steps, not at all."""

    family = IntensityHistogram()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[Histogram] | Undefined:
        """The region's soft levels as one :class:`Histogram`."""
        levels = region.levels
        return levels if isinstance(levels, Undefined) else (Histogram(levels.occupancy),)


@dataclass(frozen=True)
class SoftGlcm(SoftFamily):
    """Co-occurrence of soft levels: the expectation of IBSI's matrix over independent dithers, normalised."""

    family = Glcm()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[CoOccurrence] | Undefined:
        """The region's soft matrices, as :class:`CoOccurrence` batches."""
        levels = region.levels
        if isinstance(levels, Undefined):
            return levels
        return (
            CoOccurrence((counts / counts.sum((-2, -1), keepdim=True)).clamp(min=TINY))
            for counts in soft_matrices(region, levels, aggregation)
        )


@dataclass(frozen=True)
class SoftGlrlm(SoftFamily):
    """Run lengths of soft levels: the expectation of IBSI's matrix over independent dithers."""

    family = Glrlm()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's soft run length matrices, as one batch."""
        levels = region.levels
        return levels if isinstance(levels, Undefined) else (soft_runs(region, levels, aggregation),)


@dataclass(frozen=True)
class SoftNgtdm(SoftFamily):
    """Tone differences of soft levels: a relaxation, with the neighbours' mean of their expected levels."""

    family = Ngtdm()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[SoftTone] | Undefined:
        """The region's soft tone differences, as one batch, or none where no voxel has a neighbour."""
        levels = region.levels
        if isinstance(levels, Undefined):
            return levels
        around = region.around(aggregation.directions)
        if bool((around < 0).all()):
            return ()
        return (soft_tone(levels, around, region.groups(aggregation)),)


@dataclass(frozen=True)
class SoftNgldm(SoftFamily):
    """Dependences of soft levels: the expectation of IBSI's matrix over independent dithers."""

    family = Ngldm()

    def measure(self, region: SoftRegion, aggregation: Aggregation) -> Iterable[Dependence] | Undefined:
        """The region's soft dependence matrices, as one batch."""
        levels = region.levels
        if isinstance(levels, Undefined):
            return levels
        around, group = region.around(aggregation.directions), region.groups(aggregation)
        return (Dependence(soft_dependence(levels, around, group).clamp(min=TINY)),)
