"""A result that does not exist, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Undefined:
    """Returned in place of a result that has no value, with the reason that stands beside NaN in the table.

    Args:
        reason: a short sentence without full stop.
    """

    reason: str
