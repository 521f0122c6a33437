"""The condition of Carr, Purcell, Meiboom and Gill: phase, spacing and areas of an echo train."""

import itertools
from dataclasses import dataclass

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played, Shot, turned_by


@dataclass(frozen=True)
class CpmgPhase:
    """GD-901: refocusing pulses lie at 90° to their excitation.

    Only then do the spin echoes and the stimulated echoes of an imperfect refocusing add up. Checked in shots that read
    between refocusing pulses; phases are those at the pulses' centres, and 90° may be −90°.

    Args:
        tolerance: degrees.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    References:
        Meiboom S, Gill D. Rev Sci Instrum 29 (1958) 688.

    Example:
        >>> CpmgPhase().tolerance
        5.0
    """

    tolerance: float = 5.0

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """Findings of the trains.

        Args:
            played: the sequence.
        """
        places, worst = [], 90.0
        for shot in trains(played):
            for pulse in shot.refocusings:
                angle = turned_by(played.phase(pulse) - played.phase(shot.excitation))
                if abs(abs(angle) - 90.0) > self.tolerance:
                    places.append(played.place(played.centres[pulse]))
                    worst = max(worst, angle, key=lambda a: abs(abs(a) - 90.0))
        if not places:
            return ()
        what = f"a refocusing pulse at {worst:.1f}° to its excitation"
        fix = "turn the excitation or the refocusing pulses by 90°"
        allowed = f"90° within {self.tolerance:g}°"
        return (finding("GD-901", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class CpmgTiming:
    """GD-902: from the excitation to the first refocusing pulse passes half of what passes from one to the next.

    Args:
        tolerance: s; 100 Hz off resonance turn by 0.36° in 10 µs.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> CpmgTiming().tolerance
        1e-05
    """

    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """Findings of the trains.

        Args:
            played: the sequence.
        """
        places, worst = [], (0.0, 0.0, 0.0)
        for shot in trains(played):
            times = [played.centres[pulse] for pulse in (shot.excitation, *shot.refocusings)]
            half = times[1] - times[0]
            for before, after in itertools.pairwise(times[1:]):
                off = abs(after - before - 2 * half) / TICKS
                if off > self.tolerance:
                    places.append(played.place(after))
                    worst = max(worst, (off, 1e3 * (after - before) / TICKS, 1e3 * half / TICKS))
        if not places:
            return ()
        what = f"{worst[1]:.4f} ms between refocusing pulses, {worst[2]:.4f} ms from the excitation to the first"
        fix = "put the first refocusing pulse half an echo spacing after the excitation's centre"
        allowed = f"twice the latter, within {1e6 * self.tolerance:g} µs"
        return (finding("GD-902", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class CpmgAreas:
    """GD-903: on each axis the area between refocusing pulses is twice that from the excitation to the first.

    Else primary and stimulated echoes meet at different places of k-space and cancel in bands.

    Args:
        tolerance: of γ̄∫G dt, 1/m: 0.5/m are an eighth of a cycle over 25 cm.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> CpmgAreas().tolerance
        0.5
    """

    tolerance: float = 0.5

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """Findings of the trains.

        Args:
            played: the sequence.
        """
        places, worst = [], (0.0, "", 0.0, 0.0)
        for shot in trains(played):
            half = played.between(shot.excitation, shot.refocusings[0])
            for before, after in itertools.pairwise(shot.refocusings):
                found = played.between(before, after)
                off = (found - 2 * half).abs()
                axis = int(off.argmax())
                if float(off[axis]) > self.tolerance:
                    places.append(played.place(played.centres[after]))
                    worst = max(worst, (float(off[axis]), "xyz"[axis], float(found[axis]), float(half[axis])))
        if not places:
            return ()
        what = f"on {worst[1]}, {worst[2]:.2f}/m between refocusing pulses, {worst[3]:.2f}/m before the first"
        fix = "rewind the phase encoding before each refocusing pulse, and make crushers and the prephaser fit"
        allowed = f"twice the latter, within {self.tolerance:g}/m"
        return (finding("GD-903", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)


def trains(played: Played) -> tuple[Shot, ...]:
    """The shots that read an echo after more than one of their refocusing pulses.

    Args:
        played: the sequence.
    """
    found = []
    for shot in played.shots:
        begins = [
            sum(played.readout(i)[0] > played.centres[pulse] for pulse in shot.refocusings) for i in shot.readouts
        ]
        spaced = len(shot.refocusings) > 1
        if spaced and (len(set(begins) - {0}) > 1 or not shot.readouts):
            found.append(shot)
    return tuple(found)
