"""Pictures of limits: over gradient and slew rate, or over the matrix size."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradatim.scanner.limits.limit import Design, Limit
    from gradatim.scanner.system import System

    Draw = Callable[[Design, Limit, System, Path], None]

SHOWN = {"s": ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")), "m": ((float("inf"), 1e3, "mm"),), "T/m": ((9.0, 1e3, "mT/m"),)}
"""Unit → below which value it is shown with which factor as what."""

STEPS = 161
"""Points of a picture of the hardware along each axis."""

MATRICES = 81
"""Matrix sizes of a picture of the resolution."""


def over_hardware(design: "Design", limit: "Limit", system: "System", picture: Path) -> None:
    """Draw the answer over gradient and slew rate, with the regions where more gradient or more of both gives nothing.

    Args:
        design: what is asked.
        limit: the answer on the system.
        system: where it is marked.
        picture: the SVG file.
    """
    import torch

    from gradatim.io.atomic import atomic_file
    from gradatim.report.limit_plot import LimitPlot
    from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing

    factor, unit = _scale(limit.value.item(), limit.unit)
    around = torch.linspace(0.25, 2.5, STEPS, dtype=torch.float64)
    gradients, slews = around * system.max_gradient, around * system.max_slew
    grid = (gradients.expand(STEPS, STEPS), slews[:, None].expand(STEPS, STEPS))
    with torch.no_grad():
        values = design.continuous(*grid).expand(STEPS, STEPS) * factor
        bound = design.slew_bound(*grid).expand(STEPS, STEPS)
        nerves = design.stimulation_bound(*grid) if isinstance(design, EpiEchoSpacing) else torch.zeros_like(bound)
    drawn = LimitPlot(f"{words(limit.name)}, {unit}")(
        (1e3 * gradients).tolist(),
        slews.tolist(),
        values=values.tolist(),
        slew_bound=bound.tolist(),
        stimulation_bound=nerves.tolist(),
        at=(1e3 * system.max_gradient, system.max_slew),
    )
    with atomic_file(picture) as file:
        file.write(drawn.data)


def over_resolution(design: Any, limit: "Limit", system: "System", picture: Path) -> None:
    """Draw the answer over the matrix size, coloured by what binds, beside that of stronger and of faster hardware.

    Args:
        design: what is asked; a dataclass with fields ``matrix`` and ``fov``.
        limit: the answer on the system.
        system: whose curve is coloured.
        picture: the SVG file.
    """
    import torch

    from gradatim.io.atomic import atomic_file
    from gradatim.report.resolution_plot import ResolutionPlot

    factor, unit = _scale(limit.value.item(), limit.unit)
    matrices = (torch.linspace(0.25, 2.5, MATRICES, dtype=torch.float64) * design.matrix).round().clamp(min=1).unique()
    gradient, slew = system.max_gradient, system.max_slew
    others = {
        "twice the gradient": (2 * gradient, slew),
        "twice the slew rate": (gradient, 2 * slew),
        "twice both": (2 * gradient, 2 * slew),
    }
    with torch.no_grad():
        curves = {
            name: (factor * replace(design, matrix=matrices).continuous(*limits)).tolist()
            for name, limits in others.items()
        }
    answers = [replace(design, matrix=matrix)(system) for matrix in matrices.tolist()]
    drawn = ResolutionPlot(f"{words(limit.name)}, {unit}", 1e3 * design.fov)(
        matrices.tolist(),
        values=[factor * answer.value.item() for answer in answers],
        binding=[answer.binding.value for answer in answers],
        others=curves,
        at=(design.matrix, factor * limit.value.item()),
    )
    with atomic_file(picture) as file:
        file.write(drawn.data)


PICTURES: "dict[str, Draw]" = {"hardware": over_hardware, "resolution": over_resolution}
"""What a picture may go over, by its word."""


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


def words(name: str) -> str:
    """The name of an answer or a number as people read it.

    Example:
        >>> words("max_slew"), words("echo_spacing")
        ('slew rate', 'echo spacing')
    """
    return {"fov": "field of view", "max_slew": "slew rate", "max_gradient": "gradient"}.get(
        name, name.replace("_", " ")
    )


def _scale(value: float, unit: str) -> tuple[float, str]:
    return next(((factor, name) for below, factor, name in SHOWN.get(unit, ()) if value < below), (1.0, unit))
