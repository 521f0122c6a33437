"""Which files make one multi-echo scan, before any of them is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from gradatim.base.errors import UsageError
from gradatim.base.findings import Finding


class Part(Enum):
    """Which part of the complex signal an image holds; BIDS' entity ``part``."""

    MAG = "mag"
    PHASE = "phase"
    REAL = "real"
    IMAG = "imag"


@dataclass(frozen=True)
class EchoFile:
    """One volume of a scan.

    Args:
        path: the NIfTI file.
        part: which part of the signal it holds.
        echo: echo number, from 1.
        volume: which volume of a 4-D file, from 0; None where the file holds this volume alone.
        sidecar: what is said about it (BIDS keys), inherited values included.
    """

    path: Path
    part: Part
    echo: int
    volume: int | None = None
    sidecar: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How messages call it: file name, and the volume where there are several."""
        return self.path.name if self.volume is None else f"{self.path.name} volume {self.volume + 1}"


@dataclass(frozen=True)
class EchoSeries:
    """The volumes of one multi-echo scan.

    Args:
        subject: label without ``sub-``; empty outside BIDS.
        session: label without ``ses-``; empty where there is none.
        entities: the other entities that its files share, as key-label pairs, e.g. ``(("run", "1"),)``.
        suffix: BIDS suffix, e.g. ``MEGRE``; empty outside BIDS.
        files: its volumes, any order.
        findings: what was found while they were collected.
    """

    subject: str
    session: str
    entities: tuple[tuple[str, str], ...]
    suffix: str
    files: tuple[EchoFile, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """As BIDS would call it without echo and part, e.g. ``sub-01_run-1_MEGRE``."""
        pairs = [("sub", self.subject), ("ses", self.session), *self.entities]
        return "_".join([*(f"{key}-{label}" for key, label in pairs if label), *([self.suffix] if self.suffix else [])])


def series_from_files(
    *,
    magnitude: Sequence[Path],
    phase: Sequence[Path],
    echo_times: Sequence[float],
    field_strength: float | None,
) -> EchoSeries:
    """A scan from plain files, outside BIDS.

    Args:
        magnitude: one 3-D file per echo, or one 4-D file with the echoes last.
        phase: the same for phase.
        echo_times: one per echo, s.
        field_strength: B0, T.

    Returns:
        The series, its echoes numbered in the order given.

    Raises:
        UsageError: GD-104 if files and echo times differ in number, or a file is given as both.

    Example:
        >>> series = series_from_files(magnitude=[Path("m.nii")], phase=[Path("p.nii")],
        ...                            echo_times=[0.004, 0.008], field_strength=3.0)
        >>> [(f.part.value, f.echo, f.volume) for f in series.files]
        [('mag', 1, 0), ('mag', 2, 1), ('phase', 1, 0), ('phase', 2, 1)]
    """
    both = sorted(str(p) for p in set(magnitude) & set(phase))
    if both:
        raise UsageError(
            "GD-104",
            given=f"{both[0]} as magnitude and as phase",
            allowed="two different images",
            do="give the magnitude with --magnitude and the phase with --phase",
        )
    count = len(echo_times)
    files: list[EchoFile] = []
    for part, paths in ((Part.MAG, magnitude), (Part.PHASE, phase)):
        if len(paths) not in (1, count) or not count:
            raise UsageError(
                "GD-104",
                given=f"{len(paths)} {part.name.lower()} file(s) and {count} echo time(s)",
                allowed="one file per echo time, or one 4-D file with the echoes last",
                do="give one echo time per echo, in seconds",
            )
        for index, time in enumerate(echo_times):
            sidecar: dict[str, Any] = {"EchoTime": time}
            if field_strength is not None:
                sidecar["MagneticFieldStrength"] = field_strength
            together = len(paths) < count
            path = paths[0] if together else paths[index]
            files.append(EchoFile(path, part, index + 1, index if together else None, sidecar))
    return EchoSeries("", "", (), "", tuple(files))
