"""gradatim sequence epi: single-shot echo-planar imaging as a Pulseq file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.cli.plane_options import SliceOptions, TrainOptions
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class Epi:
    """Make single-shot echo-planar imaging, sampled on its ramps, with the shortest echo spacing of the hardware.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        echo_time_ms: from the excitation to k = 0, ms; without it the shortest.
        repetition_time_ms: ms; without it the shortest.
        flip_angle: degrees.
        pulse_ms: duration of the sinc pulse, ms.
        volumes: how often all slices are measured.
        dummies: volumes without readout before the first.
        train: the plane and how it is read.
        geometry: the slices.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    flip_angle: float = 90.0
    pulse_ms: float = 2.0
    volumes: int = 1
    dummies: int = 0
    train: Annotated[TrainOptions, tyro.conf.arg(name="")] = TrainOptions()
    geometry: Annotated[SliceOptions, tyro.conf.arg(name="")] = SliceOptions()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.sequence_outputs import deliver

        return deliver(self, self._make, delivered=self.train.delivered)

    def _make(self, system: "System") -> "Sequence":
        from gradatim.cli.plane_options import sinc_pulse
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.scanner.sequences.epi import EchoPlanar

        return EchoPlanar(
            self.train.train(),
            self.geometry.thickness,
            sinc_pulse(self.flip_angle, self.pulse_ms, what="--pulse-ms"),
            from_milliseconds(self.echo_time_ms, what="--echo-time-ms"),
            from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            self.geometry.positions,
            self.volumes,
            self.dummies,
        )(system)
