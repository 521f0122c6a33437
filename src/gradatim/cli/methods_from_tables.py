"""Methods read from tables of a settings file: ``{ method = "FixedBinSize", width = 25, origin = -1000 }``."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from gradatim.base.choice import advice, choose
from gradatim.base.errors import UsageError

_WORDS = {
    float: "a number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


Values = Mapping[str, Mapping[str, Any]]
"""Field → name → value: fields whose values may be named."""


def method(data: Any, methods: Mapping[str, type], *, where: str, values: Values | None = None) -> Any:
    """A frozen dataclass from a table that names it and gives its fields; nothing unknown or mistyped passes.

    Args:
        data: ``{"method": a name, field: value, …}``; a method without fields may be its name alone.
        methods: name → class, for this place and those inside it.
        where: what the place is called in errors.
        values: fields whose values may be named.

    Raises:
        UsageError: GD-102 for an unknown name, with the nearest known one; GD-106 for a field that is missing or of the
            wrong kind; GD-101 and others as the class itself raises.
    """
    table = {"method": data} if isinstance(data, str) else of_kind(data, dict, where=where)
    chosen = choose(of_kind(table.get("method"), str, where=f"{where}.method"), methods, what=where)
    hints, given = get_type_hints(chosen), {name: value for name, value in table.items() if name != "method"}
    known = {field.name: field for field in fields(chosen)}
    refuse_unknown(given, known, where=where)
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            of_kind(None, _plain(hints[name]), where=f"{where}.{name}")
    for name, value in given.items():
        if values and name in values and isinstance(value, str):
            given[name] = list(choose(value, values[name], what=f"{where}.{name}"))
    inside = {name: _value(value, hints[name], (methods, values), f"{where}.{name}") for name, value in given.items()}
    return chosen(**inside)


def refuse_unknown(table: Mapping[str, Any], known: Any, *, where: str) -> None:
    """Refuse a key that nothing reads.

    Raises:
        UsageError: GD-102, with the nearest known key.
    """
    for key in table:
        if key not in known:
            raise UsageError(
                "GD-102",
                given=f"setting {key!r} in {where}",
                allowed=", ".join(sorted(known)) or "none",
                do=advice(key, known),
            )


def of_kind(value: Any, kind: type, *, where: str) -> Any:
    """A value of a kind; a whole number passes where a number is asked for.

    Raises:
        UsageError: GD-106 if it is missing or of another kind.
    """
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        given, do = (f"no {where}", "add") if value is None else (f"{where} = {value!r}", "correct")
        raise UsageError("GD-106", given=given, allowed=_WORDS[kind], do=f"{do} {where} in the settings file")
    return value


def _value(value: Any, hint: Any, known: tuple[Mapping[str, type], Values | None], where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        # None is a field left out; of several kinds the table or the value itself tells which.
        return _value(value, next(kind for kind in get_args(hint) if kind is not type(None)), known, where)
    if origin is tuple:
        return _items(value, get_args(hint), known, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return choose(of_kind(value, str, where=where), dict(hint.__members__), what=where)
    if hint in (int, float, str, bool):
        return of_kind(value, hint, where=where)
    methods, values = known
    return method(value, methods, where=where, values=values)


def _items(
    value: Any, kinds: tuple[Any, ...], known: tuple[Mapping[str, type], Values | None], where: str
) -> tuple[Any, ...]:
    items = of_kind(value, list, where=where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(items) != len(kinds):
        raise UsageError(
            "GD-106",
            given=f"{where} with {len(items)} values",
            allowed=f"{len(kinds)} values",
            do=f"correct {where} in the settings file",
        )
    return tuple(
        _value(item, kind, known, f"{where}[{i}]") for i, (item, kind) in enumerate(zip(items, kinds, strict=True))
    )


def _plain(hint: Any) -> type:
    return list if get_origin(hint) is tuple else hint if hint in _WORDS else dict
