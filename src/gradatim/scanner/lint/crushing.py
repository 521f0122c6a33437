"""The free induction decay that an imperfect refocusing pulse makes, and whether it is dephased when data are read."""

from dataclasses import dataclass

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class UncrushedFid:
    """GD-906: from a refocusing pulse to each sample read after it, gradients wind cycles over the voxel or the slice.

    What the pulse excites of its own is at γ̄∫G dt since its centre; on some axis that times the voxel's (or the
    slice's) extent must reach a number of cycles, else it lies over the image as a line or a ghost. Cycling the pulse's
    phase over averages removes it as well, and is not seen here.

    Args:
        cycles: over a voxel or the slice.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> UncrushedFid().cycles
        1.0
    """

    cycles: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self, self.cycles)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding for all refocusing pulses that are not crushed.

        Args:
            played: the sequence.
        """
        places, least = [], self.cycles
        excitations = [played.centres[shot.excitation] for shot in played.shots]
        for shot, over in zip(played.shots, [*excitations, played.sequence.duration][1:], strict=True):
            for pulse, after in zip(shot.refocusings, [*shot.refocusings, None][1:], strict=True):
                ends = over if after is None else played.centres[after]
                cycles = self._least(played, pulse, ends)
                if cycles < self.cycles:
                    places.append(played.place(played.centres[pulse]))
                    least = min(least, cycles)
        if not places:
            return ()
        what = f"a decay of its own wound by {least:.2f} cycles when samples are taken"
        fix = "put equal crushers on both sides of the pulse, e.g. 3 cycles across the slice"
        allowed = f"{self.cycles:g} cycles or more over a voxel or the slice"
        return (finding("GD-906", Severity.WARN, places, what=what, allowed=allowed, fix=fix),)

    def _least(self, played: Played, pulse: int, ends: int) -> float:
        """The fewest cycles at a sample between this pulse and a time, ns."""
        begin = played.centres[pulse]
        between = torch.tensor([begin, ends], dtype=torch.float64) / TICKS
        first, last = torch.searchsorted(played.sequence.sample_times, between).tolist()
        if first == last:
            return torch.inf
        wound = (played.wound_at_samples[first:last] - played.wound_at_centres[pulse]).abs()
        return float((wound * played.extents(pulse)).amax(dim=-1).min())
