"""Whether the first data are taken from the magnetisation that later ones meet, or a dummy shot is missing."""

import bisect
import math
from collections import defaultdict
from dataclasses import dataclass

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS, PulseUse
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played, Shot


@dataclass(frozen=True)
class MissingDummy:
    """GD-904: the first shot that is read begins with the longitudinal magnetisation of the last.

    Mz of each slice is followed over all pulses of the sequence: Mz → Mz·cos α at each of them (inversions and
    refocusing pulses invert what a slice-wide pulse of theirs reaches), recovery with T1 between, nothing transverse
    left. Where shots read several lines, the difference repeats over k-space and gives ghosts: refused. Where each
    reads one, it fades: a warning without a dummy shot, a note with too few.

    Args:
        t1: of the tissue that is thought of, s.
        tolerance: of the ratio of magnetisations.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> MissingDummy().t1
        1.0
    """

    t1: float = 1.0
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        require_positive(self, self.t1, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding a slice whose first data differ.

        Args:
            played: the sequence.
        """
        slices: dict[tuple[int, ...], list[Shot]] = defaultdict(list)
        for shot in played.shots:
            slices[played.slice_key(shot.excitation)].append(shot)
        found = [self._of_slice(played, key, shots) for key, shots in slices.items()]
        return tuple(each for each in found if each is not None)

    def _of_slice(self, played: Played, key: tuple[int, ...], shots: list[Shot]) -> Finding | None:
        """The finding of one slice, if there is one."""
        level = self._magnetisation(played, key)
        segments = _segments(played, shots)
        read = [segment for segment in segments if any(shot.readouts for shot in segment)]
        if len(read) < 2:
            return None
        first, last = (_first_read(segment) for segment in (read[0], read[-1]))
        begun, settled = level[first.excitation], level[last.excitation]
        if abs(begun - settled) <= self.tolerance * max(abs(settled), 1e-9):
            return None
        lines = max(sum(len(shot.readouts) for shot in segment) for segment in read)
        dummies = segments.index(read[0])
        several = lines > 1 and _lines_differ(played, read[0])
        single = Severity.WARN if dummies == 0 else Severity.NOTE
        names = "shot" if len(segments[0]) == 1 else "preparation"
        what = (
            f"the first {names} that is read starts from {begun:.3f} of the equilibrium, the last from {settled:.3f} "
            f"(T1 {self.t1:g} s), after {dummies} without readout"
        )
        fix = "play it once or more without readout first, until the magnetisation repeats"
        place = [played.place(played.centres[first.excitation])]
        severity = Severity.REFUSE if several else single
        allowed = f"equal within {100 * self.tolerance:g} %"
        return finding("GD-904", severity, place, what=what, allowed=allowed, fix=fix)

    def _magnetisation(self, played: Played, key: tuple[int, ...]) -> dict[int, float]:
        """Mz of a slice right before each pulse that reaches it, in parts of the equilibrium."""
        level, before, found = 1.0, 0, {}
        for index, (_, pulse) in enumerate(played.sequence.pulses):
            if not _reaches(played, index, key):
                continue
            passed = (played.centres[index] - before) / TICKS
            level, before = 1 + (level - 1) * math.exp(-passed / self.t1), played.centres[index]
            found[index] = level
            inverts = pulse.use in {PulseUse.REFOCUSING, PulseUse.INVERSION}
            level *= -1.0 if inverts else math.cos(pulse.flip)
        return found


def _reaches(played: Played, index: int, key: tuple[int, ...]) -> bool:
    """Whether a pulse acts on a slice: it is not selective, its own excitation, or one that includes it.

    Refocusing pulses stand for the slice of the excitation before them; saturations are left out, since most act on
    fat or beside the slice.
    """
    use = played.pulse(index).use
    if use is PulseUse.SATURATION:
        return False
    if use is PulseUse.REFOCUSING:
        return index in played.owners and played.slice_key(played.owners[index]) == key
    selective = float(played.selection(index).norm()) > 1e-6
    return not selective or played.slice_key(index) == key


def _segments(played: Played, shots: list[Shot]) -> list[list[Shot]]:
    """Shots between inversions or preparations; where there are none, each shot on its own."""
    prepared = [
        played.centres[i]
        for i, (_, pulse) in enumerate(played.sequence.pulses)
        if pulse.use in {PulseUse.INVERSION, PulseUse.PREPARATION}
    ]
    if not prepared:
        return [[shot] for shot in shots]
    groups: dict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[bisect.bisect_left(prepared, played.centres[shot.excitation])].append(shot)
    return [groups[number] for number in sorted(groups)]


def _first_read(segment: list[Shot]) -> Shot:
    return next(shot for shot in segment if shot.readouts)


def _lines_differ(played: Played, segment: list[Shot]) -> bool:
    """Whether the readouts of a segment lie on different lines, rather than being echoes of the same one."""
    middles = [played.positions[i][len(played.positions[i]) // 2] for shot in segment for i in shot.readouts]
    steps = float(played.steps)
    along = [float((middle - middles[0]).norm()) for middle in middles]
    return max(along) > max(1.5 * steps, 1.0)
