"""Methods as plain data, by which settings are written down, hashed and read again."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from gradatim.base.errors import UsageError


def described(method: Any) -> Any:
    """A method, with the methods inside it, as data that TOML and JSON can hold.

    A frozen dataclass becomes ``{"method": its class, field: value, …}``, fields that are None left out; an enum
    becomes its name and a tuple a list. ``gradatim features --settings`` reads the same back.

    Args:
        method: a frozen dataclass of numbers, words, tuples, enums and frozen dataclasses; or such a value.

    Raises:
        UsageError: GD-106 for anything else, whose state would be lost.

    Example:
        >>> from gradatim.radiomics.discretise import FixedBinSize
        >>> described(FixedBinSize(width=25.0, origin=-1000.0))
        {'method': 'FixedBinSize', 'width': 25.0, 'origin': -1000.0}
    """
    if is_dataclass(method) and not isinstance(method, type):
        values = ((field.name, getattr(method, field.name)) for field in fields(method))
        return {"method": type(method).__name__} | {n: described(v) for n, v in values if v is not None}
    if isinstance(method, Enum):
        return method.name
    if method is None or isinstance(method, str | bool | int | float):
        return method
    if isinstance(method, tuple | list):
        return [described(item) for item in method]
    raise UsageError(
        "GD-106",
        given=f"{type(method).__name__} as a setting",
        allowed="numbers, words, tuples, enums and frozen dataclasses",
        do="make it a frozen dataclass, so that its parameters can be written down",
    )
