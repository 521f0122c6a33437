"""How foreign text and numbers are written for a reader: nothing invisible, nothing that moves the cursor."""

import math
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_KEPT = frozenset("\n\t\u200c\u200d")  # the two joiners shape Persian, Indic scripts and emoji


def visible(text: str) -> str:
    r"""A text in which control, direction-changing and undecodable characters stand as escapes.

    Terminal escapes (U+001B), right-to-left overrides (U+202E), zero-width marks and the lone surrogates of a
    file name that is not UTF-8 would change what a reader sees, or could not be saved. Letters of every script
    stay as they are. HTML is not escaped here: the template engine does that.

    Args:
        text: any text, e.g. a file name.

    Returns:
        The text, each such character replaced by ``\xHH``, ``\uHHHH`` or ``\UHHHHHHHH``.

    Example:
        >>> visible("a\x1b[31mb\u202ec")
        'a\\x1b[31mb\\u202ec'
    """
    if text.isascii() and text.isprintable():  # the usual case, and megabytes of encoded pictures
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _HIDDEN and c not in _KEPT else c for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float | int | None, digits: int = 4) -> str:
    """A number with a stated count of significant digits; integers whole, NaN as the word "undefined".

    Args:
        value: the number, or None where there is none.
        digits: significant digits of a float, ≥ 1; digits before the point are never rounded away.

    Example:
        >>> number(0.123456), number(123456.7), number(7), number(float("nan")), number(None)
        ('0.1235', '123457', '7', 'undefined', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"
