"""Findings for a person at a terminal: worst first, readable without colour, harmless whatever a file is called."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from gradatim.base.findings import Finding, Severity
from gradatim.cli.outcome import plain

LOOK = {
    Severity.REFUSE: ("refused", "bold red"),
    Severity.WARN: ("warning", "yellow"),
    Severity.NOTE: ("note", "dim"),
}
"""Severity → its word and its style, worst first."""


def in_words(findings: Sequence[Finding], look: Mapping[Severity, tuple[str, str]] = LOOK) -> Text:
    """One paragraph a finding, ordered by severity, and a last line that counts them.

    Args:
        findings: in any order.
        look: word and style of each severity, worst first.

    Example:
        >>> str(in_words([]))
        'nothing found'
    """
    text = Text()
    counts = []
    for severity, (word, style) in look.items():
        chosen = [f for f in findings if f.severity is severity]
        for finding in chosen:
            text.append(f"{word} {finding.code} ", style)
            text.append(f"{plain(finding.where)}\n  found    {plain(finding.what)}\n")
            text.append(f"  allowed  {plain(finding.allowed)}\n  do       {plain(finding.fix)}\n")
        if chosen:
            counts.append(f"{len(chosen)} {word}" + ("" if word == "refused" or len(chosen) == 1 else "s"))
    text.append(", ".join(counts) or "nothing found")
    return text
