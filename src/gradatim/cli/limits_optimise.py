"""gradatim limits optimise: the protocol that knows a quantity best in a scan time, under a scanner's limits."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.limits_optimise_diffusion import OptimisedDiffusion
from gradatim.cli.limits_optimise_echoes import OptimisedSusceptibility, OptimisedT2Star


@dataclass(frozen=True)
class OptimisedLimit:
    """Tell which echo times or b-values make the error of T2*, susceptibility or D smallest in a scan time.

    `gradatim limits optimise t2star --help` shows what one of them takes.

    Attributes:
        quantity: whose error.
    """

    quantity: Annotated[
        Annotated[OptimisedT2Star, tyro.conf.subcommand("t2star", prefix_name=False)]
        | Annotated[OptimisedSusceptibility, tyro.conf.subcommand("susceptibility", prefix_name=False)]
        | Annotated[OptimisedDiffusion, tyro.conf.subcommand("diffusion", prefix_name=False)],
        tyro.conf.arg(name=""),
    ]

    def run(self) -> int:
        """Tell it; the exit code."""
        return self.quantity.run()
