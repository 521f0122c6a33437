"""What a result is worth, in four numbers that need no truth."""

from dataclasses import asdict, dataclass
from typing import Any

from gradatim.pipelines.susceptibility import SusceptibilityResult
from gradatim.solve.solution import Stop

UNSETTLED = frozenset(stop.value for stop in (Stop.BOUND, Stop.TIME, Stop.NON_FINITE, Stop.VANISHED, Stop.EXPLODED))
"""Reasons to stop that say nothing about quality."""


@dataclass(frozen=True)
class Quality:
    """The numbers that a report opens with.

    Args:
        kept: share of the brain in which susceptibility is known, 0 … 1.
        wraps: share of the voxels with a susceptibility that look a turn off in the worst echo, 0 … 1.
        field_error_ppb: median standard error of the total field, ppb.
        unsettled: iterations that ended by their bound or failed, each with its reason.
    """

    kept: float
    wraps: float
    field_error_ppb: float
    unsettled: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The numbers as plain data."""
        return asdict(self) | {"unsettled": list(self.unsettled)}


def quality(result: SusceptibilityResult) -> Quality:
    """Judge a result by itself.

    Args:
        result: what the chain made of a scan.
    """
    known = result.susceptibility.mask
    return Quality(
        kept=int(known.sum()) / int(result.unwrapped.mask.sum()),
        wraps=float(result.wraps.suspect[:, known].double().mean(dim=1).max()),
        field_error_ppb=1000.0 * float(result.total.error_ppm[result.total.mask].median()),
        unsettled=tuple(f"{stage}: {reason}" for stage, reason, _ in result.solutions if reason in UNSETTLED),
    )
