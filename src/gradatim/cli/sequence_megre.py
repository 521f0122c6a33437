"""gradatim sequence megre: a spoiled gradient echo with several echoes as a Pulseq file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gradatim.cli.cartesian_options import CartesianOptions
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class MultiEchoGre:
    """Make a spoiled gradient echo with several echoes, k = 0 of each sampled exactly at its echo time.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        echo_times_ms: ms, one after the other; without them evenly spaced ones, as short as possible.
        echoes: how many, where no times are given.
        echo_spacing_ms: between them, where no times are given; without it the shortest.
        polarity: bipolar reads every second echo backwards; monopolar flies back between echoes.
        repetition_time_ms: ms; without it the shortest.
        geometry: what is excited and encoded.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    echo_times_ms: tuple[float, ...] = ()
    echoes: int = 6
    echo_spacing_ms: float | None = None
    polarity: Literal["monopolar", "bipolar"] = "monopolar"
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
        from gradatim.scanner.sequences.echo_readouts import Bipolar, Monopolar
        from gradatim.scanner.sequences.multi_echo_gre import MultiEchoGradientEcho, ShortestEchoes

        times = tuple(time / 1e3 for time in self.echo_times_ms)
        spacing = from_milliseconds(self.echo_spacing_ms, what="--echo-spacing-ms")
        return MultiEchoGradientEcho(
            self.geometry.encoding(),
            self.geometry.excitation(system),
            times or ShortestEchoes(self.echoes, spacing=spacing),
            from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            Bipolar() if self.polarity == "bipolar" else Monopolar(),
            self.geometry.spoiling(),
        )(system)
