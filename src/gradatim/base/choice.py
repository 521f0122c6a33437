"""From a word typed at a border (command line, settings file) to the object it names."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from gradatim.base.errors import UsageError

T = TypeVar("T")


def choose(word: str, table: Mapping[str, T], *, what: str) -> T:
    """The object that a word stands for in a table; an unknown word fails with the nearest known one.

    Args:
        word: what the user wrote.
        table: known word → object.
        what: what is being chosen, in the user's words, e.g. ``"unwrapping method"``.

    Returns:
        The table's object.

    Raises:
        UsageError: GD-102 if the word is not in the table.

    Example:
        >>> choose("tkd", {"tkd": 1, "tv": 2}, what="inversion")
        1
        >>> choose("tkt", {"tkd": 1, "tv": 2}, what="inversion")
        Traceback (most recent call last):
        gradatim.base.errors.UsageError: GD-102: inversion 'tkt'; allowed: tkd, tv; did you mean 'tkd'?
    """
    if word in table:
        return table[word]
    raise UsageError("GD-102", given=f"{what} {word!r}", allowed=", ".join(sorted(table)), do=advice(word, table))


def advice(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word: take the nearest known one, if any is near, or leave it out where none is.

    Example:
        >>> advice("fetaures", ["features", "check"])
        "did you mean 'features'?"
        >>> advice("zzz", ["features", "check"])
        'choose one of those'
        >>> advice("zzz", [])
        'leave it out'
    """
    names = list(known)
    if not names:
        return "leave it out"
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {near[0]!r}?" if near else "choose one of those"
