"""What differs between two settings, with a sentence on what each difference does to which features."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradatim.radiomics.comparison.counterparts import definitions
from gradatim.radiomics.extraction import Extraction

STEPS = ("resampling", "resegmentation", "response", "discretisation", "curve", "aggregations", "families", "leave_out")
"""The settings, in the order in which they act."""

_METHODS = {
    "ResampleTo": "the centres of both grids coincide and masks are interpolated, then cut at a threshold",
    "CornerAlignedResampling": "the first voxel's corner stays and a mask takes its nearest voxel",
    "IntensityRange": "intensities outside the range do not count",
    "OutlierFence": "intensities far from the region's mean do not count",
    "FixedBinSize": "level 1 begins at a fixed intensity",
    "FixedBinSizeFromMinimum": "level 1 begins at the region's lowest intensity",
    "ZeroAlignedBins": "bins have an edge at zero and level 1 is the region's lowest occupied bin",
    "FixedBinNumber": "bins divide each region's own range",
    "NoDiscretisation": "the intensities are the levels",
    "WholeNumbers": "each whole number is a bin",
    "IntensityBins": "bins of one width over a range",
}
"""What a method does, in half a sentence."""

_NONE = {
    "resampling": "the image keeps its own voxels",
    "resegmentation": "every intensity counts",
    "response": "the image is not filtered",
    "curve": "each whole number is a bin",
}
"""What it means that a step is left out."""

_EFFECTS = {
    "resampling": "everything changes, shape too: volumes, voxel counts, intensities, neighbours",
    "resegmentation": "all features of intensity and texture change where voxels fall out; shape does not",
    "response": "all features of intensity and texture are those of another image",
    "discretisation": "all features of texture and histogram may change; those of the level itself, such as joint "
    "average, autocorrelation and every low or high grey level emphasis, shift with the origin of the bins",
    "curve": "only features of the intensity-volume histogram change",
    "aggregations": "features of co-occurrence, runs, zones and neighbourhoods are read under other aggregations",
    "leave_out": "other features are left out",
    "families": "other features are measured, or the same by other definitions",
}
"""What a difference does, to which features."""


@dataclass(frozen=True)
class ParameterDifference:
    """One setting in which two extractions differ.

    Args:
        setting: its name, as in a settings file; ``definition of …`` where the features' formulas differ.
        first: what the first has.
        second: what the second has.
        effect: what that does to which features.
    """

    setting: str
    first: str
    second: str
    effect: str


def parameter_differences(first: Extraction, second: Extraction) -> tuple[ParameterDifference, ...]:
    """Every setting that differs, in the order in which the steps act; then definitions of the same feature.

    Args:
        first: one extraction.
        second: the other.

    Example:
        >>> from gradatim.radiomics.presets import IBSI_C, IBSI_D
        >>> [difference.setting for difference in parameter_differences(IBSI_C, IBSI_D)]
        ['resegmentation', 'discretisation', 'curve']
    """
    return (*_settings(first, second), *_definitions(first, second))


def changed_settings(first: Extraction, second: Extraction) -> tuple[str, ...]:
    """The names of the settings that differ, in the order in which they act."""
    one, other = first.parameters, second.parameters
    return tuple(name for name in STEPS if one.get(name) != other.get(name))


def _settings(first: Extraction, second: Extraction) -> Iterator[ParameterDifference]:
    one, other = first.parameters, second.parameters
    for name in changed_settings(first, second):
        ways = [_does(name, side.get(name)) for side in (one, other)]
        contrast = f"the first: {ways[0]}; the second: {ways[1]}; " if all(ways) and ways[0] != ways[1] else ""
        effect = contrast + _EFFECTS[name]
        yield ParameterDifference(name, _text(one.get(name)), _text(other.get(name)), effect)


def _definitions(first: Extraction, second: Extraction) -> Iterator[ParameterDifference]:
    mine, theirs = definitions(first), definitions(second)
    for meaning in mine:
        if meaning in theirs and mine[meaning].formula != theirs[meaning].formula:
            one, other = mine[meaning], theirs[meaning]
            effect = f"{other.name} is another number than {one.name} on the same voxels"
            if one.name == other.name:
                effect = f"{one.name} is another number where the formulas differ"
            yield ParameterDifference(f"definition of {meaning}", one.formula, other.formula, effect)


def _does(name: str, value: Any) -> str:
    if value is None:
        return _NONE.get(name, "")
    items = value if isinstance(value, list) else [value]
    return ", and ".join(_METHODS.get(item["method"], "") for item in items if isinstance(item, Mapping))


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        fields = ", ".join(f"{name} {_text(field)}" for name, field in value.items() if name != "method")
        return f"{value['method']}({fields})" if fields else str(value["method"])
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
