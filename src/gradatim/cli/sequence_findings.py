"""The findings of a sequence for a person at a terminal: worst first, readable without colour."""

from collections.abc import Sequence

from rich.text import Text

from gradatim.base.findings import Finding, Severity
from gradatim.cli.findings_in_words import LOOK, in_words
from gradatim.cli.outcome import plain

_LOOK = {**LOOK, Severity.REFUSE: ("fault", "bold red")}


def in_lines(findings: Sequence[Finding], last: str) -> Text:
    """One paragraph a finding, ordered by severity, their number, and a last line.

    Args:
        findings: in any order.
        last: what is said at the end, whatever was found.

    Example:
        >>> print(in_lines([], "the end"))
        nothing found
        the end
    """
    return in_words(findings, _LOOK).append("\n" + plain(last))
