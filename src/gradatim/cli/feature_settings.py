"""From words to an extraction: the names of presets, and settings files in TOML, read strictly."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gradatim.base.choice import choose
from gradatim.base.errors import InputError, UsageError
from gradatim.cli.feature_methods import METHODS, NAMED_VALUES
from gradatim.cli.methods_from_tables import method, of_kind, refuse_unknown
from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PRESETS
from gradatim.radiomics.pyradiomics.families import PYRADIOMICS
from gradatim.radiomics.pyradiomics.shape2d import PyradiomicsShape2D

_FAMILIES = {family.id: family for family in (*FAMILIES, *PYRADIOMICS, PyradiomicsShape2D())}
_AGGREGATIONS = {aggregation.code: aggregation for aggregation in EVERY_AGGREGATION}
_STEPS = tuple(field.name for field in fields(Preparation))


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
            do='name the preset inside the settings file, preset = "...", and add what differs',
        )
    return read_settings(settings)


def named_extraction(word: str) -> Extraction:
    """The extraction that one word stands for: a preset, or a settings file.

    Args:
        word: a preset's name, or a path that ends in ``.toml``.

    Raises:
        UsageError: GD-102 for an unknown preset; as :func:`read_settings`.
        InputError: GD-222 if there is no such file.
    """
    return read_settings(Path(word)) if word.endswith(".toml") else choose(word, PRESETS, what="preset")


def read_settings(path: Path) -> Extraction:
    """The extraction that a TOML file describes; nothing unknown passes.

    The keys are those of :attr:`gradatim.radiomics.extraction.Extraction.parameters`, as sidecars show them; what is
    left out is as in the preset, if one is named::

        preset = "ibsi-c"                     # none if left out: then discretisation must be given
        families = ["statistics", "glcm"]     # all if left out
        aggregations = ["IAZD", "KOBO"]       # IBSI codes; 3D merged if left out
        leave_out = ["morphology.moran_i"]    # none if left out
        discretisation = { method = "FixedBinSize", width = 25, origin = -1000 }
        resegmentation = [{ method = "IntensityRange", low = -1000, high = 400 }]

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
    return extraction_from(content, where=path.name)


def extraction_from(content: Mapping[str, Any], *, where: str) -> Extraction:
    """The extraction that plain data describes, as :func:`read_settings` reads it from a file.

    Args:
        content: the keys and their values.
        where: what the whole is called in errors.
    """
    refuse_unknown(content, {"preset", "families", "aggregations", "leave_out", *_STEPS}, where=where)
    known: dict[str, Any] = {}
    if "preset" in content:
        base = choose(of_kind(content["preset"], str, where="preset"), PRESETS, what="preset")
        known = {name: getattr(base, name) for name in ("families", "aggregations", "leave_out")}
        known |= {name: getattr(base.preparation, name) for name in _STEPS}
    for name, table in (("families", _FAMILIES), ("aggregations", _AGGREGATIONS)):
        if name in content:
            words = of_kind(content[name], list, where=name)
            known[name] = tuple(choose(of_kind(word, str, where=name), table, what=name) for word in words)
    if "leave_out" in content:
        words = of_kind(content["leave_out"], list, where="leave_out")
        known["leave_out"] = tuple(of_kind(word, str, where="leave_out") for word in words)
    known |= {name: _step(name, content[name]) for name in _STEPS if name in content}
    if "discretisation" not in known:
        raise UsageError(
            "GD-106",
            given=f"no discretisation in {where}",
            allowed=f"a table with one of the methods {', '.join(sorted(METHODS['discretisation']))}",
            do='add, e.g., discretisation = { method = "FixedBinSize", width = 25, origin = -1000 }, or a preset',
        )
    steps = {name: known.pop(name) for name in _STEPS if name in known}
    return Extraction(Preparation(**steps), **known)


def _step(name: str, data: Any) -> Any:
    if name != "resegmentation":
        return method(data, METHODS[name], where=name, values=NAMED_VALUES)
    items = of_kind(data, list, where=name)
    return tuple(method(item, METHODS[name], where=f"{name}[{i}]") for i, item in enumerate(items))
