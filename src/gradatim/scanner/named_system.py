"""A clinical scanner's gradient system by its name, from the vendors' published limits."""

import importlib.resources
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradatim.base.choice import advice
from gradatim.base.errors import UsageError
from gradatim.base.optional import pulseq_systems
from gradatim.scanner.system import System


@dataclass(frozen=True)
class NamedSystem:
    """A gradient system with what its vendor says of it.

    Args:
        name: model, and configuration where a model has several.
        manufacturer: who makes it.
        system: the limits on each single axis; rasters and dead times are the house's defaults, no vendor's.
        stated: what the vendor states, and whether it holds for each axis or for all combined.
        sources: addresses of the vendor's pages.

    Example:
        >>> named_system("MAGNETOM Cima X").system.max_gradient
        0.2
    """

    name: str
    manufacturer: str
    system: System
    stated: str
    sources: tuple[str, ...]


def named_system(name: str) -> NamedSystem:
    """The gradient system of a scanner, by its model's name, in capitals or not.

    Limits that hold for the three axes combined are divided by √3, so that all axes may play them at once. Where a
    model has several configurations the name goes on with one of them, e.g. ``"MAGNETOM Vida (XT Gradients)"``.

    Args:
        name: as ``pulseq_systems`` has it.

    Raises:
        UsageError: GD-102 for an unknown name, with the nearest ones.
        ResourceError: GD-501 if the part ``sequence`` is not installed.

    Source:
        The table of the package pulseq-systems, compiled from vendors' pages.

    Example:
        >>> named_system("signa premier").stated
        '80 mT/m on each axis, 200 T/(m·s) on each axis'
    """
    table = {_plain(known.name): known for known in named_systems()}
    if _plain(name) in table:
        return table[_plain(name)]
    names = [known.name for known in table.values()]
    near = [known for known in names if _plain(name) and _plain(name) in _plain(known)]
    raise UsageError(
        "GD-102",
        given=f"gradient system {name!r}",
        allowed=", ".join(near or names),
        do=f"did you mean {near[0]!r}?" if near else advice(name, names),
    )


def named_systems() -> Iterator[NamedSystem]:
    """Every gradient system of the table.

    Raises:
        ResourceError: GD-501 if the part ``sequence`` is not installed.

    Example:
        >>> len({known.manufacturer for known in named_systems()}) >= 4
        True
    """
    text = (importlib.resources.files(pulseq_systems()) / "json" / "MRSystems.json").read_text(encoding="utf-8")
    for manufacturer, models in json.loads(text).items():
        if manufacturer.startswith("_"):
            continue
        for model, about in models.items():
            several = len(about["gradient_configurations"]) > 1
            for configuration, limits in about["gradient_configurations"].items():
                yield _system(f"{model} ({configuration})" if several else model, manufacturer, about, limits)


def _system(name: str, manufacturer: str, about: Mapping[str, Any], limits: Mapping[str, Any]) -> NamedSystem:
    strength, slew = limits["max_gradient_strength_mT_per_m"], limits["max_slew_rate_T_per_m_per_s"]
    strength_axes, slew_axes = limits["is_gradient_strength_per_axis"], limits["is_slew_rate_per_axis"]
    system = System(
        strength / 1e3 * _share(per_axis=strength_axes),
        slew * _share(per_axis=slew_axes),
        field_strength=float(about["B0_field_strength_T"]),
    )
    stated = f"{strength:g} mT/m {_axes(per_axis=strength_axes)}, {slew:g} T/(m·s) {_axes(per_axis=slew_axes)}"
    return NamedSystem(name, manufacturer, system, stated, tuple(about.get("source_urls", ())))


def _share(*, per_axis: bool | None) -> float:
    return 1 / math.sqrt(3) if per_axis is False else 1.0


def _axes(*, per_axis: bool | None) -> str:
    return {True: "on each axis", False: "on all axes combined", None: "(axes not stated)"}[per_axis]


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s,()_]+", name)).strip().casefold()
