"""gradatim limits tse: the shortest echo spacing of RARE, turbo and fast spin echo."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class TseLimit:
    """Tell the shortest echo spacing of a train of refocusing pulses, without dead times and with them.

    Attributes:
        matrix: pixels along both axes.
        fov_mm: field of view along both axes, mm.
        thickness_mm: of the slice, mm.
        cycles: turns of phase that one crusher winds across the slice.
        pulse_ms: duration of the refocusing pulse, ms.
        dwell_us: time a sample, µs.
        dead_time_us: between pulse and acquisition, µs; by default the answer is the bound without it.
        hardware: the gradient system.
        picture: draw the echo spacing to this SVG file.
        over: what the picture goes over: hardware (gradient and slew rate) or resolution (matrix size).
        json: print one JSON object in SI units, for programs.
    """

    matrix: int = 256
    fov_mm: float = 220.0
    thickness_mm: float = 3.0
    cycles: float = 4.0
    pulse_ms: float = 2.0
    dwell_us: float = 10.0
    dead_time_us: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    over: str = "hardware"
    json: bool = False

    def run(self) -> int:
        """Solve, print and draw; whatever is refused is raised."""
        from gradatim.base.choice import choose
        from gradatim.cli.limit_outputs import show
        from gradatim.cli.limit_pictures import PICTURES
        from gradatim.cli.typed_units import fov_metres, from_microseconds, from_milliseconds, metres
        from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing

        design = RefocusingTrainSpacing(
            fov=fov_metres(self.fov_mm) or 0.0,
            matrix=self.matrix,
            thickness=metres(self.thickness_mm, what="--thickness-mm") or 0.0,
            cycles=self.cycles,
            pulse=from_milliseconds(self.pulse_ms, what="--pulse-ms") or 0.0,
            dwell=from_microseconds(self.dwell_us, what="--dwell-us") or 0.0,
            dead_time=from_microseconds(self.dead_time_us, what="--dead-time-us") or 0.0,
        )
        note = (
            "a lower bound: crushers and encoding share a window and begin at 0, ramps of the slice's own gradient are "
            "left out, and dead times too, except on the scanner's clock"
        )
        draw = choose(self.over, PICTURES, what="picture over")
        return show(design, self.hardware, json=self.json, picture=self.picture, note=lambda _: note, draw=draw)
