"""The methods that a settings file may name, for each step between an image and its features."""

from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins, NoDiscretisation, WholeNumbers
from gradatim.radiomics.resegment import IntensityRange

_GREY_LEVELS: tuple[type, ...] = (FixedBinSize, FixedBinNumber, NoDiscretisation)


def _named(*methods: type) -> dict[str, type]:
    return {method.__name__: method for method in methods}


METHODS: dict[str, dict[str, type]] = {
    "discretisation": _named(*_GREY_LEVELS),
    "curve": _named(IntensityBins, FixedBinNumber, WholeNumbers),
    "resegmentation": _named(IntensityRange),
    "resampling": _named(),
    "response": _named(),
}
"""Step → name → class, those that stand inside another one of the step included."""
