"""One setting after the other changed from the first settings to the second, and how many features each moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.comparison.counterparts import Pair, pairs, shared_part
from gradatim.radiomics.comparison.parameters import changed_settings
from gradatim.radiomics.extraction import Extraction

NOTICEABLE = 1e-3
"""Relative difference from which a feature counts as changed: 0.1 %."""


@dataclass(frozen=True)
class Substitution:
    """What one setting does, when those before it have been changed already.

    Args:
        setting: which one was changed.
        compared: how many features were compared with those before the change.
        changed: those that moved by more than :data:`NOTICEABLE`, the largest difference first.
    """

    setting: str
    compared: int
    changed: tuple[Pair, ...]


@dataclass(frozen=True)
class Contrast:
    """Two settings on one image.

    Args:
        compared: how many features both measure.
        changed: those that differ by more than :data:`NOTICEABLE`, the largest difference first.
        substitutions: the way from one to the other.
    """

    compared: int
    changed: tuple[Pair, ...]
    substitutions: tuple[Substitution, ...]


def contrast(first: Extraction, second: Extraction, image: QuantitativeMap, layers: Sequence[Regions]) -> Contrast:
    """Measure an image with two settings, and with each mixture on the way from one to the other.

    The settings are changed in the order in which they act; families last, which is where definitions differ. What
    a setting does depends on those changed before it: the counts need not add up to the whole, since a feature may
    move twice, or back. Only features that both measure take part.

    Args:
        first: where the way begins.
        second: where it ends.
        image: the map.
        layers: its regions, on the map's grid; several label images where they overlap.

    Raises:
        UsageError: GD-150 if no feature is measured by both; GD-103 if the grids of map and regions differ.
    """
    now, end = shared_part(first, second), shared_part(second, first)
    if now is None or end is None:
        raise UsageError(
            "GD-150",
            given=f"{', '.join(f.id for f in first.families)} and {', '.join(f.id for f in second.families)}",
            allowed="families that measure at least one feature in common",
            do="compare settings of the same families",
        )
    begun = measured = _measured(now, image, layers)
    steps: list[Substitution] = []
    for name in (name for name in changed_settings(now, end) if name != "leave_out"):
        now = _changed(now, end, name)
        before, measured = measured, _measured(now, image, layers)
        both = pairs(before, measured)
        steps.append(Substitution(name, len(both), noticed(both)))
    both = pairs(begun, measured)
    return Contrast(len(both), noticed(both), tuple(steps))


def _measured(extraction: Extraction, image: QuantitativeMap, layers: Sequence[Regions]) -> tuple[Feature, ...]:
    return tuple(row for layer in layers for row in extraction(image, layer))


def _changed(now: Extraction, end: Extraction, name: str) -> Extraction:
    if name == "families":
        return replace(now, families=end.families, leave_out=end.leave_out)
    if name == "aggregations":
        return replace(now, aggregations=end.aggregations)
    return replace(now, preparation=replace(now.preparation, **{name: getattr(end.preparation, name)}))


def noticed(both: Sequence[Pair]) -> tuple[Pair, ...]:
    """The pairs that differ by more than :data:`NOTICEABLE`, the largest difference first."""
    moved = [pair for pair in both if pair.difference > NOTICEABLE]
    return tuple(sorted(moved, key=lambda pair: -pair.difference))


def said(feature: Feature) -> str:
    """A feature's name as its table has it: family, name and aggregation."""
    return ".".join(part for part in (feature.family, feature.feature, feature.aggregation) if part)
