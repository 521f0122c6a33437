"""gradatim limits readout: the shortest dwell time, and what a line of k-space takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class ReadoutLimit:
    """Solve field of view, matrix, dwell time, gradient and bandwidth for what is left out; tell the shortest dwell.

    Attributes:
        fov_mm: field of view, mm.
        matrix: samples a line.
        pixel_mm: field of view over matrix, mm.
        dwell_us: time a sample, µs.
        gradient: of the readout, T/m.
        pixel_bandwidth: Hz a pixel.
        shortest_dwell_us: of the receiver, µs; by default it does not matter.
        hardware: the gradient system.
        picture: draw the shortest dwell time over gradient and slew rate to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    fov_mm: float | None = None
    matrix: int | None = None
    pixel_mm: float | None = None
    dwell_us: float | None = None
    gradient: float | None = None
    pixel_bandwidth: float | None = None
    shortest_dwell_us: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Solve, print and draw; whatever is refused is raised."""
        from gradatim.cli.limit_outputs import show
        from gradatim.cli.system_choice import STRENGTHS, require_plausible
        from gradatim.cli.typed_units import fov_metres, from_microseconds, metres
        from gradatim.scanner.limits.readout import FrequencyEncoding

        require_plausible(self.gradient, STRENGTHS, what="--gradient", unit="T/m", do="10 mT/m is 0.010")
        design = FrequencyEncoding(
            fov=fov_metres(self.fov_mm),
            matrix=self.matrix,
            pixel=metres(self.pixel_mm, what="--pixel-mm"),
            dwell=from_microseconds(self.dwell_us, what="--dwell-us"),
            gradient=self.gradient,
            pixel_bandwidth=self.pixel_bandwidth,
            shortest_dwell=from_microseconds(self.shortest_dwell_us, what="--shortest-dwell-us"),
        )
        return show(design, self.hardware, json=self.json, picture=self.picture)
