"""The subjects of a data set, each with the scans that its run takes through the chain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gradatim.base.choice import advice
from gradatim.base.errors import GradatimError, UsageError
from gradatim.base.findings import Finding, Severity
from gradatim.io.bids import BidsScan
from gradatim.io.byte_source import open_source
from gradatim.io.echo_series import EchoSeries
from gradatim.io.memory import free_memory_bytes
from gradatim.io.nifti_header import read_header

BYTES_PER_VOXEL, BYTES_AT_REST = 200, 400_000_000
"""Memory that the chain takes for a voxel of one echo, and before the first one, about; measured on the CPU."""


@dataclass(frozen=True)
class SubjectScans:
    """The scans of one subject in one session: what is run, written and skipped together.

    Args:
        subject: label without ``sub-``.
        session: label without ``ses-``; empty where there are no sessions.
        series: its scans.
    """

    subject: str
    session: str
    series: tuple[EchoSeries, ...]

    @property
    def name(self) -> str:
        """As file names begin, e.g. ``sub-01_ses-a``."""
        return "_".join([f"sub-{self.subject}", *([f"ses-{self.session}"] if self.session else [])])

    @property
    def place(self) -> Path:
        """Its folder below a data set's root."""
        return Path(*self.name.split("_"))

    @property
    def needs(self) -> str:
        """What its largest scan takes of memory, and what is free; empty if a header cannot be read."""
        try:
            voxels = max(sum(_voxels(file.path) for file in _once(series)) // 2 for series in self.series)
        except (GradatimError, OSError, ValueError):
            return ""
        need, free = (BYTES_AT_REST + voxels * BYTES_PER_VOXEL) / 1e9, free_memory_bytes() / 1e9
        return f"its scan takes about {need:.1f} GB; {free:.1f} GB are free now"


def select_subjects(
    scan: BidsScan, *, participants: Sequence[str] = (), sessions: Sequence[str] = ()
) -> tuple[SubjectScans, ...]:
    """The subjects of a data set, or those that were asked for, in the order of their names.

    A subject with scans inside and outside of sessions gets a refusal (GD-325) among its findings, because its
    output could not lie in one place.

    Args:
        scan: what the walk over the data set found.
        participants: labels, with or without ``sub-``; empty for all.
        sessions: labels, with or without ``ses-``; empty for all.

    Raises:
        UsageError: GD-102 for a label that the data set does not have.
    """
    subjects = _known(participants, "sub-", {series.subject for series in scan.series})
    chosen = _known(sessions, "ses-", {series.session for series in scan.series if series.session})
    places = {(series.subject, series.session) for series in scan.series}
    divided = {subject for subject, session in places if not session and sum(p[0] == subject for p in places) > 1}
    return tuple(
        SubjectScans(
            subject,
            session,
            tuple(
                _refused(series) if subject in divided else series
                for series in scan.series
                if (series.subject, series.session) == (subject, session)
            ),
        )
        for subject, session in sorted(places)
        if (not subjects or subject in subjects) and (not chosen or session in chosen)
    )


def _known(labels: Sequence[str], prefix: str, known: set[str]) -> set[str]:
    wanted = [label.removeprefix(prefix) for label in labels]
    for label in wanted:
        if label not in known:
            raise UsageError(
                "GD-102",
                given=f"{prefix}{label}, which the data set has no scan of",
                allowed=", ".join(sorted(known)[:12]) or "none",
                do=advice(label, known),
            )
    return set(wanted)


def _refused(series: EchoSeries) -> EchoSeries:
    finding = Finding(
        "GD-325",
        Severity.REFUSE,
        f"sub-{series.subject}",
        "scans inside and outside of sessions",
        "all in sessions, or none",
        "move the scans that lie outside into a session",
    )
    return replace(series, findings=(*series.findings, finding))


def _once(series: EchoSeries) -> list:
    return list({file.path: file for file in series.files}.values())


def _voxels(path: Path) -> int:
    with open_source(path) as source:
        return math.prod(read_header(source, budget_bytes=1 << 62).shape)
