"""gradatim sequence tse: turbo spin echo as a Pulseq file."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.plane_options import SliceOptions
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.sequences.echo_order import EchoOrder
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class Tse:
    """Make a turbo spin echo (RARE, fast spin echo) that keeps the conditions of Carr, Purcell, Meiboom and Gill.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        echoes: of a train; they divide the lines.
        order: linear reads k = 0 in the middle of the train, centre-out first.
        effective_echo_time_ms: of k = 0, ms, in place of an order; the nearest echo is taken.
        echo_spacing_ms: ms; without it the shortest.
        repetition_time_ms: ms; without it the shortest.
        refocusing_angles: degrees; one for all, or one an echo.
        pulse_ms: duration of the sinc pulses that excite and refocus, ms.
        crusher_cycles: of dephasing over the slice on each side of a refocusing pulse.
        dummies: trains without readout before the first; without any the image ghosts.
        matrix: samples along x and lines along y.
        fov_mm: field of view along x and y, mm.
        dwell_us: of a sample, µs.
        geometry: the slices.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    echoes: int = 16
    order: Literal["linear", "centre-out"] = "linear"
    effective_echo_time_ms: float | None = None
    echo_spacing_ms: float | None = None
    repetition_time_ms: float | None = None
    refocusing_angles: tuple[float, ...] = (180.0,)
    pulse_ms: tuple[float, float] = (1.2, 2.4)
    crusher_cycles: float = 3.0
    dummies: int = 1
    matrix: tuple[int, int] = (64, 64)
    fov_mm: tuple[float, float] = (220.0, 220.0)
    dwell_us: float = 20.0
    geometry: Annotated[SliceOptions, tyro.conf.arg(name="")] = SliceOptions()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.sequence_outputs import deliver

        return deliver(self, self._make, delivered=self._delivered)

    def _make(self, system: "System") -> "Sequence":
        from gradatim.cli.plane_options import sinc_pulse
        from gradatim.cli.typed_units import fov_metres, from_microseconds, from_milliseconds
        from gradatim.scanner.sequences.encoding import CartesianEncoding
        from gradatim.scanner.sequences.tse import EchoTrain, TurboSpinEcho

        x, y = (fov_metres(length) or 0.0 for length in self.fov_mm)
        dwell = from_microseconds(self.dwell_us, what="--dwell-us") or 0.0
        return TurboSpinEcho(
            CartesianEncoding((x, y, self.geometry.thickness), (*self.matrix, 1), dwell),
            EchoTrain(
                self.echoes,
                self._order(),
                tuple(math.radians(angle) for angle in self.refocusing_angles),
                from_milliseconds(self.echo_spacing_ms, what="--echo-spacing-ms"),
                self.crusher_cycles,
            ),
            sinc_pulse(90.0, self.pulse_ms[0], what="--pulse-ms"),
            sinc_pulse(180.0, self.pulse_ms[1], what="--pulse-ms"),
            from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            self.dummies,
            self.geometry.positions,
        )(system)

    def _order(self) -> "EchoOrder":
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.scanner.sequences.echo_order import CentreOutOrder, EffectiveEchoTimeOrder, LinearOrder

        orders: dict[str, EchoOrder] = {"linear": LinearOrder(), "centre-out": CentreOutOrder()}
        time = from_milliseconds(self.effective_echo_time_ms, what="--effective-echo-time-ms")
        if time is not None and self.order != "linear":
            raise UsageError(
                "GD-104",
                given=f"--effective-echo-time-ms with --order {self.order}",
                allowed="one of them",
                do="leave one out",
            )
        return orders[self.order] if time is None else EffectiveEchoTimeOrder(time)

    def _delivered(self, system: "System", sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
        from gradatim.cli.sequence_outputs import timing

        said = {name: value for name, value in sequence.definitions.items() if not isinstance(value, str)}
        spacing = said["EchoSpacing"][0]
        return {
            **timing(sequence),
            "echo_spacing_s": spacing,
            "echo_times_s": tuple(spacing * (echo + 1) for echo in range(self.echoes)),
            "bandwidth_per_pixel_hz": said["BandwidthPerPixel"][0],
            "shots": float(self.matrix[1] // self.echoes),
        }
