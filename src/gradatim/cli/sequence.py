"""gradatim sequence: pulse sequences on a scanner's clock, written as Pulseq files, each a sub-command."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.sequence_diffusion import Diffusion
from gradatim.cli.sequence_epi import Epi
from gradatim.cli.sequence_gre import Gre
from gradatim.cli.sequence_lint import SequenceLint
from gradatim.cli.sequence_megre import MultiEchoGre
from gradatim.cli.sequence_pfg import Pfg
from gradatim.cli.sequence_tse import Tse
from gradatim.cli.sequence_watergate import WatergateSequence


@dataclass(frozen=True)
class MakeSequence:
    """Make a pulse sequence on a scanner's clock, tell what it delivers, and write it as a Pulseq file.

    `gradatim sequence megre --help` shows what one of them takes.

    Attributes:
        kind: of sequence.
    """

    kind: Annotated[
        Annotated[Gre, tyro.conf.subcommand("gre", prefix_name=False)]
        | Annotated[MultiEchoGre, tyro.conf.subcommand("megre", prefix_name=False)]
        | Annotated[Epi, tyro.conf.subcommand("epi", prefix_name=False)]
        | Annotated[Tse, tyro.conf.subcommand("tse", prefix_name=False)]
        | Annotated[Diffusion, tyro.conf.subcommand("diffusion", prefix_name=False)]
        | Annotated[Pfg, tyro.conf.subcommand("pfg", prefix_name=False)]
        | Annotated[WatergateSequence, tyro.conf.subcommand("watergate", prefix_name=False)]
        | Annotated[SequenceLint, tyro.conf.subcommand("lint", prefix_name=False)],
        tyro.conf.arg(name=""),
    ]

    def run(self) -> int:
        """Make it; the exit code."""
        return self.kind.run()
