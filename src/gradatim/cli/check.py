"""gradatim check: what would ruin the run, with a code and a fix."""

import json as jsonlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.choice import choose
from gradatim.base.errors import UsageError
from gradatim.cli.outcome import plain


@dataclass(frozen=True)
class Check:
    """Look for what would ruin a run, before it: in BIDS data sets, folders of images, or single images.

    Ends with 0 if nothing stands in the way, 3 if something would be refused, 4 if something is unsafe.

    Attributes:
        paths: the roots of BIDS data sets, or NIfTI images.
        phase_units: unit of the stored phase, if it is known: rad, siemens, full-range and so on.
        json: print the findings as one JSON list, for programs.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional]
    phase_units: str | None = None
    json: bool = False

    def run(self) -> int:
        """Examine the paths and say what was found.

        Raises:
            UsageError: GD-101 without a path; GD-102 for an unknown unit of phase.
        """
        from rich.console import Console

        from gradatim.base.findings import Finding, refusals
        from gradatim.cli.findings_in_words import in_words
        from gradatim.io.multiecho import EchoReader
        from gradatim.io.phase_units import PHASE_UNITS
        from gradatim.io.preflight import Preflight

        if not self.paths:
            do = "give the root of a BIDS data set, or NIfTI images"
            raise UsageError("GD-101", given="no path", allowed="one path or more", do=do)
        units = choose(self.phase_units, PHASE_UNITS, what="phase unit") if self.phase_units else None
        preflight, talk = Preflight(EchoReader(phase_units=units)), Console(stderr=True, highlight=False)
        findings: list[Finding] = []
        for path in self.paths:
            with talk.status(f"examining {plain(path.name)}"):
                findings += preflight(path)
        if self.json:
            print(jsonlib.dumps([finding.record() for finding in findings], indent=2))
        talk.print(in_words(findings), soft_wrap=True)
        return max((finding.error().exit_code for finding in refusals(findings)), default=0)
