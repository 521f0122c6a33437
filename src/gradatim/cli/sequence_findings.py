"""The findings of a sequence for a person at a terminal: worst first, readable without colour."""

from collections.abc import Sequence

from rich.text import Text

from gradatim.base.findings import Finding, Severity
from gradatim.cli.outcome import plain

_LOOK = {Severity.REFUSE: ("fault", "bold red"), Severity.WARN: ("warning", "yellow"), Severity.NOTE: ("note", "dim")}


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
    text, counts = Text(), []
    for severity, (word, style) in _LOOK.items():
        chosen = [finding for finding in findings if finding.severity is severity]
        for finding in chosen:
            text.append(f"{word} {finding.code} ", style)
            text.append(f"{plain(finding.where)}\n  found    {plain(finding.what)}\n")
            text.append(f"  allowed  {plain(finding.allowed)}\n  do       {plain(finding.fix)}\n")
        if chosen:
            counts.append(f"{len(chosen)} {word}" + ("" if len(chosen) == 1 else "s"))
    text.append((", ".join(counts) or "nothing found") + "\n" + plain(last))
    return text
