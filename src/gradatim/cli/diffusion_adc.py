"""gradatim diffusion adc: the apparent diffusion coefficient, whatever the directions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.diffusion_series_input import SeriesInput, noise_model, say


@dataclass(frozen=True)
class Adc:
    """Map the apparent diffusion coefficient (m²/s) and S0, each with its standard error.

    Attributes:
        out: the folder for the maps.
        series: where the images are.
        nonlinear: fit the signal itself; by default its logarithm with weights.
        rician: standard deviation of the noise of magnitudes, in their unit; fits the signal with its noise floor.
        json: print one JSON object, for programs.
    """

    out: Path
    series: Annotated[SeriesInput, tyro.conf.arg(name="")]
    nonlinear: bool = False
    rician: float | None = None
    json: bool = False

    def run(self) -> int:
        """Fit, map, write and say."""
        from gradatim.diffusion.log_linear import LogLinearDiffusion
        from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
        from gradatim.pipelines.diffusion_routes import AdcRoute

        signal_itself = self.nonlinear or self.rician is not None
        fit = MonoExponentialDiffusion(noise_model(self.rician)) if signal_itself else LogLinearDiffusion()
        say(self.series.map(AdcRoute(fit), self.out), json=self.json)
        return 0
