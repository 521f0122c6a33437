"""A drawing of modulation transfer functions, as vector graphics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.picture import svg

_COLOURS = ("#0b6b77", "#b3541e", "#5b4b8a")
_RULE = "#dfe2e0"

Curve = tuple[Sequence[float], Sequence[float], Sequence[float] | None]


@dataclass(frozen=True)
class TransferPlot:
    """MTF over frequency, one curve a name, with a band of one standard error.

    Args:
        width: inches.
        height: inches.

    Raises:
        ResourceError: GD-501, when called, if matplotlib is missing.

    Example:
        >>> TransferPlot()({"edge": ([0.0, 0.5], [1.0, 0.4], [0.0, 0.02])}).mime
        'image/svg+xml'
    """

    width: float = 5.4
    height: float = 3.6

    def __call__(self, curves: Mapping[str, Curve]) -> Figure:
        """Draw the curves.

        Args:
            curves: name → frequencies in 1/mm, MTF, and its standard errors or None.
        """
        figure = matplotlib_figure().Figure(figsize=(self.width, self.height), facecolor="white", layout="constrained")
        axis = figure.add_subplot()
        for level in (0.5, 0.1):
            axis.axhline(level, color=_RULE, linewidth=1)
        for index, (name, (frequencies, values, errors)) in enumerate(curves.items()):
            colour = _COLOURS[index % len(_COLOURS)]
            axis.plot(frequencies, values, color=colour, linewidth=1.6, label=name)
            if errors is not None:
                low, high = zip(*((v - e, v + e) for v, e in zip(values, errors, strict=True)), strict=True)
                axis.fill_between(frequencies, low, high, color=colour, alpha=0.2, linewidth=0)
        axis.set_xlabel("frequency (1/mm)")
        axis.set_ylabel("MTF")
        axis.set_xlim(left=0)
        axis.set_ylim(0, 1.05)
        axis.legend(frameon=False)
        names = ", ".join(curves)
        return svg(figure, "Modulation transfer function; band: one standard error.", f"MTF over frequency: {names}.")
