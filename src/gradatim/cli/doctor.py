"""gradatim doctor: what is installed, and what could be."""

import json as jsonlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Doctor:
    """Say what this installation has: versions, devices, threads, optional parts.

    Attributes:
        json: print one JSON object, for programs.
    """

    json: bool = False

    def run(self) -> int:
        """Examine the installation and print what was found."""
        from gradatim.cli.installation import examine, in_words

        findings = examine()
        print(jsonlib.dumps(findings, indent=2) if self.json else in_words(findings))
        return 0
