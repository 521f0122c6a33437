"""What the commands of limits print and draw."""

import json as jsonlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.scanner.limits.limit import Design, Limit
    from gradatim.scanner.system import System

SUFFIXES = {"s": "_s", "m": "_m", "T/m": "_t_per_m", "Hz": "_hz", "1/m": "_per_m", "1/Hz": "", "": ""}
"""Unit → ending of its key in JSON; a name that says its unit has none."""

SHOWN = {"s": ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")), "m": ((float("inf"), 1e3, "mm"),), "T/m": ((9.0, 1e3, "mT/m"),)}
"""Unit → below which value it is shown with which factor as what."""

STEPS = 161
"""Points of a picture along each axis."""


def show(
    design: "Design",
    hardware: SystemChoice,
    *,
    json: bool,
    picture: Path | None,
    note: "Callable[[System], str] | None" = None,
) -> int:
    """Solve a design on the chosen system, print the answer and draw its trade-off.

    Args:
        design: what is asked.
        hardware: the options of the system.
        json: one object instead of sentences.
        picture: SVG to draw, or None.
        note: a sentence to add about the system.

    Raises:
        UsageError: what the design and the system refuse; GD-107 for a picture in the place of the system's file.
    """
    from gradatim.cli.feature_outputs import require_outputs

    require_outputs([picture], inputs=(hardware.system_file,))
    system, origin = hardware.chosen()
    limit = design(system)
    notes = () if note is None else (note(system),)
    if picture is not None:
        draw(design, limit, system, picture)
    if json:
        print(jsonlib.dumps(record(limit, system, origin, notes), indent=2, ensure_ascii=False))
        return 0
    played = "" if limit.rastered is None else f"; {shown(limit.rastered, limit.unit)} on the scanner's clock"
    print(f"{_words(limit.name)}: {shown(limit.value.item(), limit.unit)}{played}")
    for sentence in (limit.reason, *notes):
        print(sentence)
    for name, quantity in limit.details.items():
        print(f"  {_words(name):<24}{shown(quantity.value.item(), quantity.unit)}")
    moves = ", ".join(f"{_words(name)} {round(percent, 2) + 0.0:+.2f} %" for name, percent in limit.elasticity.items())
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


def shown(value: float, unit: str) -> str:
    """A number with the unit that people use.

    Example:
        >>> shown(608.3e-6, "s"), shown(0.04, "T/m"), shown(64.0, "")
        ('608.3 µs', '40 mT/m', '64')
    """
    for below, factor, name in SHOWN.get(unit, ()):
        if abs(value) < below:
            return f"{value * factor:.4g} {name}"
    return f"{value:.4g} {unit}".rstrip()


def draw(design: "Design", limit: "Limit", system: "System", picture: Path) -> None:
    """Draw the answer over gradient and slew rate, with the region where more gradient gives nothing.

    Args:
        design: what is asked.
        limit: the answer on the system.
        system: where it is marked.
        picture: the SVG file.
    """
    import torch

    from gradatim.io.atomic import atomic_file
    from gradatim.report.limit_plot import LimitPlot

    factor, unit = next(
        ((factor, name) for below, factor, name in SHOWN.get(limit.unit, ()) if limit.value.item() < below),
        (1.0, limit.unit),
    )
    around = torch.linspace(0.25, 2.5, STEPS, dtype=torch.float64)
    gradients, slews = around * system.max_gradient, around * system.max_slew
    grid = (gradients.expand(STEPS, STEPS), slews[:, None].expand(STEPS, STEPS))
    with torch.no_grad():
        values = design.continuous(*grid).expand(STEPS, STEPS) * factor
        bound = design.slew_bound(*grid).expand(STEPS, STEPS)
    drawn = LimitPlot(f"{_words(limit.name)}, {unit}")(
        (1e3 * gradients).tolist(),
        slews.tolist(),
        values=values.tolist(),
        slew_bound=bound.tolist(),
        at=(1e3 * system.max_gradient, system.max_slew),
    )
    with atomic_file(picture) as file:
        file.write(drawn.data)


def _words(name: str) -> str:
    return {"fov": "field of view", "max_slew": "slew rate", "max_gradient": "gradient"}.get(
        name, name.replace("_", " ")
    )
