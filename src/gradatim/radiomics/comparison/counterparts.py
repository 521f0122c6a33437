"""Which feature of one table is which of another, whatever it is called: by its IBSI meaning."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gradatim.base.nouns import Feature
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.pyradiomics.families import DEVIATING
from gradatim.radiomics.record import FeatureRecord

_CODES = [record.code for record in CATALOGUE.values()]
_BY_CODE = {record.code: name for name, record in CATALOGUE.items() if _CODES.count(record.code) == 1}


@dataclass(frozen=True)
class Pair:
    """One feature of one region, measured twice.

    Args:
        meaning: ``family.feature`` of IBSI's feature that both are.
        first: the row of the first table.
        second: the row of the second.
    """

    meaning: str
    first: Feature
    second: Feature

    @property
    def difference(self) -> float:
        """|a − b| / max(|a|, |b|): 0 for equal, at most 2; infinite where only one is defined."""
        a, b = self.first.value, self.second.value
        if math.isnan(a) or math.isnan(b):
            return math.inf
        return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


def meaning(family: str, feature: str, code: str) -> str:
    """``family.feature`` of the IBSI feature that a feature is; its own where it is none.

    Args:
        family: the row's family.
        feature: the row's feature.
        code: its IBSI code, empty where it has none.

    Example:
        >>> meaning("pyradiomics_glcm", "Idm", "WF0Z")
        'glcm.inverse_difference_moment'
        >>> meaning("pyradiomics_firstorder", "Kurtosis", "")
        'statistics.excess_kurtosis'
    """
    own = f"{family}.{feature}"
    return own if own in CATALOGUE else _BY_CODE.get(code or DEVIATING.get(own, ""), own)


def definitions(extraction: Extraction) -> dict[str, FeatureRecord]:
    """The records that an extraction measures, by their meaning."""
    return {
        meaning(family.id, record.id, record.code): record
        for family in extraction.families
        for record in family.features
        if f"{family.id}.{record.id}" not in extraction.leave_out
    }


def shared_part(extraction: Extraction, other: Extraction) -> Extraction | None:
    """An extraction of those features only that another one measures too; None if there is none.

    Args:
        extraction: what is cut down.
        other: what it is cut down to.
    """
    known = definitions(other).keys() & definitions(extraction).keys()
    names = {
        family: [r.id for r in family.features if meaning(family.id, r.id, r.code) not in known]
        for family in extraction.families
    }
    kept = tuple(family for family, missing in names.items() if len(missing) < len(family.features))
    if not kept:
        return None
    left_out = tuple(f"{family.id}.{name}" for family in kept for name in names[family])
    return replace(extraction, families=kept, leave_out=left_out)


def pairs(first: Sequence[Feature], second: Sequence[Feature]) -> tuple[Pair, ...]:
    """The features of two tables that are the same one of the same region, in the order of the first.

    Rows of one aggregation belong together. Where two tables share no aggregation of a feature and each has only one
    of it, these are the pair, since the aggregation is then one of the things that differ. Rows without a value on
    either side are left out.

    Args:
        first: rows of one table.
        second: rows of the other.
    """
    mine, theirs = _grouped(first), _grouped(second)
    found = []
    for key, one in mine.items():
        other = theirs.get(key, {})
        shared = [(one[code], other[code]) for code in one if code in other]
        if not shared and len(one) == len(other) == 1:
            shared = [(next(iter(one.values())), next(iter(other.values())))]
        found += [Pair(key[1], a, b) for a, b in shared if not (math.isnan(a.value) and math.isnan(b.value))]
    return tuple(found)


def _grouped(features: Iterable[Feature]) -> dict[tuple[str, str], dict[str, Feature]]:
    groups: defaultdict[tuple[str, str], dict[str, Feature]] = defaultdict(dict)
    for row in features:
        groups[row.region, meaning(row.family, row.feature, row.ibsi_code)][row.aggregation] = row
    return dict(groups)
