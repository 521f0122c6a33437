"""The phases of the pulses of a fast gradient-echo train: their increment, and the receiver that follows them."""

from dataclasses import dataclass

from gradatim.base.coherence import Turn
from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.fast_train import fast_train
from gradatim.scanner.lint.played import Played, Shot, turned_by


@dataclass(frozen=True)
class SpoilingIncrement:
    """GD-908: the phases of a spoiled train grow quadratically, by an increment that is known to spoil.

    φₙ₊₁ − 2φₙ + φₙ₋₁ is the increment: 117° (Zur), 50°, 115.4° and 150° are in use on scanners; others leave a signal
    that is some per cent off the Ernst formula. GD-909 where the phases follow no such rule at all. Constant and
    alternating phases are other kinds of sequences, and in order.

    Args:
        known: degrees; their negatives count as well.
        tolerance: degrees.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    References:
        Zur Y, Wood ML, Neuringer LJ. Magn Reson Med 21 (1991) 251.

    Example:
        >>> SpoilingIncrement().known
        (50.0, 115.4, 117.0, 150.0)
    """

    known: tuple[float, ...] = (50.0, 115.4, 117.0, 150.0)
    tolerance: float = 0.5

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance, *self.known)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        shots = fast_train(played)
        if len(shots) < 4:
            return ()
        phases = [played.phase(shot.excitation) for shot in shots]
        seconds = [
            turned_by(after - 2 * now + before)
            for before, now, after in zip(phases[:-2], phases[1:-1], phases[2:], strict=True)
        ]
        usual = sorted(seconds)[len(seconds) // 2]
        off = [i for i, value in enumerate(seconds) if _apart(value, usual) > self.tolerance]
        if len(off) > len(seconds) // 4:
            place = [played.place(played.centres[shots[off[0] + 2].excitation])]
            what = f"phases whose second difference is {usual:.1f}° here and {seconds[off[0]]:.1f}° there"
            allowed = "constant, alternating or quadratic phases"
            fix = "let the phase of pulse n be n(n + 1)/2 times 117°"
            return (finding("GD-909", Severity.WARN, place, what=what, allowed=allowed, fix=fix),)
        spoils = min(abs(usual), _apart(usual, 180.0)) > self.tolerance
        if not spoils or any(_apart(abs(usual), known) <= self.tolerance for known in self.known):
            return ()
        place = [played.place(played.centres[shots[0].excitation])]
        what = f"an increment of {usual:.2f}°"
        allowed = ", ".join(f"{known:g}°" for known in self.known)
        fix = "take 117°, or simulate what this increment leaves"
        return (finding("GD-908", Severity.NOTE, place, what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class ReceiverPhase:
    """GD-910: the receiver's phase follows that of the signal from shot to shot.

    The signal's phase is that of its excitation, mirrored at each refocusing pulse: 2·φ_refocusing − φ. Compared
    between shots of one slice at the same readout of each.

    Args:
        tolerance: degrees.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> ReceiverPhase().tolerance
        1.0
    """

    tolerance: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        first: dict[tuple[int, ...], float] = {}
        places, worst = [], 0.0
        for shot in played.shots:
            for number, index in enumerate(shot.readouts):
                start, readout = played.readout(index)
                key = (*played.slice_key(shot.excitation), number, round(readout.frequency), len(shot.readouts))
                apart = readout.phase - _signal_phase(played, shot, start)
                off = turned_by(apart - first.setdefault(key, apart))
                if abs(off) > self.tolerance:
                    places.append(played.place(start + readout.delay))
                    worst = max(worst, off, key=abs)
        if not places:
            return ()
        what = f"a receiver {worst:.1f}° away from where it was to the signal in the first shot"
        fix = "give the readout the phase of its pulse"
        allowed = f"within {self.tolerance:g}°"
        return (finding("GD-910", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)


def _signal_phase(played: Played, shot: Shot, until: int) -> float:
    """The phase of a shot's signal on resonance at a time, rad."""
    phase = played.phase(shot.excitation)
    for pulse in shot.refocusings:
        if played.centres[pulse] < until and played.turns[pulse] is Turn.REFOCUS:
            phase = 2 * played.phase(pulse) - phase
    return phase


def _apart(a: float, b: float) -> float:
    """How far two angles lie apart, degrees."""
    return abs((a - b + 180.0) % 360.0 - 180.0)
