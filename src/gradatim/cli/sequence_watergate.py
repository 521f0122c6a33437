"""gradatim sequence watergate: water suppression as a Pulseq file, and whether the hardware suffices."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gradatim.cli.system_choice import SystemChoice, require_plausible

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.sequences.solvent_suppression import SolventSuppression
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class WatergateSequence:
    """Make WATERGATE, and tell whether this hardware suppresses water as far as is wanted, and what binds.

    The lobes are as strong as is needed, or as they can be. Give the spectrometer's limits, such as
    --gmax 0.5 --smax 5000.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        train: 3-9-19 or w5, whose hole is narrower.
        spacing_us: between the middles of the train's pulses, µs; the spectrum has its next hole near 1/spacing.
        nutation_khz: strength of the pulses, kHz; a 90° pulse of 10 µs has 25.
        suppression: wanted, water before over water after.
        sample_mm: length of the sample along the gradient, mm.
        lobe_ms: duration of each gradient lobe, ms.
        water_hz: how far the water's line reaches on both sides of resonance, Hz.
        dwell_us: of a sample, µs.
        samples: how many.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    train: Literal["3-9-19", "w5"] = "3-9-19"
    spacing_us: float = 200.0
    nutation_khz: float = 25.0
    suppression: float = 1000.0
    sample_mm: float = 15.0
    lobe_ms: float = 1.0
    water_hz: float = 5.0
    dwell_us: float = 100.0
    samples: int = 2048
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.sequence_outputs import deliver

        return deliver(self, self._make, delivered=self._delivered)

    def _question(self) -> "SolventSuppression":
        from gradatim.scanner.pulses.binomial import THREE_NINE_NINETEEN, W5, BinomialTrain
        from gradatim.scanner.sequences.solvent_suppression import SolventSuppression

        for typed, what in ((self.spacing_us, "--spacing-us"), (self.dwell_us, "--dwell-us")):
            require_plausible(typed, (1e-2, 1e6), what=what, unit="µs", do="2e-4 s is 200")
        train = BinomialTrain(THREE_NINE_NINETEEN if self.train == "3-9-19" else W5, self.spacing_us / 1e6)
        return SolventSuppression(train, self.suppression, self.sample_mm / 1e3, self.lobe_ms / 1e3, self.water_hz)

    def _make(self, system: "System") -> "Sequence":
        from gradatim.scanner.pulses.hard import HardPulse
        from gradatim.scanner.pulses.strength import shortest_hard

        system = self._spectrometer(system)
        watergate = self._question().sequence(system)
        flip = watergate.excitation.flip
        excitation = HardPulse(flip, shortest_hard(flip, system))
        return replace(watergate, excitation=excitation, dwell=self.dwell_us / 1e6, samples=self.samples)(system)

    def _spectrometer(self, system: "System") -> "System":
        from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T

        require_plausible(self.nutation_khz, (1e-3, 1e3), what="--nutation-khz", unit="kHz", do="25 000 Hz is 25")
        return replace(system, max_b1=1e3 * self.nutation_khz / PROTON_GAMMA_BAR_HZ_PER_T)

    def _delivered(self, system: "System", sequence: "Sequence") -> dict[str, float | str | tuple[float, ...]]:
        from gradatim.cli.sequence_outputs import timing

        question = self._question()
        verdict = question(self._spectrometer(system))
        return {
            **timing(sequence),
            "suffices": verdict.sentence,
            "suppression": verdict.suppression,
            "margin": verdict.margin,
            "suppression_by_gradient": verdict.by_gradient,
            "suppression_by_train": verdict.by_train,
            "first_null_hz": question.first_null(self._spectrometer(system)),
        }
