"""First order: PyRadiomics' 18 features of the intensities, two of them of grey levels."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.histogram import IntensityHistogram
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.statistics import Sample, Statistics
from gradatim.radiomics.undefined import Undefined

_SOURCE = "PyRadiomics documentation, firstorder; van Griethuysen 2017, doi:10.1158/0008-5472.CAN-17-0339"
_NO_LEVELS = "the intensities have no grey levels"


@dataclass(frozen=True, eq=False)
class FirstOrder:
    """Intensities, with the voxel's volume and the share of each grey level.

    Args:
        sample: the intensities.
        voxel_volume: mm³.
        levels: (x, y, z), int64, 0 outside; or why there are none.
    """

    sample: Sample
    voxel_volume: float
    levels: Tensor | Undefined

    @cached_property
    def shares(self) -> Tensor:
        """Share of each grey level (levels,), or one NaN."""
        if isinstance(self.levels, Undefined):
            return torch.full((1,), torch.nan, dtype=torch.float64, device=self.sample.values.device)
        counts = torch.bincount(self.levels.flatten())[1:].to(torch.float64)
        return counts / counts.sum()

    @cached_property
    def entropy(self) -> Tensor:
        """−Σ p·log₂ p () over the grey levels, bits."""
        return torch.special.entr(self.shares).sum() / torch.log(torch.tensor(2.0, dtype=torch.float64))

    @cached_property
    def kurtosis(self) -> Tensor:
        """Fourth standardised moment (), 3 for a normal distribution; 0 for a constant."""
        return torch.where(self.sample.variance > 0, self.sample.standard_moment(4), 0.0)


_SAME = renamed(
    Statistics,
    {
        "10Percentile": "QG58",
        "90Percentile": "8DWT",
        "Energy": "N8CA",
        "InterquartileRange": "SALO",
        "Maximum": "84IY",
        "Mean": "Q4LE",
        "MeanAbsoluteDeviation": "4FUA",
        "Median": "Y12H",
        "Minimum": "1GSF",
        "Range": "2OJQ",
        "RobustMeanAbsoluteDeviation": "1128",
        "RootMeanSquared": "5ZWQ",
        "Skewness": "KE2A",
        "Variance": "ECT3",
    },
    part=lambda s: s.sample,
)


def _of_levels(name: str, code: str, compute: Callable[[FirstOrder], Tensor]) -> tuple[FeatureRecord, ...]:
    found = renamed(IntensityHistogram, {name: code})
    return tuple(replace(record, compute=compute, undefined=_NO_LEVELS) for record in found)


@dataclass(frozen=True)
class PyradiomicsFirstOrder(Family):
    """First order features of PyRadiomics; intensities are not shifted (``voxelArrayShift`` 0, its default).

    Kurtosis is 3 higher than IBSI's; total energy is not IBSI's; entropy and uniformity are those of IBSI's
    intensity histogram.
    """

    id = "pyradiomics_firstorder"
    name = "PyRadiomics first order"
    code = "UHIW"
    features = in_order(
        *_SAME,
        *_of_levels("Entropy", "TLU2", lambda s: s.entropy),
        *_of_levels("Uniformity", "BJ5W", lambda s: s.shares.square().sum()),
        FeatureRecord(
            "Kurtosis",
            "Kurtosis, not excess",
            "",
            Unit(),
            "(1/n) Σ (x − μ)⁴ / σ⁴; 0 if σ = 0",
            lambda s: s.kurtosis,
            _SOURCE,
        ),
        FeatureRecord(
            "TotalEnergy",
            "Total energy",
            "",
            Unit(intensity=2, length=3),
            "volume of a voxel · Σ x²",
            lambda s: s.voxel_volume * s.sample.values.square().sum(),
            _SOURCE,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[FirstOrder] | Undefined:
        """The region's intensities as one :class:`FirstOrder`."""
        if roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        x, y, z = roi.spacing
        return (FirstOrder(Sample(roi.intensities), x * y * z, roi.levels),)
