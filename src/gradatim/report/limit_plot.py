"""A drawing of what a limit is over gradient strength and slew rate, and where only the slew rate binds."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.picture import svg

_LINE, _REGION, _NERVES, _POINT = "#0b6b77", "#b3541e", "#5b4b8a", "#1d2b2e"

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True)
class LimitPlot:
    """Lines of equal answer over gradient and slew rate; shaded where more gradient gives nothing.

    Args:
        label: what the lines are, with the unit.
        width: inches.
        height: inches.

    Raises:
        ResourceError: GD-501, when called, if matplotlib is missing.

    Example:
        >>> rows, bound = [[3.0, 2.0], [2.0, 1.0]], [[False, True], [False, False]]
        >>> LimitPlot("ms")([10.0, 20.0], [50.0, 100.0], values=rows, slew_bound=bound, at=(15.0, 75.0)).mime
        'image/svg+xml'
    """

    label: str
    width: float = 5.4
    height: float = 4.0

    def __call__(
        self,
        gradients: Sequence[float],
        slews: Sequence[float],
        *,
        values: Rows,
        slew_bound: Sequence[Sequence[bool]],
        stimulation_bound: Sequence[Sequence[bool]] = (),
        at: tuple[float, float],
    ) -> Figure:
        """Draw the lines.

        Args:
            gradients: mT/m.
            slews: T/(m·s).
            values: the answer, one row a slew rate.
            slew_bound: where only the slew rate binds, likewise.
            stimulation_bound: where an allowed share of a stimulation limit binds, likewise.
            at: gradient and slew rate of the system that is asked about.
        """
        figure = matplotlib_figure().Figure(figsize=(self.width, self.height), facecolor="white", layout="constrained")
        axis = figure.add_subplot()
        for bound, colour, called in (
            (slew_bound, _REGION, "slew-bound: more gradient gives nothing"),
            (stimulation_bound, _NERVES, "stimulation-bound: more slew rate gives little or nothing"),
        ):
            if any(map(any, bound)):
                region = [[float(each) for each in row] for row in bound]
                axis.contourf(gradients, slews, region, levels=[0.5, 1.5], colors=[colour], alpha=0.15)
                axis.plot([], [], color=colour, alpha=0.3, linewidth=8, label=called)
        levels = _levels(values)
        if levels:
            lines = axis.contour(gradients, slews, values, levels=levels, colors=_LINE, linewidths=1.2)
            axis.clabel(lines, fmt="%.4g", fontsize=8)
        else:
            axis.plot([], [], " ", label=f"{values[0][0]:.3g} everywhere")
        axis.plot(*at, "o", color=_POINT, label="this system")
        axis.set_xlabel("strongest gradient (mT/m)")
        axis.set_ylabel("slew rate (T/(m·s))")
        axis.set_title(self.label, fontsize=10)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize=8, ncols=2)
        return svg(
            figure,
            f"{self.label}, over the strongest gradient and the slew rate.",
            f"{self.label}: lines of equal value over gradient and slew rate, with the region bound by slew alone.",
        )


def _levels(values: Rows, *, count: int = 9) -> list[float]:
    """Between the extremes, evenly in the logarithm, rounded to two digits; none where the values hardly differ."""
    low, high = min(map(min, values)), max(map(max, values))
    steps = (low * (high / low) ** ((index + 0.5) / count) for index in range(count))
    return sorted({short for step in steps if low < (short := float(f"{step:.2g}")) < high})
