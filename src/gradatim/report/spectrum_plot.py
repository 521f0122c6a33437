"""A drawing of a decay and its spectrum of diffusivities, as vector graphics."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradatim.base.optional import matplotlib_figure
from gradatim.report.content import Figure
from gradatim.report.picture import svg

_DATA, _FIT, _PEAK = "#15181a", "#0b6b77", "#b3541e"


@dataclass(frozen=True)
class SpectrumPlot:
    """Signal over b on the left, amplitude over D with the band of its noise on the right, components marked.

    Args:
        width: inches.
        height: inches.

    Raises:
        ResourceError: GD-501, when called, if matplotlib is missing.

    Example:
        >>> plot = SpectrumPlot()
        >>> plot(([0.0, 1e9], [1.0, 0.4]), ([1e-10, 1e-9], [0.1, 1.0], [0.0, 0.8], [0.2, 1.1]), peaks=[1e-9]).mime
        'image/svg+xml'
    """

    width: float = 7.6
    height: float = 3.2

    def __call__(
        self,
        decay: tuple[Sequence[float], Sequence[float]],
        spectrum: tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[float]],
        *,
        fitted: Sequence[float] = (),
        peaks: Sequence[float] = (),
    ) -> Figure:
        """Draw them.

        Args:
            decay: b in s/m² and signal.
            spectrum: D in m²/s, amplitude, and the lower and upper end of its band.
            fitted: the signal that the spectrum gives at the same b.
            peaks: diffusivities of the components, m²/s.
        """
        figure = matplotlib_figure().Figure(figsize=(self.width, self.height), facecolor="white", layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(decay[0], decay[1], "o", color=_DATA, markersize=3.5, label="measured")
        if len(fitted):
            order = sorted(range(len(fitted)), key=lambda i: decay[0][i])
            left.plot([decay[0][i] for i in order], [fitted[i] for i in order], color=_FIT, linewidth=1.4, label="fit")
        left.set_xlabel("b (s/m²)")
        left.set_ylabel("signal")
        left.set_ylim(bottom=min(0.0, *decay[1]))
        left.legend(frameon=False)
        diffusivity, amplitude, low, high = spectrum
        right.fill_between(diffusivity, low, high, color=_FIT, alpha=0.2, linewidth=0)
        right.plot(diffusivity, amplitude, color=_FIT, linewidth=1.6)
        for peak in peaks:
            right.axvline(peak, color=_PEAK, linewidth=1.0, linestyle="--")
        right.set_xscale("log")
        right.set_xlabel("diffusivity (m²/s)")
        right.set_ylabel("amplitude")
        right.set_ylim(bottom=0)
        said = ", ".join(f"{peak:.3g}" for peak in peaks)
        return svg(
            figure,
            "Left: the decay and its fit. Right: its spectrum; band: how the noise moves it; dashed: components.",
            f"Signal over b, and spectrum of diffusivities with components at {said or 'none'} m²/s.",
        )
