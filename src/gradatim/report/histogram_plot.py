"""Distributions of several regions in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.optional import matplotlib_figure
from gradatim.pipelines.distributions import Distribution
from gradatim.report.content import Figure
from gradatim.report.picture import svg
from gradatim.report.text import number, visible

MOST = 6
"""More outlines than this lie on top of one another."""

_INK, _RULE = "#1c2126", "#dfe2e0"
_COLOURS = ("#0b6b77", "#b4541a", "#5b4b9a", "#4b7f2b", "#a23561", "#7a6a12")


@dataclass(frozen=True)
class HistogramPlot:
    """Share of a region's intensities over their value, one outline a region, the first six.

    Args:
        name: the quantity, e.g. ``"CT number"``.
        unit: its unit.

    Raises:
        UsageError: GD-101 if there is no distribution.
        ResourceError: GD-501 if matplotlib is missing.

    Example:
        >>> HistogramPlot("CT number", "HU")([Distribution("lesion", (0.0, 10.0, 20.0), (0.25, 0.75), 8, 2)]).mime
        'image/svg+xml'
    """

    name: str
    unit: str

    def __call__(self, distributions: Sequence[Distribution]) -> Figure:
        """Draw the outlines.

        Args:
            distributions: of the regions, in the map's unit.
        """
        if not distributions:
            raise UsageError("GD-101", given="no distribution", allowed="at least one", do="leave the plot out")
        figure = matplotlib_figure().Figure(figsize=(7.2, 3.2), facecolor="white")
        axis = figure.add_axes((0.1, 0.18, 0.87, 0.78))
        for each, colour in zip(distributions, _COLOURS, strict=False):
            percent = [100 * share for share in each.shares]
            axis.stairs(percent, each.edges, color=colour, linewidth=1.6, label=visible(each.region))
        label = f"{self.name} ({self.unit})" if self.unit else self.name
        axis.set_xlabel(visible(label), parse_math=False, color=_INK, fontsize=10)
        axis.set_ylabel("% of the region", color=_INK, fontsize=10)
        axis.grid(color=_RULE, linewidth=0.8)
        axis.set_axisbelow(True)
        axis.tick_params(colors=_INK, labelsize=9)
        for text in axis.legend(frameon=False, fontsize=9).get_texts():
            text.set_parse_math(False)
        told = "; ".join(
            f"{each.region} from {number(each.edges[0], 3)} to {number(each.edges[-1], 3)}" for each in distributions
        )
        left = f" The first {MOST} of {len(distributions)} regions." if len(distributions) > MOST else ""
        return svg(
            figure, f"{self.name} within the regions, as measured.{left}", f"{self.name} in {self.unit}: {told}."
        )
