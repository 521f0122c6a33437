"""The methods that a settings file may name, for each step between an image and its features."""

from gradatim.radiomics.bins_from_minimum import FixedBinSizeFromMinimum
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins, NoDiscretisation, WholeNumbers
from gradatim.radiomics.filters.boundary import Mirror, Periodic, Zero
from gradatim.radiomics.filters.boundary import Nearest as NearestBeyond
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.frequencies import EndpointFrequencies, FourierFrequencies
from gradatim.radiomics.filters.gabor import Gabor
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.rotations import PlaneRotations, SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.interpolation import CubicSpline, Linear, Nearest
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.pyradiomics.resample import CornerAlignedResampling, TruncateToUnit
from gradatim.radiomics.resample import ResampleTo, RoundToUnit
from gradatim.radiomics.resegment import IntensityRange, OutlierFence

_GREY_LEVELS: tuple[type, ...] = (
    FixedBinSize,
    FixedBinSizeFromMinimum,
    FixedBinNumber,
    ZeroAlignedBins,
    NoDiscretisation,
)


def _named(*methods: type) -> dict[str, type]:
    return {method.__name__: method for method in methods}


METHODS: dict[str, dict[str, type]] = {
    "discretisation": _named(*_GREY_LEVELS),
    "curve": _named(IntensityBins, FixedBinNumber, WholeNumbers),
    "resegmentation": _named(IntensityRange, OutlierFence),
    "resampling": _named(
        ResampleTo, Linear, CubicSpline, Nearest, RoundToUnit, CornerAlignedResampling, TruncateToUnit
    ),
    "response": _named(
        *(
            MeanFilter,
            LaplacianOfGaussian,
            LawsKernels,
            EnergyMap,
            Gabor,
            OrthogonalPlanes,
            SeparableWavelet,
            NonseparableWavelet,
        ),
        *(Riesz, Pooled, PlaneRotations, SpaceRotations, Maximum, Average),
        *(Zero, NearestBeyond, Periodic, Mirror, FourierFrequencies, EndpointFrequencies),
    ),
}
"""Step → name → class, those that stand inside another one of the step included."""

NAMED_VALUES: dict[str, dict[str, tuple[float, ...]]] = {"low_pass": WAVELETS}
"""Field → name in the literature → value, for fields whose values nobody writes out."""
