"""Pictures of slices: echoes and maps, drawn without a display or global state."""

import itertools
import math
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
_RULER = 0.9  # inches beside the slices for the grey scale
_MAGNITUDE_TOP = 0.995
_TILE, _STRIP = 1.66, 0.2  # inches: width of a slice, height of the line of text above it


@dataclass(frozen=True)
class SliceMosaic:
    """Axial slices of one map, from the feet upwards, patient's right on the left of the picture.

    Args:
        name: what the map shows.
        unit: unit of its values.
        window: values shown black and white, in ``unit``.
        slices: how many, spread evenly over the mask, ≥ 1.
        columns: tiles side by side, ≥ 1.

    Raises:
        UsageError: GD-101 if a count is below 1; GD-103 if shapes disagree.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> grid = Grid((12, 12, 6), (1.0, 1.0, 2.0))
        >>> SliceMosaic("Field", "Hz", (-1.0, 1.0), slices=2)(np.zeros(grid.shape), grid=grid).mime
        'image/png'
    """

    name: str
    unit: str
    window: tuple[float, float]
    slices: int = 12
    columns: int = 6

    def __post_init__(self) -> None:
        if self.slices < 1 or self.columns < 1:
            raise UsageError(
                "GD-101", given=f"{self.slices} slices in {self.columns} columns", allowed="at least 1", do="give more"
            )

    def __call__(self, values: np.ndarray, *, grid: Grid, mask: np.ndarray | None = None) -> Figure:
        """Draw a map.

        Args:
            values: (x, y, z), real, in ``unit``.
            grid: where its voxels lie.
            mask: (x, y, z), bool; the picture is cropped to it and black outside it. None: everything is shown.
        """
        frame, inside = _frame(grid, mask)
        image = np.where(inside, _turned(frame, values, grid), np.nan)
        levels = _levels(inside, self.slices)
        columns = min(self.columns, len(levels))
        rows = math.ceil(len(levels) / columns)
        figure, axes = _sheet(frame, rows, columns, _RULER)
        low, high = self.window
        for axis, level in zip(axes, levels, strict=False):
            shown = _tile(axis, image[:, :, level], frame, low, high)
            axis.set_title(_height(frame, level), color=_LIGHT, fontsize=7.5, pad=3)
        _sides(axes[0])
        _ruler(figure, shown, _RULER, self.unit)
        white, named = f"{high:g} {self.unit}".rstrip(), f"{self.name} in {self.unit}" if self.unit else self.name
        caption = f"{self.name}, axial slices; black {low:g}, white {white}. R: patient's right."
        alt = f"{named}, {len(levels)} axial slices from inferior to superior."
        return png(figure, caption, alt)


@dataclass(frozen=True)
class EchoMosaic:
    """One axial slice through the middle of the mask: magnitude above, phase below, one column an echo.

    All magnitudes share one window, 0 to the 99.5th percentile of the first echo; phase runs from −π to π.

    Args:
        columns: the most echoes shown; of more, evenly spread ones, the first and the last among them; ≥ 1.

    Raises:
        UsageError: GD-101 if ``columns`` is below 1; GD-103 if shapes disagree.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> grid = Grid((12, 12, 6), (1.0, 1.0, 2.0))
        >>> echoes = np.ones((2, *grid.shape))
        >>> EchoMosaic()(echoes, echoes, grid=grid, echo_times=(0.005, 0.01)).caption[:9]
        'Magnitude'
    """

    columns: int = 6

    def __post_init__(self) -> None:
        if self.columns < 1:
            raise UsageError("GD-101", given=f"{self.columns} columns", allowed="at least 1", do="give more")

    def __call__(
        self,
        magnitude: np.ndarray,
        phase: np.ndarray,
        *,
        grid: Grid,
        echo_times: Sequence[float],
        mask: np.ndarray | None = None,
    ) -> Figure:
        """Draw the echoes.

        Args:
            magnitude: (echo, x, y, z), any linear unit.
            phase: (echo, x, y, z), rad.
            grid: where the voxels lie.
            echo_times: one per echo, s.
            mask: (x, y, z), bool; chooses the slice and the crop. None: the middle of the grid.
        """
        if not len(magnitude) == len(phase) == len(echo_times):
            raise UsageError(
                "GD-103",
                given=f"{len(magnitude)} magnitudes, {len(phase)} phases, {len(echo_times)} echo times",
                allowed="one of each per echo",
                do="give all echoes",
            )
        frame, inside = _frame(grid, mask)
        level = _levels(inside, 1)[0]
        count = min(self.columns, len(echo_times))
        echoes = np.unique(np.linspace(0, len(echo_times) - 1, count).round().astype(int))
        figure, axes = _sheet(frame, 2, len(echoes), 0.0)
        first = _turned(frame, magnitude[0], grid)[:, :, level]
        top = float(np.nanquantile(first, _MAGNITUDE_TOP)) or 1.0
        for column, echo in enumerate(echoes):
            upper, lower = axes[column], axes[column + len(echoes)]
            _tile(upper, _turned(frame, magnitude[echo], grid)[:, :, level], frame, 0.0, top)
            _tile(lower, _turned(frame, phase[echo], grid)[:, :, level], frame, -math.pi, math.pi)
            for axis, part in ((upper, "magnitude"), (lower, "phase")):
                axis.set_title(f"{part} {1000 * echo_times[echo]:.1f} ms", color=_LIGHT, fontsize=7.5, pad=3)
        _sides(axes[0])
        caption = (
            f"Magnitude (one window for all echoes) and phase (−π to π) of the axial slice at {_height(frame, level)}, "
            "by echo time. R: patient's right."
        )
        return png(figure, caption, f"Magnitude and phase of {len(echoes)} of {len(echo_times)} echoes, one slice.")


