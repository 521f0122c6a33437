"""The shots of a train so fast that what one leaves meets the next."""

from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.played import Played, Shot

LONGEST_REPETITION = 0.1
"""Repetition times above this, s, leave little transverse magnetisation of most tissues."""


def fast_train(played: Played) -> tuple[Shot, ...]:
    """The longest run of excitations of one slice, without refocusing, each soon after the one before.

    Args:
        played: the sequence.
    """
    best: list[Shot] = []
    run: list[Shot] = []
    for shot in played.shots:
        time = played.centres[shot.excitation]
        follows = bool(run) and (
            time - played.centres[run[-1].excitation] <= LONGEST_REPETITION * TICKS
            and played.slice_key(run[-1].excitation) == played.slice_key(shot.excitation)
            and not _interrupted(played, run[-1], shot)
        )
        run = [*run, shot] if follows else [shot]
        run = [] if shot.refocusings else run
        best = max(best, run, key=len)
    return tuple(best)


def _interrupted(played: Played, before: Shot, after: Shot) -> bool:
    """Whether other pulses come between two excitations."""
    return after.excitation - before.excitation > 1
