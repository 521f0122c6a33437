"""One subject's run: from its files in the data set to its folder in the derivative, whole or not at all."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from gradatim.base.errors import GradatimError, UsageError
from gradatim.io.atomic_folder import atomic_folder
from gradatim.io.derivatives import bids_stem, write_images
from gradatim.io.echo_series import EchoSeries, Part
from gradatim.io.sidecar import read_sidecar, write_sidecar
from gradatim.io.table import write_features
from gradatim.pipelines.derived_images import derived_images, said_of_all
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, files_of, fingerprint, sidecars_sha256
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.participants import SubjectScans
from gradatim.pipelines.progress import Listener, announce
from gradatim.pipelines.provenance import content_key, effort
from gradatim.pipelines.scan_run import CompletedScan, ScanRun

RECORD = "provenance.json"
"""The file that says what made a subject's output; its key decides whether a later run skips the subject."""

WRITING = 0.9
"""Share of a scan's work that is done when its results are written."""

Page = Callable[[CompletedScan, Path], None]
"""Writes the report of a scan to a path."""


class State(Enum):
    """What a run would do with a subject."""

    NEW = "new"
    DONE = "up to date"
    INCOMPLETE = "incomplete: files of its output are missing"
    CHANGED = "changed: input, parameters or version differ from those of its output"


@dataclass(frozen=True)
class SubjectRun:
    """Everything that a subject's run needs; travels to the process that does it.

    Args:
        scans: the subject's scans.
        raw: root of the data set, resolved.
        out: root of the derivative, resolved.
        run: how a scan is run.
        page: how its report is written.

    Raises:
        GradatimError: what reading, the chain or writing refuse; nothing new is left behind then.
    """

    scans: SubjectScans
    raw: Path
    out: Path
    run: ScanRun
    page: Page

    @property
    def name(self) -> str:
        """The subject, with its session."""
        return self.scans.name

    @property
    def needs(self) -> str:
        """What it takes of memory, in words."""
        return self.scans.needs

    @property
    def place(self) -> Path:
        """Its folder in the derivative."""
        return self.out / self.scans.place

    def state(self) -> State:
        """Whether its output is there and still fits.

        Raises:
            UsageError: GD-107 if something that gradatim did not write lies in its place.
            InputError: GD-222 if an input file cannot be read.
        """
        inputs = [fingerprint(files_of(series, self.raw)) for series in self.scans.series]
        return self._state(self._key(inputs))

    def __call__(self) -> Outcome:
        """Run the subject, or skip it if its output is there and still fits."""
        began = time.monotonic()
        inputs = [fingerprint(files_of(series, self.raw)) for series in self.scans.series]
        key = self._key(inputs)
        if self._state(key) is State.DONE:
            return Outcome(self.name, End.SKIPPED, sentence=State.DONE.value)
        record: dict[str, Any] = {"Key": key, "Scans": {}}
        count = len(inputs)
        with atomic_folder(self.place) as folder:
            for number, (series, files) in enumerate(zip(self.scans.series, inputs, strict=True)):
                case = bids_stem(self._entities(series))
                completed = self.run(
                    series,
                    inputs=files,
                    case=case,
                    progress=_part(number, count),
                )
                announce("writing", (number + WRITING) / count)
                self._write(completed, series, folder)
                record["Scans"][case] = completed.provenance
            record["Files"] = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*.*"))
            record |= effort(time.monotonic() - began)
            write_sidecar(folder / RECORD, record)
            check_unchanged([each for files in inputs for each in files])
        warnings = sum(found["severity"] == "warn" for scan in record["Scans"].values() for found in scan["Findings"])
        return Outcome(self.name, End.DONE, sentence=f"{warnings} warning(s) in its report" if warnings else "")

    def _key(self, inputs: list[tuple[InputFile, ...]]) -> str:
        said = [sidecars_sha256(series) for series in self.scans.series]
        return content_key([each for files in inputs for each in files], [self.run, said])

    def _state(self, key: str) -> State:
        beside = self.place.parent / RECORD  # the output of a subject that had no sessions then
        if not beside.exists() and (not self.place.exists() or not any(self.place.iterdir())):
            return State.NEW
        try:
            record: Mapping[str, Any] = read_sidecar(self.place / RECORD)
        except GradatimError:
            record = {}
        if "Key" in record and not beside.exists():
            if record["Key"] != key:
                return State.CHANGED
            return State.DONE if self._is_whole(record) else State.INCOMPLETE
        raise UsageError(
            "GD-107",
            given=f"{self.scans.place} belongs to something else than this subject's output",
            allowed="an output folder for one layout of one data set",
            do="choose another output folder, or remove what lies there",
        )

    def _is_whole(self, record: Mapping[str, Any]) -> bool:
        files = record.get("Files")
        return isinstance(files, list) and all((self.place / str(name)).is_file() for name in files)

    def _entities(self, series: EchoSeries) -> list[tuple[str, str]]:
        """What names the scan's output; the suffix joins in where two scans differ in nothing else."""
        entities = {"sub": series.subject, "ses": series.session, **dict(series.entities)}
        twins = [other for other in self.scans.series if other.entities == series.entities]
        if len(twins) > 1:
            entities["acq"] = entities.get("acq", "") + series.suffix
        return list(entities.items())

    def _write(self, scan: CompletedScan, series: EchoSeries, folder: Path) -> None:
        entities = self._entities(series)
        write_images(
            folder,
            derived_images(scan.result, scan.route),
            scan=entities,
            said=said_of_all(scan.provenance, _sources(series, self.raw)),
        )
        for ending in (".parquet", ".csv"):
            write_features(folder / f"{bids_stem(entities, 'features')}{ending}", scan.result.features)
        self.page(scan, folder / f"{bids_stem(entities, 'report')}.html")


def _part(number: int, count: int) -> Listener:
    """Tells how far a subject is from how far one of its scans is."""
    return lambda stage, share: announce(stage, (number + WRITING * share) / count)


def _sources(series: EchoSeries, raw: Path) -> list[str]:
    """The scan's images as BIDS URIs, magnitude (or real) before phase, echoes in order."""
    order = list(Part)
    files = sorted(series.files, key=lambda file: (order.index(file.part), file.echo))
    return list(dict.fromkeys(f"bids:raw:{file.path.relative_to(raw).as_posix()}" for file in files))
