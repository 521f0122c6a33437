"""What every check of a sequence is, and how it puts what it found."""

import math
from typing import Protocol, runtime_checkable

from gradatim.base.errors import UsageError
from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.played import Played


@runtime_checkable
class Check(Protocol):
    """Looks for one fault."""

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """What was found; nothing where all is well, or where the check does not apply."""
        ...


def finding(code: str, severity: Severity, places: list[str], *, what: str, allowed: str, fix: str) -> Finding:
    """One finding for all places of the same fault: the first is named, the others are counted.

    Args:
        code: ``GD-9xx``.
        severity: what it means.
        places: where, at least one.
        what: with its numbers.
        allowed: what would have been right.
        fix: what to do.

    Example:
        >>> finding("GD-916", Severity.WARN, ["block 1", "block 4"], what="a jump", allowed="none", fix="ramp").where
        'block 1 and 1 other place'
    """
    others = len(places) - 1
    more = "" if not others else f" and {others} other place" + ("s" if others > 1 else "")
    return Finding(code, severity, places[0] + more, what, allowed, fix)


def require_positive(check: Check, *numbers: float) -> None:
    """Refuse a check whose numbers could find nothing, or everything.

    Args:
        check: whose they are.
        numbers: its tolerances and limits.

    Raises:
        UsageError: GD-175 unless all are positive and finite.
    """
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        raise UsageError(
            "GD-175", given=f"{check}", allowed="positive finite numbers", do="give tolerances and limits above 0"
        )
