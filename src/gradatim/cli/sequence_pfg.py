"""gradatim sequence pfg: pulsed-field-gradient NMR with a stimulated echo as a Pulseq file."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.sequences.stimulated_echo import StimulatedEcho
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class Pfg:
    """Make a PFG stimulated echo, one measurement for each gradient strength: 90 - G - 90 - storage - 90 - G - echo.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        gradients: T/m, one measurement each; 50 G/cm are 0.5.
        small_delta_ms: length of a gradient pulse, from the beginning of its rise to that of its fall, ms.
        big_delta_ms: diffusion time, from the beginning of one gradient to that of the other, ms.
        lobes: bipolar ones cancel background gradients.
        settling_ms: without gradients before and after each pulse, ms.
        repetition_time_ms: ms; five times the longest T1, or the first measurement is brighter than the others and D
            comes out wrong.
        pulse_us: length of a 90 degree pulse, µs.
        samples: of the decay.
        dwell_us: of a sample, µs.
        spoiler: dephasing during storage, 1/m.
        dummies: measurements without readout before the first.
        max_b1_ut: strongest RF field, µT.
        hardware: the gradient system; 0.5 T/m and 5000 T/(m·s) unless said.
        picture: draw waveforms and dephasing to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    gradients: tuple[float, ...] = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5)
    small_delta_ms: float = 2.0
    big_delta_ms: float = 50.0
    lobes: Literal["single", "bipolar"] = "single"
    settling_ms: float = 0.2
    repetition_time_ms: float = 5000.0
    pulse_us: float = 10.0
    samples: int = 1024
    dwell_us: float = 100.0
    spoiler: float = 1e4
    dummies: int = 0
    max_b1_ut: float = 1000.0
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = field(
        default_factory=lambda: SystemChoice(gmax=0.5, smax=5000.0)
    )
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.sequence_outputs import deliver

        return deliver(self, self._make, delivered=self._delivered)

    def _make(self, system: "System") -> "Sequence":
        return self._protocol()(replace(system, max_b1=1e-6 * self.max_b1_ut))

    def _delivered(self, _: "System", sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
        said = {name: value for name, value in sequence.definitions.items() if not isinstance(value, str)}
        return {
            "transverse_time_s": said["TE"][0],
            "repetition_time_s": said["TR"][0],
            "small_delta_s": said["SmallDelta"][0],
            "big_delta_s": said["BigDelta"][0],
            "gradient_t_per_m": said["Gradients"],
            "b_s_per_m2": said["BValues"],
            "spectral_width_hz": said["SpectralWidth"][0],
        }

    def _protocol(self) -> "StimulatedEcho":
        from gradatim.cli.typed_units import from_microseconds, from_milliseconds
        from gradatim.scanner.pulses.hard import HardPulse
        from gradatim.scanner.sequences.encoding_lobes import BipolarLobes, SingleLobe
        from gradatim.scanner.sequences.stimulated_echo import StimulatedEcho

        pulse = from_microseconds(self.pulse_us, what="--pulse-us") or 0.0
        delta = from_milliseconds(self.small_delta_ms, what="--small-delta-ms") or 0.0
        pair = BipolarLobes(delta, HardPulse(math.pi, 2 * pulse))
        return StimulatedEcho(
            self.gradients,
            pair if self.lobes == "bipolar" else SingleLobe(delta),
            diffusion_time=from_milliseconds(self.big_delta_ms, what="--big-delta-ms") or 0.0,
            settling=from_milliseconds(self.settling_ms, what="--settling-ms") or 0.0,
            samples=self.samples,
            dwell=from_microseconds(self.dwell_us, what="--dwell-us") or 0.0,
            repetition_time=from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            pulse=HardPulse(math.pi / 2, pulse),
            spoiler=self.spoiler,
            dummies=self.dummies,
        )
