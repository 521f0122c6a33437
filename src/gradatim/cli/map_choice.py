"""From the words of ``gradatim features maps`` to its window, and from its cost to words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.radiomics.maps.cost import MapCost
    from gradatim.radiomics.maps.window import Window

RADIUS = 2
"""Voxels, if nothing is said."""


def chosen_window(radius: int | None, radius_mm: float | None, *, in_plane: bool) -> "Window":
    """The window that the command line asks for.

    Args:
        radius: in voxels, None if not given.
        radius_mm: in mm, None if not given.
        in_plane: whether it stays in the slice.

    Raises:
        UsageError: GD-104 for a radius in mm together with one in voxels or a square; GD-152 for one below 0.

    Example:
        >>> chosen_window(None, None, in_plane=True)
        Square(radius=2)
    """
    from gradatim.radiomics.maps.window import Ball, Cube, Square

    if radius_mm is None:
        return (Square if in_plane else Cube)(RADIUS if radius is None else radius)
    if radius is not None or in_plane:
        raise UsageError(
            "GD-104",
            given=f"--radius-mm {radius_mm:g} together with --radius or --in-plane",
            allowed="a ball in mm, or a cube or a square in voxels",
            do="give --radius-mm alone, or leave it out",
        )
    return Ball(radius_mm)


def in_short(costs: Sequence["MapCost"]) -> list[str]:
    """What maps will cost, for a reader: one line for all, one for preparation, one for each family.

    Args:
        costs: of each layer of regions.
    """
    windows, seconds = sum(c.windows for c in costs), sum(c.seconds for c in costs)
    memory = max(c.peak_bytes for c in costs) / 1e6
    maps = sum(c.maps for c in costs)
    lines = [f"{windows} windows, {maps} maps: about {_time(seconds)}, at most {memory:.0f} MB beside the image"]
    preparing = seconds - sum(part for cost in costs for part in cost.by_family.values())
    lines.append(f"  preparation: {_time(preparing)}")
    for family in costs[0].by_family:
        part = sum(c.by_family[family] for c in costs)
        lines.append(f"  {family}: {_time(part)}, {1e6 * part / windows:.0f} µs a window")
    return lines


def _time(seconds: float) -> str:
    """A duration, to the two digits that it is known to.

    Example:
        >>> _time(0.31), _time(75.0), _time(9000.0)
        ('0.3 s', '1.2 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
