"""gradatim diffusion dosy: the diffusivities in a decay of pulsed-gradient NMR."""

import json as jsonlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from gradatim.diffusion.fitted import DecayFit
    from gradatim.diffusion.spectrum import DiffusionSpectrum


_SLOWEST, _FASTEST = 1e-14, 1e-4
"""m²/s: between large polymers and gases at low pressure."""


@dataclass(frozen=True)
class Dosy:
    """Find the diffusivities in a decay: one of them, with its interval, and a spectrum of all.

    The table has a heading and two columns: `b [s/m2]` or `b [s/mm2]`, or `gradient [T/m]`, `[mT/m]` or `[G/cm]`; and
    `signal`. Gradients need the timing of the experiment. Prints the diffusivity of a single decay and the components
    of the spectrum, m²/s, each with its 95 % interval.

    Attributes:
        table: CSV.
        small_delta_ms: duration of a gradient lobe, ms.
        big_delta_ms: from the start of one lobe to that of the other, ms.
        lobes: shape of the gradients: rectangle, half-sine or sine-squared.
        sigma: standard deviation of the noise, in the signal's unit; by default what the fit leaves.
        picture: draw decay and spectrum to this SVG file.
        json: print one JSON object with the whole spectrum, for programs.
    """

    table: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TABLE")]
    small_delta_ms: float | None = None
    big_delta_ms: float | None = None
    lobes: str = "rectangle"
    sigma: float | None = None
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Fit, print and draw.

        Raises:
            UsageError: GD-104 for gradients without timing, or b-values with it; GD-107 for a picture in the table's
                place.
            InputError: what the reader and the fits refuse.
        """
        from gradatim.cli.feature_outputs import require_outputs, require_svg
        from gradatim.diffusion.dosy import DiffusionOrdered
        from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
        from gradatim.diffusion.noise_models import GaussianNoise

        require_outputs([self.picture], inputs=(self.table,))
        require_svg(self.picture)
        b, signal = self._decay()
        single = MonoExponentialDiffusion(GaussianNoise(self.sigma))(signal, b=b)
        spectrum = DiffusionOrdered(sigma=self.sigma)(signal, b=b)
        if self.picture is not None:
            self._draw(b, signal, spectrum)
        if self.json:
            print(jsonlib.dumps(_record(single, spectrum), indent=2))
            return 0
        one = single["diffusivity"]
        print(f"single decay  {_said(one.value.item(), one.low.item(), one.high.item())}")
        for peak in spectrum.peaks:
            print(f"component     {_said(peak.diffusivity, peak.low, peak.high)}  share {100 * peak.share:.1f} %")
        if one.value.item() > 0 and not _SLOWEST <= one.value.item() <= _FASTEST:
            print(
                f"warning: no liquid, gel or gas in a tube has {one.value.item():.2g} m²/s: check the units of the "
                "table and of δ and Δ",
                file=sys.stderr,
            )
        if one.high.item() < 0:
            print(
                "warning: the signal grows with b, so that no diffusion is seen: check the order of the rows",
                file=sys.stderr,
            )
        print(f"left over     {spectrum.misfit:.3g} times the noise of {spectrum.sigma:.4g}")
        if spectrum.message:
            print(f"warning: {spectrum.message}", file=sys.stderr)
        return 0

    def _decay(self) -> "tuple[Tensor, Tensor]":
        from gradatim.base.choice import choose
        from gradatim.cli.system_choice import require_plausible
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.diffusion.gradient_pairs import HalfSinePair, RectangularPair, SquaredSinePair
        from gradatim.io.decay_table import read_decay

        shapes = {"rectangle": RectangularPair(), "half-sine": HalfSinePair(), "sine-squared": SquaredSinePair()}
        pair = choose(self.lobes, shapes, what="shape of the lobes")
        kind, place, signal = read_decay(self.table)
        require_plausible(self.small_delta_ms, (0.05, 1e3), what="--small-delta-ms", unit="ms", do="0.002 s is 2")
        require_plausible(self.big_delta_ms, (0.5, 1e4), what="--big-delta-ms", unit="ms", do="0.05 s is 50")
        times = (
            from_milliseconds(self.small_delta_ms, what="--small-delta-ms"),
            from_milliseconds(self.big_delta_ms, what="--big-delta-ms"),
        )
        if (kind == "gradient") == (None in times) or (kind == "b" and times != (None, None)):
            raise UsageError(
                "GD-104",
                given=f"a column {kind} with δ {self.small_delta_ms} ms and Δ {self.big_delta_ms} ms",
                allowed="gradients with --small-delta-ms and --big-delta-ms, or b-values without",
                do="give the timing of the experiment with gradients",
            )
        if times[0] is None or times[1] is None:
            return place, signal
        return pair.b(place, duration=times[0], separation=times[1]), signal

    def _draw(self, b: "Tensor", signal: "Tensor", spectrum: "DiffusionSpectrum") -> None:
        from gradatim.io.atomic import atomic_file
        from gradatim.report.spectrum_plot import SpectrumPlot

        parts = (spectrum.diffusivity, spectrum.amplitude, spectrum.low, spectrum.high)
        drawn = SpectrumPlot()(
            (b.tolist(), signal.tolist()),
            tuple(part.tolist() for part in parts),  # type: ignore[arg-type]
            fitted=spectrum.signal(b).tolist(),
            peaks=[peak.diffusivity for peak in spectrum.peaks],
        )
        with atomic_file(self.picture or Path()) as file:
            file.write(drawn.data)


def _said(value: float, low: float, high: float) -> str:
    return f"{value:.5g} m²/s  [{low:.5g}, {high:.5g}]"


def _record(single: "DecayFit", spectrum: "DiffusionSpectrum") -> dict[str, Any]:
    from dataclasses import asdict

    one = single["diffusivity"]
    return {
        "single": {name: getattr(one, name).item() for name in ("value", "error", "low", "high")},
        "components": [asdict(peak) for peak in spectrum.peaks],
        "misfit": spectrum.misfit,
        "sigma": spectrum.sigma,
        "weight": spectrum.weight,
        "message": spectrum.message,
        "spectrum": {name: getattr(spectrum, name).tolist() for name in ("diffusivity", "amplitude", "low", "high")},
    }
