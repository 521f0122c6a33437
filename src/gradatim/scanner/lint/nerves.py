"""The estimate of nerve stimulation as a finding."""

from dataclasses import dataclass

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS, Sequence
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeHardware
from gradatim.scanner.safety.safe import Safe
from gradatim.scanner.system import System

STRONGEST_AROUND_PEOPLE = 0.5
"""T/m: the strongest gradient system in which people lie (Connectome 2.0; Huang et al., NeuroImage 2021)."""

FASTEST_AROUND_PEOPLE = 1000.0
"""T/(m·s), above the 900 of the fastest head coil (Feinberg et al., Nature Methods 2023)."""

_ROUNDING = 1e-3


def around_people(sequence: Sequence) -> bool:
    """Whether a gradient system in which people lie could play the sequence: up to 0.5 T/m and 1000 T/(m·s).

    Spectrometers and systems for small animals go beyond; what nerves would feel there is no question.

    Args:
        sequence: anybody's; its jumps are a fault of their own and do not count.

    Example:
        >>> around_people(Sequence(()))
        True
    """
    strongest, fastest = _reached(sequence)
    allowed = 1 + _ROUNDING
    return strongest <= STRONGEST_AROUND_PEOPLE * allowed and fastest <= FASTEST_AROUND_PEOPLE * allowed


@dataclass(frozen=True)
class NerveLimit:
    """GD-913: the SAFE estimate stays below the hardware's limit; a warning from the share of it given on.

    No finding is no clearance: the model is an estimate. The example hardware is no scanner's, so that its limit gives
    a warning at most, and judges no sequence beyond any system in which people lie: that it does not is a warning, or
    a note where the system is known to be such a one. Hardware of one's own judges in any case.

    Args:
        hardware: of the gradient coil.
        near: %, from which a warning is given: scanners in normal mode stop at 80.
        system: that plays the sequence, if it is known.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> NerveLimit().near
        80.0
    """

    hardware: SafeHardware = EXAMPLE_HARDWARE
    near: float = 80.0
    system: System | None = None

    def __post_init__(self) -> None:
        require_positive(self, self.near)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        example = self.hardware == EXAMPLE_HARDWARE
        if example and not around_people(played.sequence):
            return (self._not_judged(played),)
        step = played.sequence.rasters.gradient / TICKS
        peak = Safe(self.hardware, step).peak(played.sequence)
        if peak.total < self.near:
            return ()
        severity = Severity.REFUSE if peak.total >= 100 and not example else Severity.WARN
        x, y, z = peak.axes
        place = [played.place(min(round(peak.time * TICKS), max(played.sequence.duration - 1, 0)))]
        what = f"{peak} (x {x:.0f}, y {y:.0f}, z {z:.0f} %)"
        fix = "slow the ramps, or weaken the gradients that switch together there"
        if example:
            fix += "; the parameters of your own coil say how much it matters"
        return (finding("GD-913", severity, place, what=what, allowed=f"below {self.near:g} %", fix=fix),)

    def _not_judged(self, played: Played) -> Finding:
        strongest, fastest = _reached(played.sequence)
        known = self.system is not None and (
            self.system.max_gradient > STRONGEST_AROUND_PEOPLE or self.system.max_slew > FASTEST_AROUND_PEOPLE
        )
        waveform = played.sequence.waveform
        steepest = float(waveform.edges[int(waveform.slew.abs().amax(dim=-1).argmax())])
        return finding(
            "GD-913",
            Severity.NOTE if known else Severity.WARN,
            [played.place(round(steepest * TICKS))],
            what=f"nerves are not judged: gradients reach {1e3 * strongest:.4g} mT/m and {fastest:.4g} T/(m·s), "
            "more than any system in which people lie",
            allowed=f"up to {1e3 * STRONGEST_AROUND_PEOPLE:g} mT/m and {FASTEST_AROUND_PEOPLE:g} T/(m·s)",
            fix="nothing on a spectrometer; on a scanner for people make the ramps longer",
        )


def _reached(sequence: Sequence) -> tuple[float, float]:
    """The strongest gradient, T/m, and the fastest change within a piece, T/(m·s)."""
    waveform = sequence.waveform
    if not len(waveform.left):
        return 0.0, 0.0
    strongest = torch.maximum(waveform.left.abs(), waveform.right.abs())
    return float(strongest.max()), float(waveform.slew.abs().max())
