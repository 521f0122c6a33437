"""The methods that a settings file may name, for each step between an image and its features."""

from gradatim.radiomics.bins_from_minimum import FixedBinSizeFromMinimum
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins, NoDiscretisation, WholeNumbers
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
    "response": _named(),
}
"""Step → name → class, those that stand inside another one of the step included."""
