"""Two settings for features against each other: in words, and on an image step by step."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.comparison.counterparts import Pair
from gradatim.radiomics.comparison.parameters import ParameterDifference, parameter_differences
from gradatim.radiomics.comparison.steps import StepComparison, compare_steps
from gradatim.radiomics.comparison.substitution import Contrast, contrast, said
from gradatim.radiomics.extraction import Extraction


@dataclass(frozen=True, eq=False)
class SettingsDifference:
    """Why two settings give two tables.

    Args:
        parameters: the settings that differ, and what each does.
        steps: regions after each step, up to the first after which they differ; empty without an image.
        features: the numbers that differ, and which setting moved how many; None without an image.
    """

    parameters: tuple[ParameterDifference, ...]
    steps: tuple[StepComparison, ...] = ()
    features: Contrast | None = None

    @classmethod
    def of(cls, first: Extraction, second: Extraction) -> "SettingsDifference":
        """What can be said without an image.

        Args:
            first: one extraction.
            second: the other.
        """
        return cls(parameter_differences(first, second))

    @classmethod
    def on(
        cls, first: Extraction, second: Extraction, image: QuantitativeMap, layers: Sequence[Regions]
    ) -> "SettingsDifference":
        """What an image shows.

        Args:
            first: one extraction.
            second: the other.
            image: the map.
            layers: its regions, on the map's grid; several label images where they overlap.

        Raises:
            UsageError: GD-150 if no feature is measured by both; GD-103 if the grids differ.
        """
        both = first.preparation, second.preparation
        steps = tuple(step for layer in layers for step in compare_steps(*both, image, layer))
        return cls(parameter_differences(first, second), steps, contrast(first, second, image, layers))

    def record(self) -> dict[str, Any]:
        """All of it as plain data; a number that does not exist is None."""
        found: dict[str, Any] = {"parameters": [asdict(difference) for difference in self.parameters]}
        if self.features is None:
            return found
        found["steps"] = [
            {"region": step.region, "stage": step.stage, "same": step.same}
            | {name: _numbers(asdict(side)) for name, side in (("first", step.first), ("second", step.second))}
            for step in self.steps
        ]
        found["compared"] = self.features.compared
        found["substitutions"] = [
            {"setting": step.setting, "compared": step.compared, "changed": [_pair(pair) for pair in step.changed]}
            for step in self.features.substitutions
        ]
        found["features"] = [_pair(pair) for pair in self.features.changed]
        return found


def _numbers(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in values.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "region": pair.first.region,
        "meaning": pair.meaning,
        "first": _side(pair.first),
        "second": _side(pair.second),
        "difference": _finite(pair.difference),
    }


def _side(feature: Feature) -> dict[str, Any]:
    return {"feature": said(feature), "value": _finite(feature.value), "reason": feature.reason}
