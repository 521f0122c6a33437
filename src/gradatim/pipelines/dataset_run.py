"""A data set's run: every subject in a process of its own, under a lock, resumable, with a summary."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gradatim.base.errors import GradatimError, UsageError
from gradatim.base.findings import Finding, refusals
from gradatim.io.atomic import write_refusal
from gradatim.io.atomic_folder import recover
from gradatim.io.bids import BidsScan, scan_dataset
from gradatim.io.derivatives import write_dataset_files
from gradatim.io.lock import run_lock
from gradatim.io.sidecar import read_sidecar, write_sidecar
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.participants import select_subjects
from gradatim.pipelines.scan_run import ScanRun
from gradatim.pipelines.subject_run import Page, State, SubjectRun
from gradatim.pipelines.supervisor import Executor, supervise

LOCK = ".gradatim.lock"
SUMMARY = "summary.json"
TITLE = "gradatim: susceptibility, relaxation and features"

Work = Callable[[SubjectRun], Outcome]
"""Runs a subject wherever it is sent, and turns whatever goes wrong into its outcome."""


@dataclass(frozen=True)
class DatasetRun:
    """Takes the subjects of a BIDS data set through the chain, into a derivative data set.

    A subject whose output fits its input, the parameters and the version is skipped; one that fails leaves what was
    there before and stops nobody. While it runs the output is locked.

    Args:
        raw: the data set's root.
        out: the derivative's root; not in the data set, except below its ``derivatives``.
        page: writes a scan's report.
        run: how a scan is run.
        participants: labels, with or without ``sub-``; empty for all.
        sessions: labels, with or without ``ses-``; empty for all.

    Raises:
        InputError: GD-222 or GD-324 if ``raw`` is no data set.
        UsageError: GD-102 for a label that it does not have; GD-107 if ``out`` belongs to something else.
        ResourceError: GD-508 if another run holds ``out``; GD-502 to GD-504 if it cannot be written.
    """

    raw: Path
    out: Path
    page: Page
    run: ScanRun = field(default_factory=ScanRun)
    participants: Sequence[str] = ()
    sessions: Sequence[str] = ()

    def plan(self) -> tuple[SubjectRun, ...]:
        """The subjects that would be run, unless their output is up to date; changes nothing."""
        return self._planned(scan_dataset(self.raw))

    def __call__(
        self, executor: AbstractContextManager[Executor], *, work: Work, heard: Callable[[Outcome], None]
    ) -> tuple[Outcome, ...]:
        """Run the subjects, and write the summary.

        Args:
            executor: where the work is done; entered under the lock and left before it.
            work: runs one subject there.
            heard: told each outcome when its subject has ended.

        Returns:
            All outcomes, first those of folders that cannot be read as subjects.
        """
        scan = scan_dataset(self.raw)
        tasks, out, began = self._planned(scan), self.out.resolve(), datetime.now(UTC)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(error, out) from error
        outcomes = [] if self.participants else [_unread(finding) for finding in refusals(scan.findings)]
        with run_lock(out / LOCK):
            _clear(out, scan)
            write_dataset_files(out, raw=scan.root, title=TITLE)
            for outcome in outcomes:
                heard(outcome)
            try:
                with executor as at_work:
                    for outcome in self._outcomes(tasks, at_work, work):
                        outcomes.append(outcome)
                        heard(outcome)
            finally:
                _clear(out, scan)
            write_sidecar(out / SUMMARY, _summary(outcomes, began))
        return tuple(outcomes)

    def _outcomes(self, tasks: Sequence[SubjectRun], at_work: Executor, work: Work) -> Iterator[Outcome]:
        """Those first that need no process: up to date, or not to be run at all."""
        waiting = []
        for task in tasks:
            try:
                if task.state() is State.DONE:
                    yield Outcome(task.name, End.SKIPPED, sentence=State.DONE.value)
                else:
                    waiting.append(task)
            except GradatimError as error:
                yield Outcome.of(error, task.name)
        yield from supervise(at_work, work, waiting)

    def _planned(self, scan: BidsScan) -> tuple[SubjectRun, ...]:
        out = self.out.resolve()
        _check_apart(scan.root, out)
        _check_ours(out)
        subjects = select_subjects(scan, participants=self.participants, sessions=self.sessions)
        return tuple(SubjectRun(subject, scan.root, out, self.run, self.page) for subject in subjects)


def _clear(out: Path, scan: BidsScan) -> None:
    """Clear away what killed processes left in the places of the data set's subjects."""
    for subject in select_subjects(scan):
        recover(out / subject.place)


def _unread(finding: Finding) -> Outcome:
    return Outcome.of(finding.error(), finding.where)


def _check_apart(raw: Path, out: Path) -> None:
    inside = out.is_relative_to(raw) and not out.is_relative_to(raw / "derivatives")
    if inside or out == raw / "derivatives":
        raise UsageError(
            "GD-107",
            given=f"the output {out.name} inside the data set {raw.name}",
            allowed="a folder of its own, outside the data set or below its derivatives",
            do=f"give {raw.name}/derivatives/gradatim",
        )


def _check_ours(out: Path) -> None:
    """Refuse a folder that is another data set, or holds anything but what gradatim writes."""
    try:
        says = read_sidecar(out / "dataset_description.json")
        makers = [str(each.get("Name")) for each in says.get("GeneratedBy", [])]
        ours = says.get("DatasetType") == "derivative" and makers == ["gradatim"]
    except (GradatimError, AttributeError, TypeError):
        ours = not out.exists() or (out.is_dir() and all(each.name == LOCK for each in out.iterdir()))
    if not ours:
        raise UsageError(
            "GD-107",
            given=f"the output {out.name}, which holds something that gradatim did not write",
            allowed="a new or empty folder, or an earlier output of gradatim",
            do="choose another output folder",
        )


def _summary(outcomes: Sequence[Outcome], began: datetime) -> dict[str, Any]:
    ends = [outcome.end for outcome in outcomes]
    return {
        "GeneratedBy": {"Name": "gradatim", "Version": version("gradatim")},
        "Started": began.isoformat(timespec="seconds"),
        "Ended": datetime.now(UTC).isoformat(timespec="seconds"),
        **{end.value.capitalize(): ends.count(end) for end in End},
        "Subjects": [outcome.record() for outcome in outcomes],
    }
