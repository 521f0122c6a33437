"""A method's parameters as plain data: for the provenance, for the cache, for a reader."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.io.digest import values_sha256


def parameters(method: Any) -> Any:
    """A method, with the methods inside it, as data that JSON can hold.

    A frozen dataclass becomes ``{"method": its class, field: value, …}``, in the order of its fields, or what its own
    property ``parameters`` says; an object without state becomes ``{"method": its class}``. An enum becomes its name,
    a tensor its shape and SHA-256, a number that JSON cannot write its name (``"inf"``).

    Args:
        method: the method.

    Raises:
        UsageError: GD-106 if something in it is neither a method nor plain data, so that its state would be lost.

    Example:
        >>> from gradatim.qsm.unwrap import Romeo
        >>> parameters(Romeo(first_echo=None))
        {'method': 'Romeo', 'first_echo': None}
    """
    own = getattr(type(method), "parameters", None)
    if isinstance(own, property):
        return {"method": type(method).__name__, **method.parameters}
    if is_dataclass(method) and not isinstance(method, type):
        return {
            "method": type(method).__name__,
            **{field.name: parameters(getattr(method, field.name)) for field in fields(method)},
        }
    if isinstance(method, Enum):
        return method.name
    if isinstance(method, float):
        return method if math.isfinite(method) else str(method)
    if method is None or isinstance(method, str | int):
        return method
    if isinstance(method, Path):
        return str(method)
    if isinstance(method, tuple | list):
        return [parameters(item) for item in method]
    if isinstance(method, Mapping):
        return {str(key): parameters(value) for key, value in method.items()}
    if isinstance(method, Tensor):
        return {"shape": list(method.shape), "sha256": values_sha256(method.detach().cpu())}
    if not getattr(method, "__dict__", None) and not isinstance(method, type) and not callable(method):
        return {"method": type(method).__name__}
    raise UsageError(
        "GD-106",
        given=f"{type(method).__name__} as a parameter",
        allowed="numbers, words, tuples, enums and frozen dataclasses",
        do="make it a frozen dataclass, so that its parameters can be written down",
    )


def parameters_sha256(data: Any) -> str:
    """SHA-256, hexadecimal, of plain data: of its JSON with sorted names and without spaces.

    Example:
        >>> parameters_sha256({"a": 1, "b": 2}) == parameters_sha256({"b": 2, "a": 1})
        True
    """
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
