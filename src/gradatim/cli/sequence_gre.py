"""gradatim sequence gre: a spoiled gradient echo as a Pulseq file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.cli.cartesian_options import CartesianOptions
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class Gre:
    """Make a spoiled gradient echo of a slice or a volume, k = 0 sampled exactly at the echo time.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        echo_time_ms: ms; without it the shortest.
        repetition_time_ms: ms; without it the shortest.
        geometry: what is excited and encoded.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    geometry: Annotated[CartesianOptions, tyro.conf.arg(name="")] = CartesianOptions()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.sequence_outputs import deliver

        return deliver(self, self._make, delivered=self.geometry.delivered)

    def _make(self, system: "System") -> "Sequence":
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.scanner.sequences.gre import GradientEcho

        return GradientEcho(
            self.geometry.encoding(),
            self.geometry.excitation(system),
            from_milliseconds(self.echo_time_ms, what="--echo-time-ms"),
            from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            self.geometry.spoiling(),
        )(system)
