"""gradatim limits: what a gradient system allows, in closed form, each a sub-command."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.limits_diffusion import DiffusionLimit
from gradatim.cli.limits_echo_times import EchoTimesLimit
from gradatim.cli.limits_epi import EpiLimit
from gradatim.cli.limits_optimise import OptimisedLimit
from gradatim.cli.limits_readout import ReadoutLimit
from gradatim.cli.limits_slice import SliceLimit
from gradatim.cli.limits_tse import TseLimit


@dataclass(frozen=True)
class Limits:
    """Tell how thin, how fast and how short a gradient system can be, what binds it, and what helps.

    `gradatim limits epi --help` shows what one of them takes.

    Attributes:
        design: what is asked about.
    """

    design: Annotated[
        Annotated[SliceLimit, tyro.conf.subcommand("slice", prefix_name=False)]
        | Annotated[ReadoutLimit, tyro.conf.subcommand("readout", prefix_name=False)]
        | Annotated[EpiLimit, tyro.conf.subcommand("epi", prefix_name=False)]
        | Annotated[TseLimit, tyro.conf.subcommand("tse", prefix_name=False)]
        | Annotated[DiffusionLimit, tyro.conf.subcommand("diffusion", prefix_name=False)]
        | Annotated[EchoTimesLimit, tyro.conf.subcommand("echo-times", prefix_name=False)]
        | Annotated[OptimisedLimit, tyro.conf.subcommand("optimise", prefix_name=False)],
        tyro.conf.arg(name=""),
    ]

    def run(self) -> int:
        """Tell it; the exit code."""
        return self.design.run()
