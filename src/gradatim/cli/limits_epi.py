"""gradatim limits epi: the shortest echo spacing of echo-planar imaging."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class EpiLimit:
    """Tell the shortest echo spacing of EPI, its distortion, and how near nerve stimulation it comes.

    Attributes:
        matrix: pixels along both axes.
        fov_mm: field of view along both axes, mm.
        sampling: ramps (all of the lobe is sampled), flat-top, or no-blips (all but the blips).
        acceleration: of parallel imaging: steps of k-space that one blip makes.
        shortest_dwell_us: of the receiver, µs; by default it does not matter.
        stimulation_percent: of the limit of nerve stimulation (first level, strength-duration form) that the readout's
            swing may reach, by a rule of thumb; slew rate and gradient are lowered for it. By default it does not
            matter. An estimate, never a clearance.
        hardware: the gradient system.
        picture: draw the echo spacing to this SVG file.
        over: what the picture goes over: hardware (gradient and slew rate) or resolution (matrix size).
        json: print one JSON object in SI units, for programs.
    """

    matrix: int = 128
    fov_mm: float = 220.0
    sampling: str = "ramps"
    acceleration: int = 1
    shortest_dwell_us: float | None = None
    stimulation_percent: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    over: str = "hardware"
    json: bool = False

    def run(self) -> int:
        """Solve, print and draw.

        Raises:
            UsageError: GD-102 for an unknown sampling or picture; GD-159 for a share below 1 or above 100 %; what the
                design and the system refuse.
        """
        from gradatim.base.choice import choose
        from gradatim.cli.limit_outputs import show
        from gradatim.cli.limit_pictures import PICTURES
        from gradatim.cli.system_choice import require_plausible
        from gradatim.cli.typed_units import fov_metres, from_microseconds
        from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
        from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, EpiSampling, FlatTopSampled, RampSampled
        from gradatim.scanner.safety.strength_duration import FIRST_LEVEL
        from gradatim.scanner.system import System

        percent, allowed = self.stimulation_percent, (1.0, 100.0)
        require_plausible(percent, allowed, what="--stimulation-percent", unit="%", do="a share of 0.8 is 80")
        ways: dict[str, EpiSampling] = {
            "ramps": RampSampled(),
            "flat-top": FlatTopSampled(),
            "no-blips": BlipsLeftOut(),
        }
        design = EpiEchoSpacing(
            fov=fov_metres(self.fov_mm) or 0.0,
            matrix=self.matrix,
            sampling=choose(self.sampling, ways, what="sampling"),
            blip_steps=self.acceleration,
            shortest_dwell=from_microseconds(self.shortest_dwell_us, what="--shortest-dwell-us"),
            allowed_share=None if percent is None else percent / 100,
        )

        def stimulation(system: System) -> str:
            share = 100 * design.stimulation(system, FIRST_LEVEL.of_swing)
            return (
                f"nerve stimulation: the swing reaches {share:.0f} % of the first-level limit by a rule of thumb "
                "(field at 0.2 m); an estimate, no clearance"
            )

        draw = choose(self.over, PICTURES, what="picture over")
        return show(design, self.hardware, json=self.json, picture=self.picture, note=stimulation, draw=draw)
