"""gradatim ct: the scale and the sharpness of computed tomography, each a sub-command."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.ct_calibrate import Calibrate
from gradatim.cli.ct_mtf import Mtf


@dataclass(frozen=True)
class Ct:
    """Calibrate the CT numbers of an image, or measure how sharp a scanner is.

    `gradatim ct calibrate --help` shows what one of them takes.

    Attributes:
        step: what to do.
    """

    step: Annotated[
        Annotated[Calibrate, tyro.conf.subcommand("calibrate", prefix_name=False)]
        | Annotated[Mtf, tyro.conf.subcommand("mtf", prefix_name=False)],
        tyro.conf.arg(name=""),
    ]

    def run(self) -> int:
        """Do it; the exit code."""
        return self.step.run()