def _frame(grid: Grid, mask: np.ndarray | None) -> tuple[Frame, np.ndarray]:
    whole = np.ones(grid.shape, dtype=bool)
    inside = whole if mask is None else _host(mask).astype(bool)
    if inside.shape != grid.shape:
        raise UsageError("GD-103", given=f"mask {inside.shape}", allowed=f"shape {grid.shape}", do="use one grid")
    frame = Frame.around(grid, inside, margin_mm=0.0)
    return frame, frame.apply(inside if inside.any() else whole)


def _turned(frame: Frame, values: np.ndarray, grid: Grid) -> np.ndarray:
    array = _host(values)
    if array.shape != grid.shape:
        raise UsageError("GD-103", given=f"values {array.shape}", allowed=f"shape {grid.shape}", do="use one grid")
    return frame.apply(array)


def _host(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _levels(inside: np.ndarray, count: int) -> list[int]:
    """Slices in the middle of ``count`` equal parts of the mask's height."""
    filled = np.flatnonzero(inside.any(axis=(0, 1)))
    parts = (np.arange(count) + 0.5) / count * len(filled)
    return sorted({int(filled[int(part)]) for part in parts})


def _sheet(frame: Frame, rows: int, columns: int, ruler: float) -> tuple[Any, list[Any]]:
    wide, high = (n * edge for n, edge in zip(frame.shape[:2], frame.spacing[:2], strict=True))
    tile = _TILE * min(max(high / wide, 0.3), 3.0)
    size = (columns * _TILE + ruler, rows * (tile + _STRIP))
    figure = matplotlib_figure().Figure(figsize=size, facecolor=_DARK)
    boxes = []
    for row, column in itertools.product(range(rows), range(columns)):
        bottom = (rows - 1 - row) * (tile + _STRIP)
        edges = (column * _TILE / size[0], bottom / size[1], 0.99 * _TILE / size[0], tile / size[1])
        box = figure.add_axes(edges)
        box.set_axis_off()
        boxes.append(box)
    return figure, boxes


def _tile(axis: Any, plane: np.ndarray, frame: Frame, low: float, high: float) -> Any:
    picture = plane[::-1, ::-1].T  # rows from anterior down, columns from the patient's right
    return axis.imshow(
        picture, cmap="gray", vmin=low, vmax=high, aspect=frame.spacing[1] / frame.spacing[0], interpolation="nearest"
    )


def _height(frame: Frame, level: int) -> str:
    mm = float((frame.affine @ [*((np.array(frame.shape[:2]) - 1) / 2), level, 1.0])[2])
    return f"{'S' if mm >= 0 else 'I'} {abs(mm):.0f} mm"


def _sides(axis: Any) -> None:
    plate = {"facecolor": _DARK, "linewidth": 0, "pad": 1.5, "alpha": 0.7}
    for x, letter, side in ((0.03, "R", "left"), (0.97, "L", "right")):
        style = {"ha": side, "va": "center", "color": _LIGHT, "fontsize": 9}
        axis.text(x, 0.5, letter, transform=axis.transAxes, bbox=plate, **style)


def _ruler(figure: Any, shown: Any, width: float, unit: str) -> None:
    share = width / figure.get_figwidth()
    bar = figure.colorbar(shown, cax=figure.add_axes((1 - 0.85 * share, 0.15, 0.13 * share, 0.7)))
    bar.ax.tick_params(colors=_LIGHT, labelsize=7.5)
    bar.outline.set_visible(False)
    bar.set_label(visible(unit), color=_LIGHT, fontsize=8, parse_math=False)
