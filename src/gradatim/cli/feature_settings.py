"""From words to an extraction: the names of presets, and settings files in TOML, read strictly."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from gradatim.base.choice import advice, choose
from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.aggregation import DIRECTIONAL
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PRESETS
from gradatim.radiomics.resegment import IntensityRange

T = TypeVar("T")

_FAMILIES = {family.id: family for family in FAMILIES}
_AGGREGATIONS = {aggregation.code: aggregation for aggregation in DIRECTIONAL}
_METHODS = {method.__name__: method for method in (FixedBinSize, FixedBinNumber, NoDiscretisation)}


def chosen_extraction(preset: str, settings: Path | None) -> Extraction:
    """The extraction that the command line asks for.

    Args:
        preset: a preset's name, empty for none.
        settings: a settings file, None for none.

    Raises:
        UsageError: GD-102 for an unknown preset; GD-104 for a preset and settings together; as
            :func:`read_settings`.
    """
    if settings is None:
        return choose(preset or "qsm", PRESETS, what="preset")
    if preset:
        raise UsageError(
            "GD-104",
            given=f"preset {preset} and settings {settings}",
            allowed="one of the two",
            do="write into the settings file what differs, or leave it out",
        )
    return read_settings(settings)


def read_settings(path: Path) -> Extraction:
    """The extraction that a TOML file describes; nothing unknown passes.

    The keys are those of :attr:`gradatim.radiomics.extraction.Extraction.parameters`, as sidecars show them::

        families = ["statistics", "glcm"]     # all if left out
        aggregations = ["IAZD", "ITBB"]       # IBSI codes; IAZD (3D, merged) if left out
        discretisation = { method = "FixedBinSize", width = 0.01, origin = -2.0 }
        resegmentation = { low = -1.0, high = 1.0 }     # none if left out

    Args:
        path: the file.

    Raises:
        InputError: GD-222 if there is no such file.
        UsageError: GD-105 if it is not TOML; GD-102 for an unknown key or name, with the nearest known one;
            GD-106 for a setting that is missing or of the wrong kind; GD-101 for a value out of range.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("GD-105", given=f"{path.name}: {error}", allowed="TOML", do="correct that place") from error
    _refuse_unknown(content, {"families", "aggregations", "discretisation", "resegmentation"}, where=path.name)
    methods: dict[str, Any] = {}
    discretisation = _discretisation(_table(content.get("discretisation"), where="discretisation"))
    resegmentation: tuple[IntensityRange, ...] = ()
    for name, table in (("families", _FAMILIES), ("aggregations", _AGGREGATIONS)):
        if name in content:
            words = _kind(content[name], list, where=name)
            methods[name] = tuple(choose(_kind(word, str, where=name), table, what=name) for word in words)
    if "resegmentation" in content:
        ends = _table(content["resegmentation"], where="resegmentation")
        resegmentation = (_built(IntensityRange, ends, where="resegmentation"),)
    return Extraction(Preparation(discretisation, resegmentation), **methods)


def _discretisation(table: Mapping[str, Any]) -> Any:
    word = _kind(table.get("method"), str, where="discretisation.method")
    method = choose(word, _METHODS, what="discretisation")
    return _built(method, {key: value for key, value in table.items() if key != "method"}, where="discretisation")


def _built(method: type[T], table: Mapping[str, Any], *, where: str) -> T:
    """A method whose fields, all of them numbers, come from a table that has exactly these keys."""
    kinds = {field.name: int if field.type in (int, "int") else float for field in fields(method)}  # type: ignore[arg-type]
    _refuse_unknown(table, kinds, where=where)
    return method(**{name: _kind(table.get(name), kind, where=f"{where}.{name}") for name, kind in kinds.items()})


def _refuse_unknown(table: Mapping[str, Any], known: Any, *, where: str) -> None:
    for key in table:
        if key not in known:
            raise UsageError(
                "GD-102",
                given=f"setting {key!r} in {where}",
                allowed=", ".join(sorted(known)) or "none",
                do=advice(key, known),
            )


def _table(value: Any, *, where: str) -> Mapping[str, Any]:
    return _kind(value, dict, where=where)


def _kind(value: Any, kind: type[T], *, where: str) -> T:
    if kind is float and type(value) is int:
        return float(value)  # type: ignore[return-value]
    if type(value) is not kind:
        words = {float: "a number", int: "a whole number", str: "a text", list: "a list", dict: "a table"}
        given = f"no {where}" if value is None else f"{where} = {value!r}"
        raise UsageError("GD-106", given=given, allowed=words[kind], do=f"correct {where} in the settings file")
    return value
