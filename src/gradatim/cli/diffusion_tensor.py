"""gradatim diffusion tensor: FA, MD and their errors from diffusion-weighted images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.diffusion_series_input import SeriesInput, noise_model, say


@dataclass(frozen=True)
class Tensor:
    """Fit the diffusion tensor and map FA, MD, AD, RD, S0, each with its standard error, and the main direction.

    Writes FA.nii.gz, FA_error.nii.gz and so on, RGB.nii.gz (three volumes), verdict.nii.gz, and a JSON file beside
    each. Diffusivities are in m²/s.

    Attributes:
        out: the folder for the maps.
        series: where the images are.
        positive: fit the signal itself with no negative diffusivity; by default its logarithm with weights.
        rician: standard deviation of the noise of magnitudes, in their unit; with --positive.
        rounds: how often the weights of the logarithm are renewed.
        json: print one JSON object, for programs.
    """

    out: Path
    series: Annotated[SeriesInput, tyro.conf.arg(name="")]
    positive: bool = False
    rician: float | None = None
    rounds: int = 1
    json: bool = False

    def run(self) -> int:
        """Fit, map, write and say.

        Raises:
            UsageError: GD-104 for a noise without --positive.
            InputError: what the readers and the fit refuse.
        """
        from gradatim.base.errors import UsageError
        from gradatim.diffusion.tensor import WeightedTensor
        from gradatim.diffusion.tensor_positive import PositiveTensor
        from gradatim.pipelines.diffusion_routes import TensorRoute

        if self.rician is not None and not self.positive:
            raise UsageError(
                "GD-104",
                given="--rician without --positive",
                allowed="a noise floor in the fit of the signal itself",
                do="add --positive",
            )
        fit = PositiveTensor(noise_model(self.rician)) if self.positive else WeightedTensor(self.rounds)
        say(self.series.map(TensorRoute(fit), self.out), json=self.json)
        return 0
