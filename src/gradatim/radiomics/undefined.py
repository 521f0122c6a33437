"""A result that does not exist, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Undefined:
    """Returned in place of a result that has no value, with the reason that stands beside NaN in the table.

    Args:
        reason: a short sentence without full stop.
    """

    reason: str


def reasoned(code: str, sentence: str) -> str:
    """What stands beside a value in the table: a stable code and a sentence.

    Args:
        code: one of GD-750 to GD-755.
        sentence: what is the matter, in words.

    Example:
        >>> reasoned("GD-750", "the region has no voxels")
        'GD-750 the region has no voxels'
    """
    return f"{code} {sentence}"
