"""Echo times that should be alike: the same echo of each shot."""

from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class EchoTimes:
    """GD-919: the n-th echo of every shot comes at the same time after its excitation.

    An echo is where a readout passes nearest to k = 0 along itself, between samples if need be. A drift of δ biases a
    diffusion coefficient by δ/(T2·b), and phases by 2π·Δf·δ. Shots are compared that have as many readouts.

    Args:
        tolerance: s.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> EchoTimes().tolerance
        1e-06
    """

    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        groups: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
        for shot in played.shots:
            for number, index in enumerate(shot.readouts):
                passed = _passage(played, index)
                if passed is not None:
                    time = passed - played.centres[shot.excitation] / TICKS
                    groups[number, len(shot.readouts)].append((time, index))
        spreads = {key: max(times)[0] - min(times)[0] for key, times in groups.items()}
        late = [key for key, spread in spreads.items() if spread > self.tolerance]
        if not late:
            return ()
        worst = max(late, key=lambda key: spreads[key])
        (low, _), (high, last) = min(groups[worst]), max(groups[worst])
        what = f"echo {worst[0] + 1} of a shot at {1e3 * low:.4f} ms and at {1e3 * high:.4f} ms"
        start, readout = played.readout(last)
        places = [played.place(start + readout.delay)] * len(late)
        fix = "keep the timing of all shots, also where lobes have other areas, by the longest of them"
        allowed = f"the same within {1e6 * self.tolerance:g} µs"
        return (finding("GD-919", Severity.WARN, places, what=what, allowed=allowed, fix=fix),)


def _passage(played: Played, index: int) -> float | None:
    """When a readout passes nearest to k = 0, s from the sequence's beginning; None where it does not pass it."""
    positions = played.positions[index]
    if len(positions) < 2:
        return None
    steps = positions.diff(dim=0)
    square = steps.square().sum(dim=-1)
    share = -(positions[:-1] * steps).sum(dim=-1) / square.clamp(min=1e-12)
    inside = (share >= 0) & (share <= 1) & (square > 1e-6)
    if not bool(inside.any()):
        return None
    nearest: Tensor = (positions[:-1] + share[:, None] * steps).norm(dim=-1)
    sample = int(torch.where(inside, nearest, torch.inf).argmin())
    start, readout = played.readout(index)
    return start / TICKS + (readout.delay + (sample + 0.5 + float(share[sample])) * readout.dwell) / TICKS
