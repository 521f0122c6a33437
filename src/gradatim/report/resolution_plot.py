"""A drawing of what a limit is over the matrix size, and what binds it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.picture import svg

_COLOURS = {
    "slew": "#b3541e",
    "amplitude": "#0b6b77",
    "stimulation": "#5b4b8a",
    "receiver": "#7a7f35",
    "dead time": "#8a6d3b",
}
_POINT, _OTHER = "#1d2b2e", "#8c9698"
_STYLES = ("--", ":", "-.")


@dataclass(frozen=True)
class ResolutionPlot:
    """One system's answer over the matrix size, coloured by what binds, and grey that of better hardware.

    Args:
        label: what is drawn, with the unit.
        fov: mm, from which the pixels of the upper axis follow.
        width: inches.
        height: inches.

    Raises:
        ResourceError: GD-501, when called, if matplotlib is missing.

    Example:
        >>> draw = ResolutionPlot("ms", 220.0)
        >>> draw([64, 128], values=[1.0, 2.0], binding=["slew", "slew"], others={}, at=(64, 1.0)).mime
        'image/svg+xml'
    """

    label: str
    fov: float
    width: float = 5.4
    height: float = 4.2

    def __call__(
        self,
        matrices: Sequence[float],
        *,
        values: Sequence[float],
        binding: Sequence[str],
        others: Mapping[str, Sequence[float]],
        at: tuple[float, float],
    ) -> Figure:
        """Draw the curves.

        Args:
            matrices: N, growing.
            values: the answer for each.
            binding: what binds it, likewise.
            others: what hardware → its answers, likewise.
            at: matrix and answer that are asked about.
        """
        figure = matplotlib_figure().Figure(figsize=(self.width, self.height), facecolor="white", layout="constrained")
        axis = figure.add_subplot()
        named: set[str] = set()
        for what, group in groupby(range(len(matrices)), key=lambda index: binding[index]):
            members = list(group)
            upto = slice(members[0], members[-1] + 2)
            label = None if what in named else f"{what}-bound"
            named.add(what)
            colour = _COLOURS[what]
            axis.plot(matrices[upto], values[upto], color=colour, linewidth=2.4, label=label, zorder=3)
            axis.axvspan(matrices[members[0]], matrices[upto][-1], color=colour, alpha=0.08, linewidth=0)
        for (name, curve), style in zip(others.items(), _STYLES, strict=False):
            axis.plot(matrices, curve, style, color=_OTHER, linewidth=1.3, label=name)
        axis.plot(*at, "o", color=_POINT, label="as asked", zorder=4)
        axis.set_xlabel("matrix")
        axis.set_ylim(bottom=0)
        axis.margins(x=0)
        pixels = axis.twiny()
        pixels.set_xlim(axis.get_xlim())
        ticks = [tick for tick in axis.get_xticks() if matrices[0] <= tick <= matrices[-1] and tick > 0]
        pixels.set_xticks(ticks, [f"{self.fov / tick:.3g}" for tick in ticks])
        pixels.set_xlabel("pixel (mm)")
        axis.set_ylabel(self.label)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize=8, ncols=3)
        return svg(
            figure,
            f"{self.label}, over the matrix size.",
            f"{self.label}: a curve over the matrix size, coloured by what binds, and curves of better hardware.",
        )
