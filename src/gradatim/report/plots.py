"""Plots of numbers by region: intervals and boxes, as vector graphics that name regions in any script."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradatim.base.errors import UsageError
from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.picture import svg
from gradatim.report.text import number, visible

_INK, _MARK, _RULE = "#1c2126", "#0b6b77", "#dfe2e0"
_WIDTH, _ROW, _EDGE = 7.2, 0.34, 0.85  # inches
_WIDEST_NAME = 28


@dataclass(frozen=True)
class IntervalPlot:
    """One point a region with its error bar, and a line at zero.

    Args:
        name: the quantity, e.g. ``"Susceptibility"``.
        unit: its unit.
        error: what the bars are, e.g. ``"standard deviation within the region"``.

    Raises:
        UsageError: GD-103 if the lists differ in length; GD-101 if they are empty.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> IntervalPlot("Susceptibility", "ppm")(("caudate",), (0.08,), (0.01,)).mime
        'image/svg+xml'
    """

    name: str
    unit: str
    error: str = "standard deviation within the region"

    def __call__(self, regions: Sequence[str], values: Sequence[float], errors: Sequence[float]) -> Figure:
        """Draw the regions from top to bottom; a NaN leaves its row empty.

        Args:
            regions: names.
            values: one per region, in ``unit``.
            errors: half length of each bar, in ``unit``, ≥ 0.
        """
        _require_one_each(regions, values, errors)
        figure, axis, rows = _rows(regions, f"{self.name} ({self.unit})")
        axis.errorbar(values, rows, xerr=errors, fmt="o", color=_MARK, markersize=5, capsize=3, linewidth=1.4)
        told = "; ".join(
            f"{r} {number(v, 3)} ± {number(e, 3)}" for r, v, e in zip(regions, values, errors, strict=True)
        )
        caption = f"{self.name} by region, mean; bars: {self.error}."
        return svg(figure, caption, f"{self.name} in {self.unit}: {told}.")


@dataclass(frozen=True)
class BoxPlot:
    """One box a region: median, quartiles and two outer percentiles that arrive ready.

    Args:
        name: the quantity, e.g. ``"Susceptibility"``.
        unit: its unit.
        whiskers: what the whiskers' ends are.

    Raises:
        UsageError: GD-103 if the lists differ in length; GD-101 if they are empty.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> BoxPlot("Susceptibility", "ppm")(("caudate",), [(0.0, 0.05, 0.08, 0.1, 0.2)]).width
        720
    """

    name: str
    unit: str
    whiskers: str = "10th and 90th percentiles"

    def __call__(self, regions: Sequence[str], percentiles: Sequence[Sequence[float]]) -> Figure:
        """Draw the regions from top to bottom.

        Args:
            regions: names.
            percentiles: (region, 5): lower whisker, lower quartile, median, upper quartile, upper whisker, in ``unit``.
        """
        table = np.asarray(percentiles, dtype=np.float64).reshape(len(percentiles), -1)
        _require_one_each(regions, table, table)
        if table.shape[1] != 5:
            raise UsageError("GD-103", given=f"{table.shape[1]} percentiles a region", allowed="5", do="give all five")
        figure, axis, rows = _rows(regions, f"{self.name} ({self.unit})")
        keys = ("whislo", "q1", "med", "q3", "whishi")
        line = {"color": _MARK, "linewidth": 1.4}
        axis.bxp(
            [dict(zip(keys, row, strict=True)) for row in table.tolist()],
            positions=rows,
            widths=0.5,
            orientation="horizontal",
            showfliers=False,
            manage_ticks=False,
            **{f"{part}props": line for part in ("box", "whisker", "cap")},
            medianprops={"color": _INK, "linewidth": 2},
        )
        told = "; ".join(f"{region} {number(float(row[2]), 3)}" for region, row in zip(regions, table, strict=True))
        caption = f"{self.name} by region: median, quartiles, whiskers at the {self.whiskers}."
        return svg(figure, caption, f"Medians in {self.unit}: {told}.")


def _require_one_each(regions: Sequence[str], *columns: Sequence[Any] | np.ndarray) -> None:
    if not regions:
        raise UsageError("GD-101", given="no region", allowed="at least one", do="leave the plot out")
    for column in columns:
        if len(column) != len(regions):
            raise UsageError(
                "GD-103", given=f"{len(column)} values for {len(regions)} regions", allowed="one each", do="give all"
            )


def _rows(regions: Sequence[str], label: str) -> tuple[Any, Any, range]:
    rows = range(len(regions))
    figure = matplotlib_figure().Figure(figsize=(_WIDTH, _ROW * len(regions) + _EDGE), facecolor="white")
    names = [visible(region) for region in regions]
    short = [name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…" for name in names]
    room = (0.3 + 0.085 * max(len(name) for name in short)) / _WIDTH
    axis = figure.add_axes((room, 0.6 / figure.get_figheight(), 0.97 - room, 1 - 0.75 / figure.get_figheight()))
    axis.set_yticks(rows, short, parse_math=False, color=_INK, fontsize=10)
    axis.set_xlabel(visible(label), parse_math=False, color=_INK, fontsize=10)
    axis.set_ylim(len(regions) - 0.4, -0.6)
    axis.axvline(0.0, color=_INK, linewidth=0.8)
    axis.grid(axis="x", color=_RULE, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", colors=_INK, labelsize=9)
    axis.spines[["top", "right", "left"]].set_visible(False)
    return figure, axis, rows
