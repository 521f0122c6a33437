"""gradatim diffusion: tensor, kurtosis, apparent diffusion coefficient, spectra of diffusivities, b of a sequence."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.diffusion_adc import Adc
from gradatim.cli.diffusion_b import B
from gradatim.cli.diffusion_dosy import Dosy
from gradatim.cli.diffusion_kurtosis import Kurtosis
from gradatim.cli.diffusion_tensor import Tensor


@dataclass(frozen=True)
class Diffusion:
    """Measure diffusion: maps of an MRI series, or the diffusivities in a decay of NMR.

    `gradatim diffusion tensor --help` shows what one of them takes.

    Attributes:
        step: what to do.
    """

    step: Annotated[
        Annotated[Tensor, tyro.conf.subcommand("tensor", prefix_name=False)]
        | Annotated[Kurtosis, tyro.conf.subcommand("kurtosis", prefix_name=False)]
        | Annotated[Adc, tyro.conf.subcommand("adc", prefix_name=False)]
        | Annotated[Dosy, tyro.conf.subcommand("dosy", prefix_name=False)]
        | Annotated[B, tyro.conf.subcommand("b", prefix_name=False)],
        tyro.conf.arg(name=""),
    ]

    def run(self) -> int:
        """Do it; the exit code."""
        return self.step.run()
