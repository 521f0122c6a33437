"""gradatim limits diffusion: the shortest echo time for a b-value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class DiffusionLimit:
    """Tell the shortest echo time of a diffusion-weighted spin echo, and the lobes that it takes.

    One axis is counted; three axes together are √3 stronger and faster.

    Attributes:
        b: b-value, s/mm².
        readout_ms: from the end of the second lobe to the echo, ms.
        refocusing_ms: the refocusing pulse with crushers and dead times, ms: all that separates the lobes at least.
        excitation_ms: the excitation pulse, ms.
        hardware: the gradient system.
        picture: draw the echo time over gradient and slew rate to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    b: float = 1000.0
    readout_ms: float = 15.0
    refocusing_ms: float = 8.0
    excitation_ms: float = 3.0
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Solve, print and draw; whatever is refused is raised."""
        from gradatim.cli.limit_outputs import show
        from gradatim.cli.system_choice import require_plausible
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.scanner.limits.diffusion_lobes import DiffusionEchoTime

        require_plausible(self.b, (1e-3, 1e6), what="--b", unit="s/mm²", do="1e9 s/m² is 1000")
        design = DiffusionEchoTime(
            b=self.b * 1e6,
            readout=from_milliseconds(self.readout_ms, what="--readout-ms") or 0.0,
            refocusing=from_milliseconds(self.refocusing_ms, what="--refocusing-ms") or 0.0,
            excitation=from_milliseconds(self.excitation_ms, what="--excitation-ms") or 0.0,
        )
        return show(design, self.hardware, json=self.json, picture=self.picture)
