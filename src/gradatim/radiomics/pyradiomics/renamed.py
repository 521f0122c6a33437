"""IBSI's records under PyRadiomics' names, where the two define the same number."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from gradatim.radiomics.record import Family, FeatureRecord


def renamed(
    family: type[Family], names: Mapping[str, str], *, part: Callable[[Any], Any] | None = None
) -> tuple[FeatureRecord, ...]:
    """A family's records with other ids: same code, formula and function.

    Args:
        family: whose features these are.
        names: the new id → the IBSI code.
        part: from what is measured here to what that family's functions take; None if they are the same.

    Raises:
        KeyError: if the family has no feature of that code.

    Example:
        >>> from gradatim.radiomics.ngtdm import Ngtdm
        >>> record, = renamed(Ngtdm, {"Complexity": "HDEZ"})
        >>> record.id, record.name, record.code
        ('Complexity', 'Complexity', 'HDEZ')
    """
    known = {record.code: record for record in family.features}
    taken = [replace(known[code], id=name) for name, code in names.items()]
    if part is None:
        return tuple(taken)
    return tuple(replace(record, compute=partial(_of_part, part, record.compute)) for record in taken)


def _of_part(part: Callable[[Any], Any], compute: Callable[[Any], Tensor], measured: Any) -> Tensor:
    return compute(part(measured))


def in_order(*records: FeatureRecord) -> tuple[FeatureRecord, ...]:
    """Records by their ids, the order in which PyRadiomics writes them."""
    return tuple(sorted(records, key=lambda record: record.id))
