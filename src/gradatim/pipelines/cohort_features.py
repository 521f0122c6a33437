"""The features of many images: side by side, resumable, the same table from any number of processes."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from gradatim.base.errors import InputError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.atomic import write_refusal
from gradatim.io.lock import run_lock
from gradatim.io.manifest import MeasuredCase
from gradatim.io.sidecar import write_sidecar
from gradatim.io.table import join_features, table_format, write_features
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, fingerprint
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.progress import announce
from gradatim.pipelines.provenance import content_key, software
from gradatim.pipelines.supervisor import Executor

TOGETHER = 64
"""Most cases that one process takes before it makes room for a fresh one."""

Reader = Callable[[MeasuredCase], tuple[QuantitativeMap, tuple[Regions, ...], str]]
"""Reads a case's files: the map, its regions (several label images where regions overlap) and the image's name."""


class Measurement(Protocol):
    """What is measured of an image and its regions: an extraction, or one that is repeated; picklable."""

    @property
    def settings(self) -> str:
        """Which program and which parameters, in short."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data, for sidecars and for the hash."""

    def __call__(self, image_map: QuantitativeMap, regions: Regions, *, case: str, image: str) -> tuple[Feature, ...]:
        """The rows of one image and one label image."""


@dataclass(frozen=True)
class CaseResult:
    """How one case ended, and where its rows lie.

    Args:
        case: the case.
        outcome: done, skipped because it was done before, or failed.
        part: its table; None where it failed.
        inputs: role and SHA-256 of what was read.
    """

    case: MeasuredCase
    outcome: Outcome
    part: Path | None = None
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Cases that one process measures, one after the other.

    A case's rows go into a table of their own, named by the content of its files, the settings and the version; a case
    whose table lies there already is skipped. One that cannot be measured stops nobody.

    Args:
        name: what progress calls it.
        cases: the cases.
        extraction: what is measured.
        parts: the folder of the cases' tables.
        read: reads a case's files.
        failed: turns whatever went wrong with a case into its outcome.
    """

    name: str
    cases: tuple[MeasuredCase, ...]
    extraction: Measurement
    parts: Path
    read: Reader
    failed: Callable[[Exception, str], Outcome]

    def __call__(self) -> tuple[CaseResult, ...]:
        """Measure the cases; nothing that one of them meets is raised."""
        results = []
        for number, case in enumerate(self.cases):
            announce(case.case, number / len(self.cases))
            try:
                results.append(self._measured(case))
            except Exception as error:  # noqa: BLE001 - a case of any kind of damage must not stop the others
                results.append(CaseResult(case, self.failed(error, case.case)))
        return tuple(results)

    def _measured(self, case: MeasuredCase) -> CaseResult:
        inputs = fingerprint(case.files)
        part = self.parts / f"{content_key(inputs, [self.extraction, case.case, case.image.name, case.unit])}.parquet"
        if part.is_file():
            return CaseResult(case, Outcome(case.case, End.SKIPPED), part, inputs)
        image, layers, name = self.read(case)
        rows = [row for layer in layers for row in self.extraction(image, layer, case=case.case, image=name)]
        check_unchanged(inputs)
        write_features(part, rows)
        return CaseResult(case, Outcome(case.case, End.DONE), part, inputs)


@dataclass(frozen=True)
class CohortFeatures:
    """Measures many cases and puts their rows into one table, in the order of the manifest.

    The cases' own tables stay in a folder beside the table, ``NAME.parts``, so that a run that was stopped, or that has
    more cases, measures only what is new. Every row depends on its case alone, so the table does not depend on how
    many processes made it. A file ``NAME.provenance.json`` holds parameters, versions and hashes.

    Args:
        cases: what is measured.
        extraction: how.
        out: the table, ending in .parquet, .csv or .json.
        read: reads a case's files; must be picklable.
        failed: turns an exception into an outcome; must be picklable.

    Raises:
        UsageError: GD-102 for another ending.
        ResourceError: GD-508 if another run writes the same table; GD-502 to GD-504 if it cannot be written.
        InputError: GD-703 if no case could be measured.
    """

    cases: tuple[MeasuredCase, ...]
    extraction: Measurement
    out: Path
    read: Reader
    failed: Callable[[Exception, str], Outcome]

    def __call__(
        self, executor: AbstractContextManager[Executor], *, nprocs: int, heard: Callable[[Outcome], None]
    ) -> tuple[CaseResult, ...]:
        """Measure what is not measured yet, and write the table.

        Args:
            executor: where batches are run.
            nprocs: how many at a time, for the size of a batch.
            heard: told each outcome when its batch has ended.

        Returns:
            One result a case, in the order of the manifest.
        """
        table_format(self.out)
        parts = self.out.with_suffix(".parts")
        try:
            parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(error, parts) from error
        with run_lock(parts / ".lock"):
            found: dict[MeasuredCase, CaseResult] = {}
            with executor as at_work:
                for result in self._results(at_work, nprocs, parts):
                    found[result.case] = result
                    heard(result.outcome)
            results = tuple(found[case] for case in self.cases)
            tables = [result.part for result in results if result.part is not None]
            if not tables:
                raise InputError(
                    "GD-703",
                    given=f"{len(results)} case(s), none of which could be measured",
                    allowed="one that can",
                    do=f"first case: {results[0].outcome.sentence}" if results else "add rows to the manifest",
                )
            join_features(self.out, tables)
            write_sidecar(self.out.with_suffix(".provenance.json"), self._record(results))
        return results

    def _results(self, at_work: Executor, nprocs: int, parts: Path) -> Iterator[CaseResult]:
        size = max(1, min(TOGETHER, math.ceil(len(self.cases) / nprocs)))
        lost: list[MeasuredCase] = []
        for batch, results in self._done(at_work, self._batches(self.cases, size, parts)):
            if isinstance(results, Exception):
                lost += batch.cases
            else:
                yield from results
        # A process that the system killed says nothing of its cases: each gets one of its own, to find the culprit.
        for batch, results in self._done(at_work, self._batches(lost, 1, parts)):
            if isinstance(results, Exception):
                yield CaseResult(batch.cases[0], Outcome.of(results, batch.name))
            else:
                yield from results

    def _batches(self, cases: Sequence[MeasuredCase], size: int, parts: Path) -> list[Batch]:
        some = [tuple(cases[start : start + size]) for start in range(0, len(cases), size)]
        return [Batch(_name(each), each, self.extraction, parts, self.read, self.failed) for each in some]

    def _done(
        self, at_work: Executor, batches: Sequence[Batch]
    ) -> Iterator[tuple[Batch, tuple[CaseResult, ...] | Exception]]:
        futures = {at_work.submit(_run, batch): batch for batch in batches}
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield futures[future], error or future.result()
        finally:
            for future in futures:
                future.cancel()

    def _record(self, results: Sequence[CaseResult]) -> dict[str, object]:
        return {
            "Software": software(),
            "Settings": self.extraction.settings,
            "Parameters": self.extraction.parameters,
            "Cases": [
                {
                    **replace(result.outcome, seconds=0.0).record(),
                    "inputs": {each.name: each.sha256 for each in result.inputs},
                }
                for result in results
            ],
        }


def _run(batch: Batch) -> tuple[CaseResult, ...]:
    return batch()


def _name(cases: Sequence[MeasuredCase]) -> str:
    return cases[0].case if len(cases) == 1 else f"{cases[0].case} … {cases[-1].case}"
