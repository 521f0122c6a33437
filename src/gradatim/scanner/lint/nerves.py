"""The estimate of nerve stimulation as a finding."""

from dataclasses import dataclass

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeHardware
from gradatim.scanner.safety.safe import Safe


@dataclass(frozen=True)
class NerveLimit:
    """GD-913: the SAFE estimate stays below the hardware's limit; a warning from the share of it given on.

    No finding is no clearance: the model is an estimate, and the example hardware is no scanner's.

    Args:
        hardware: of the gradient coil.
        near: %, from which a warning is given: scanners in normal mode stop at 80.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> NerveLimit().near
        80.0
    """

    hardware: SafeHardware = EXAMPLE_HARDWARE
    near: float = 80.0

    def __post_init__(self) -> None:
        require_positive(self, self.near)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        step = played.sequence.rasters.gradient / TICKS
        peak = Safe(self.hardware, step).peak(played.sequence)
        if peak.total < self.near:
            return ()
        severity = Severity.REFUSE if peak.total >= 100 else Severity.WARN
        x, y, z = peak.axes
        place = [played.place(min(round(peak.time * TICKS), max(played.sequence.duration - 1, 0)))]
        what = f"{peak} (x {x:.0f}, y {y:.0f}, z {z:.0f} %)"
        fix = "slow the ramps, or weaken the gradients that switch together there"
        return (finding("GD-913", severity, place, what=what, allowed=f"below {self.near:g} %", fix=fix),)
