"""Intensity-volume histogram: 7 features of which fraction of the region has at least an intensity."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.discretise import Bins, WholeNumbers
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord, Unit
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.statistics import in_order
from gradatim.radiomics.undefined import Undefined

_PURE, _U = Unit(), Unit(intensity=1)
_EL_NAQA = "El Naqa 2009, doi:10.1016/j.patcog.2008.08.011"
_VAN_VELDEN = "Van Velden 2011, doi:10.1007/s00259-011-1845-6"
_ONE_BIN = "the range of intensities is one bin"
_HIGHEST = "the highest bin holds more of the region than that"


@dataclass(frozen=True, eq=False)
class VolumeCurve:
    """The fraction ν of the voxels in a bin or above it, over the bin's place γ = 0 … 1 in the range.

    Not differentiable: a voxel is above a bin or not.

    Args:
        bins: the region's intensities in bins.
    """

    bins: Bins

    @cached_property
    def ordered(self) -> Tensor:
        """The voxels' bins, increasing (n,)."""
        return in_order(self.bins.number)

    def volume(self, percent: int) -> Tensor:
        """Largest ν () of the bins at γ of at least ``percent``; NaN if the range is one bin."""
        if self.bins.count == 1:
            return self.ordered.new_tensor(torch.nan, dtype=torch.float64)
        first = -(-percent * (self.bins.count - 1) // 100)
        voxels = len(self.ordered)
        below = torch.searchsorted(self.ordered, self.ordered.new_tensor(first))
        return (voxels - below).to(torch.float64) / voxels

    def intensity(self, percent: int) -> Tensor:
        """Lowest intensity () whose ν is at most ``percent``; NaN if no bin of the range is so rare."""
        voxels = len(self.ordered)
        # As many voxels may lie in the bin or above; so it begins behind the next voxel below them.
        allowed = voxels * percent // 100
        number = self.ordered[voxels - allowed - 1] + 1
        intensity = self.bins.first + number.to(torch.float64) * self.bins.width
        return torch.where(number < self.bins.count, intensity, torch.nan)

    def area(self) -> Tensor:
        """∫ ν dγ () by the trapezoidal rule; 0 if the range is one bin."""
        if self.bins.count == 1:
            return self.ordered.new_tensor(0.0, dtype=torch.float64)
        # A voxel in bin k adds to ν at bins 0 … k, and a half each at the ends of the range.
        number = self.ordered.to(torch.float64)
        last = self.bins.count - 1
        return (number + 0.5 - 0.5 * (number == last)).mean() / last


def _record(
    feature: str,
    name: str,
    code: str,
    unit: Unit,
    formula: str,
    compute: Callable[[VolumeCurve], Tensor],
    undefined: str = NOT_FINITE,
    source: str = _EL_NAQA,
) -> FeatureRecord:
    return FeatureRecord(feature, name, code, unit, formula, compute, source, undefined)


@dataclass(frozen=True)
class IntensityVolumeHistogram(Family):
    """Intensity-volume histogram, family P88C. Source: IBSI reference manual, arXiv:1612.07003.

    ν: fraction of the voxels with at least an intensity, γ: the intensity's place in the range, from 0 at the first
    bin to 1 at the last. Bins are those of the region's curve; without one each whole number from the region's
    lowest to its highest intensity. Intensities are in the image's unit, but bin numbers where the curve has a
    fixed number of bins.
    """

    id = "intensity_volume_histogram"
    name = "Intensity-volume histogram"
    code = "P88C"
    features = (
        _record(
            "volume_at_10_intensity",
            "Volume fraction at 10% intensity",
            "BC2M",
            _PURE,
            "V₁₀ = largest ν where γ ≥ 10 %",
            lambda c: c.volume(10),
            _ONE_BIN,
        ),
        _record(
            "volume_at_90_intensity",
            "Volume fraction at 90% intensity",
            "BC2M",
            _PURE,
            "V₉₀ = largest ν where γ ≥ 90 %",
            lambda c: c.volume(90),
            _ONE_BIN,
        ),
        _record(
            "intensity_at_10_volume",
            "Intensity at 10% volume",
            "GBPN",
            _U,
            "I₁₀ = lowest bin where ν ≤ 10 %",
            lambda c: c.intensity(10),
            _HIGHEST,
        ),
        _record(
            "intensity_at_90_volume",
            "Intensity at 90% volume",
            "GBPN",
            _U,
            "I₉₀ = lowest bin where ν ≤ 90 %",
            lambda c: c.intensity(90),
            _HIGHEST,
        ),
        _record(
            "volume_difference_10_90_intensity",
            "Volume fraction difference between 10% and 90% intensity",
            "DDTU",
            _PURE,
            "V₁₀ − V₉₀",
            lambda c: c.volume(10) - c.volume(90),
            _ONE_BIN,
        ),
        _record(
            "intensity_difference_10_90_volume",
            "Intensity difference between 10% and 90% volume",
            "CNV2",
            _U,
            "I₁₀ − I₉₀",
            lambda c: c.intensity(10) - c.intensity(90),
            _HIGHEST,
        ),
        _record(
            "area_under_ivh_curve",
            "Area under the IVH curve",
            "9CMM",
            _PURE,
            "∫ ν dγ by the trapezoidal rule; 0 if the range is one bin",
            lambda c: c.area(),
            source=_VAN_VELDEN,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[VolumeCurve] | Undefined:
        """The region's intensities as one :class:`VolumeCurve`."""
        if roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        bins = (roi.curve or WholeNumbers()).bins(roi.intensities)
        return bins if isinstance(bins, Undefined) else (VolumeCurve(bins),)
