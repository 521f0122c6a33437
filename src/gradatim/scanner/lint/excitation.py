"""Whether there is anything to judge: a pulse that excites, and readouts after it."""

from dataclasses import dataclass

from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.check import finding
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class NothingExcited:
    """GD-924: data are read after an excitation. Where none are, the checks of coherences have nothing to look at.

    Example:
        >>> NothingExcited()
        NothingExcited()
    """

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        readouts, pulses = played.sequence.readouts, len(played.sequence.pulses)
        belong = sum(len(shot.readouts) for shot in played.shots)
        if belong and belong == len(readouts):
            return ()
        orphans = len(readouts) - belong
        what = f"{pulses} pulses, {len(readouts)} readouts, {orphans} of them before any excitation"
        severity = Severity.NOTE if belong or not readouts else Severity.WARN
        fix = "say what each pulse is for, if this is to give an image"
        place = [played.place(0)]
        return (finding("GD-924", severity, place, what=what, allowed="readouts after an excitation", fix=fix),)
