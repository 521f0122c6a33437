"""gradatim diffusion kurtosis: how far diffusion is from Gaussian."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.diffusion_series_input import SeriesInput, say


@dataclass(frozen=True)
class Kurtosis:
    """Fit the kurtosis and map MK, AK, RK, MKT, and FA, MD, AD, RD of the tensor fitted with them.

    Needs two different b-values besides 0 and fifteen directions. Diffusivities are in m²/s.

    Attributes:
        out: the folder for the maps.
        series: where the images are.
        rounds: how often the weights of the logarithm are renewed.
        json: print one JSON object, for programs.
    """

    out: Path
    series: Annotated[SeriesInput, tyro.conf.arg(name="")]
    rounds: int = 1
    json: bool = False

    def run(self) -> int:
        """Fit, map, write and say."""
        from gradatim.diffusion.kurtosis import WeightedKurtosis
        from gradatim.pipelines.diffusion_routes import KurtosisRoute

        say(self.series.map(KurtosisRoute(WeightedKurtosis(self.rounds)), self.out), json=self.json)
        return 0
