"""gradatim limits slice: the thinnest slice, and what one of a given thickness takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class SliceLimit:
    """Solve BW = γ̄·G·Δz and BW = TBW/T for what is left out, and tell the thinnest slice of this bandwidth.

    The bandwidth comes from itself, from pulse and time-bandwidth product, or from gradient and thickness.

    Attributes:
        thickness_mm: of the slice, mm.
        gradient: that selects it, T/m.
        bandwidth: of the pulse, Hz.
        pulse_ms: duration of the pulse, ms.
        time_bandwidth: their product, 4 for a common sinc.
        hardware: the gradient system.
        picture: draw the thinnest slice over gradient and slew rate to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    thickness_mm: float | None = None
    gradient: float | None = None
    bandwidth: float | None = None
    pulse_ms: float | None = None
    time_bandwidth: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Solve, print and draw; whatever is refused is raised."""
        from gradatim.cli.limit_outputs import show
        from gradatim.cli.system_choice import STRENGTHS, require_plausible
        from gradatim.cli.typed_units import from_milliseconds, metres
        from gradatim.scanner.limits.slice_selection import SliceSelection

        require_plausible(self.gradient, STRENGTHS, what="--gradient", unit="T/m", do="10 mT/m is 0.010")
        design = SliceSelection(
            thickness=metres(self.thickness_mm, what="--thickness-mm"),
            gradient=self.gradient,
            bandwidth=self.bandwidth,
            pulse=from_milliseconds(self.pulse_ms, what="--pulse-ms"),
            time_bandwidth=self.time_bandwidth,
        )
        return show(design, self.hardware, json=self.json, picture=self.picture)
