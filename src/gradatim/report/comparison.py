"""Several images of one place, side by side, slice below slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.frame import Frame
from gradatim.report.picture import png
from gradatim.report.text import visible

_DARK, _LIGHT = "#0c0e10", "#d5dade"
_TILE, _TITLE, _RULER, _GAP = 2.2, 0.42, 0.34, 0.04  # inches


@dataclass(frozen=True, eq=False)
class Panel:
    """One column of a comparison.

    Args:
        title: what it shows.
        values: (x, y, z), real; array; NaN is drawn as background.
        window: values shown black and white.
        unit: their unit.
    """

    title: str
    values: np.ndarray
    window: tuple[float, float]
    unit: str


@dataclass(frozen=True)
class Comparison:
    """Panels side by side, one row an axial slice, patient's right on the left of the picture.

    Args:
        heights: where the slices lie, shares of the mask's height from below, 0 … 1.

    Raises:
        UsageError: GD-101 without a height or with one beyond 0 … 1; GD-103 if shapes disagree.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> grid = Grid((12, 12, 6), (1.0, 1.0, 2.0))
        >>> Comparison((0.5,))([Panel("Field", np.zeros(grid.shape), (-1.0, 1.0), "Hz")], grid=grid).mime
        'image/png'
    """

    heights: tuple[float, ...] = (0.56, 0.44)

    def __post_init__(self) -> None:
        if not self.heights or not all(0.0 <= height <= 1.0 for height in self.heights):
            raise UsageError(
                "GD-101", given=f"heights {self.heights}", allowed="one or more of 0 to 1", do="give shares"
            )

    def __call__(self, panels: Sequence[Panel], *, grid: Grid, mask: np.ndarray | None = None) -> Figure:
        """Draw the panels.

        Args:
            panels: the columns, from left to right.
            grid: where their voxels lie.
            mask: (x, y, z), bool; the picture is cropped to it. None: everything is shown.
        """
        for panel in panels:
            if panel.values.shape != grid.shape:
                raise UsageError(
                    "GD-103",
                    given=f"{panel.title!r} of shape {panel.values.shape}",
                    allowed=f"shape {grid.shape}",
                    do="use one grid",
                )
        frame = Frame.around(grid, mask, margin_mm=3.0)
        inside = frame.apply(np.ones(grid.shape, bool) if mask is None else mask)
        filled = np.flatnonzero(inside.any(axis=(0, 1)))
        levels = [int(filled[round(height * (len(filled) - 1))]) for height in self.heights]
        wide, deep = (n * edge for n, edge in zip(frame.shape[:2], frame.spacing[:2], strict=True))
        tile = (_TILE, _TILE * deep / wide)
        size = (len(panels) * (_TILE + _GAP), len(levels) * (tile[1] + _GAP) + _TITLE + _RULER)
        figure = matplotlib_figure().Figure(figsize=size, facecolor=_DARK)
        for column, panel in enumerate(panels):
            _draw(figure, panel, frame.apply(panel.values)[:, :, levels], column * (_TILE + _GAP), tile)
        names = ", ".join(panel.title for panel in panels)
        caption = f"From left to right: {names}. Axial slices; the patient's right is on the left."
        return png(figure, caption, f"{names}, {len(levels)} axial slices.")


def _draw(figure: Any, panel: Panel, slices: np.ndarray, left: float, tile: tuple[float, float]) -> None:
    """One column: its title, its slices, its window; lengths in inches."""
    wide, high = figure.get_size_inches()
    low, top = panel.window
    for row in range(slices.shape[2]):
        bottom = high - _TITLE - (row + 1) * (tile[1] + _GAP)
        box = figure.add_axes((left / wide, bottom / high, tile[0] / wide, tile[1] / high))
        box.set_axis_off()
        picture = slices[::-1, ::-1, row].T
        shown = box.imshow(picture, cmap="gray", vmin=low, vmax=top, aspect="auto", interpolation="nearest")
    middle = (left + tile[0] / 2) / wide
    style = {"ha": "center", "va": "center", "color": _LIGHT, "parse_math": False}
    figure.text(middle, 1 - 0.5 * _TITLE / high, visible(panel.title), fontsize=10, **style)
    place = ((left + 0.2 * tile[0]) / wide, 0.75 * _RULER / high, 0.6 * tile[0] / wide, 0.15 * _RULER / high)
    bar = figure.colorbar(shown, cax=figure.add_axes(place), orientation="horizontal", ticks=[])
    bar.outline.set_visible(False)
    figure.text(middle, 0.35 * _RULER / high, f"{low:.3g} to {top:.3g} {visible(panel.unit)}", fontsize=8, **style)
