"""What the commands of limits print and draw."""

import json as jsonlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.cli.limit_pictures import over_hardware, shown, words
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.cli.limit_pictures import Draw
    from gradatim.scanner.limits.limit import Design, Limit
    from gradatim.scanner.system import System

SUFFIXES = {
    "s": "_s",
    "m": "_m",
    "T/m": "_t_per_m",
    "T/(m·s)": "_t_per_m_s",
    "Hz": "_hz",
    "1/m": "_per_m",
    "1/Hz": "",
    "": "",
}
"""Unit → ending of its key in JSON; a name that says its unit has none."""


def show(
    design: "Design",
    hardware: SystemChoice,
    *,
    json: bool,
    picture: Path | None,
    note: "Callable[[System], str] | None" = None,
    draw: "Draw" = over_hardware,
) -> int:
    """Solve a design on the chosen system, print the answer and draw its trade-off.

    Args:
        design: what is asked.
        hardware: the options of the system.
        json: one object instead of sentences.
        picture: SVG to draw, or None.
        note: a sentence to add about the system.
        draw: what is drawn.

    Raises:
        UsageError: what the design and the system refuse; GD-107 for a picture in the place of the system's file.
    """
    from gradatim.cli.feature_outputs import require_outputs, require_svg

    require_outputs([picture], inputs=(hardware.system_file,))
    require_svg(picture)
    system, origin = hardware.chosen()
    limit = design(system)
    notes = () if note is None else (note(system),)
    if picture is not None:
        draw(design, limit, system, picture)
    if json:
        print(jsonlib.dumps(record(limit, system, origin, notes), indent=2, ensure_ascii=False))
        return 0
    played = "" if limit.rastered is None else f"; {shown(limit.rastered, limit.unit)} on the scanner's clock"
    print(f"{words(limit.name)}: {shown(limit.value.item(), limit.unit)}{played}")
    for sentence in (limit.reason, *notes):
        print(sentence)
    for name, quantity in limit.details.items():
        print(f"  {words(name):<24}{shown(quantity.value.item(), quantity.unit)}")
    moves = ", ".join(f"{words(name)} {round(percent, 2) + 0.0:+.2f} %" for name, percent in limit.elasticity.items())
    print(f"one per cent more of each gives: {moves}")
    limits = f"{1e3 * system.max_gradient:.4g} mT/m and {system.max_slew:.4g} T/(m·s) on one axis"
    print(f"system: {limits}{f' ({origin})' if origin else ''}")
    return 0


def record(limit: "Limit", system: "System", origin: str, notes: Sequence[str]) -> dict[str, Any]:
    """A limit as plain data, every number in SI.

    Args:
        limit: the answer.
        system: the hardware.
        origin: where it comes from.
        notes: further sentences.
    """
    suffix = SUFFIXES[limit.unit]
    return {
        f"{limit.name}{suffix}": limit.value.item(),
        **({} if limit.rastered is None else {f"{limit.name}_rastered{suffix}": limit.rastered}),
        "binding": limit.binding.value,
        "reason": limit.reason,
        **({"notes": list(notes)} if notes else {}),
        "sensitivity": dict(limit.sensitivity),
        "elasticity": dict(limit.elasticity),
        **{f"{name}{SUFFIXES[each.unit]}": each.value.item() for name, each in limit.details.items()},
        "system": {
            "max_gradient_t_per_m": system.max_gradient,
            "max_slew_t_per_m_s": system.max_slew,
            "raster_s": system.rasters.gradient / 1e9,
            **({"origin": origin} if origin else {}),
        },
    }
