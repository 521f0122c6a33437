"""The net dephasing of each repetition of a fast train: none where it is balanced, always the same where it spoils."""

import itertools
from dataclasses import dataclass

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.fast_train import fast_train
from gradatim.scanner.lint.played import Played, turned_by


@dataclass(frozen=True)
class Balance:
    """GD-920 and GD-921: γ̄∫G dt from excitation to excitation.

    Where the phases of the pulses alternate by 180°, the train is balanced and the moment must be 0 on every axis,
    else the signal bands and fades: GD-920. Elsewhere the moment must be the same in all repetitions, else no steady
    state forms: the phase encoding was not rewound, or a spoiler turns with the spokes: GD-921.

    Args:
        tolerance: 1/m.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> Balance().tolerance
        0.5
    """

    tolerance: float = 0.5

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        shots = fast_train(played)
        if len(shots) < 4:
            return ()
        times = [played.centres[shot.excitation] for shot in shots]
        pulses = [shot.excitation for shot in shots]
        moments = played.wound_at_centres[pulses].diff(dim=0)
        turns = [abs(turned_by(played.phase(b) - played.phase(a))) for a, b in itertools.pairwise(pulses[1:])]
        balanced = sum(turn > 179.0 for turn in turns) > 0.9 * len(turns)
        return self._balanced(played, times, moments) if balanced else self._repeated(played, times, moments)

    def _balanced(self, played: Played, times: list[int], moments: torch.Tensor) -> tuple[Finding, ...]:
        worst = moments.abs().amax(dim=-1)
        off = torch.nonzero(worst > self.tolerance)[:, 0].tolist()
        if not off:
            return ()
        x, y, z = moments[int(worst.argmax())].tolist()
        what = f"pulses that alternate by 180°, with a net moment of ({x:.1f}, {y:.1f}, {z:.1f})/m a repetition"
        places = [played.place(times[i]) for i in off]
        fix = "rewind every gradient before the next pulse"
        allowed = f"0 within {self.tolerance:g}/m on each axis"
        return (finding("GD-920", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)

    def _repeated(self, played: Played, times: list[int], moments: torch.Tensor) -> tuple[Finding, ...]:
        usual = moments.median(dim=0).values
        apart = (moments - usual).abs()
        off = torch.nonzero(apart.amax(dim=-1) > self.tolerance)[:, 0].tolist()
        if not off:
            return ()
        row, axis = divmod(int(apart.argmax()), 3)
        here, else_ = float(moments[row, axis]), float(usual[axis])
        what = f"on {'xyz'[axis]}, {here:.1f}/m in one repetition and {else_:.1f}/m usually"
        places = [played.place(times[i]) for i in off]
        fix = "rewind the phase encoding before the next pulse, and spoil on an axis that does not turn"
        allowed = f"the same in all repetitions within {self.tolerance:g}/m"
        return (finding("GD-921", Severity.WARN, places, what=what, allowed=allowed, fix=fix),)
