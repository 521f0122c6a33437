"""What `gradatim run` and `gradatim demo` do with a data set: plan, run with bars, put together."""

import json as jsonlib
from pathlib import Path

from rich.console import Console

from gradatim.base.errors import GradatimError
from gradatim.cli.outcome import plain
from gradatim.cli.progress_bars import ProgressBars
from gradatim.cli.subject_work import run_subject
from gradatim.pipelines.dataset_run import SUMMARY, DatasetRun
from gradatim.pipelines.group import write_group
from gradatim.pipelines.outcome import End, Outcome, exit_code
from gradatim.pipelines.supervisor import ProcessPerTask


def run_participants(run: DatasetRun, nprocs: int, *, json: bool) -> int:
    """Run the subjects, show how far they are, and say how they ended.

    Args:
        run: the data set's run.
        nprocs: how many subjects at a time.
        json: whether the summary goes to stdout.

    Returns:
        The exit code.
    """
    with ProgressBars(len(run.plan())) as bars:
        outcomes = run(
            ProcessPerTask(nprocs, bars.stage),
            work=run_subject,
            heard=lambda outcome: bars.end(outcome.name, _in_words(outcome)),
        )
        counts = ", ".join(
            f"{count} {end.value}" for end in End if (count := sum(outcome.end is end for outcome in outcomes))
        )
        bars.say(f"{counts or 'no multi-echo scan found'}: {run.out}")
    if json:
        print((run.out / SUMMARY).read_text(encoding="utf-8"), end="")
    return exit_code(outcomes)


def plan(run: DatasetRun, *, json: bool) -> int:
    """Say what a run would do with each subject.

    Args:
        run: the data set's run.
        json: whether the plan goes to stdout as a JSON list.

    Returns:
        0, or the exit code of what would fail before it starts.
    """
    rows, outcomes = [], []
    for task in run.plan():
        try:
            state, outcome = task.state().value, Outcome(task.name, End.SKIPPED)
        except GradatimError as error:
            state, outcome = str(error), Outcome.of(error, task.name)
        rows.append({"name": task.name, "state": state, "scans": ", ".join(s.name for s in task.scans.series)})
        outcomes.append(outcome)
    if json:
        print(jsonlib.dumps(rows, indent=2))
    talk = Console(stderr=True, highlight=False)
    for row in rows:
        talk.print(plain(f"{row['name']}: {row['state']} ({row['scans']})"), markup=False, soft_wrap=True)
    talk.print(f"{len(rows)} subject(s); nothing was changed", markup=False)
    return exit_code(tuple(outcomes))


def run_group(out: Path, *, json: bool) -> int:
    """Put the subjects' features into one table and say where it is.

    Args:
        out: the derivative's root.
        json: whether the counts go to stdout.

    Returns:
        0.
    """
    table, talk = write_group(out), Console(stderr=True, highlight=False)
    if len(table.settings) > 1:
        found = ", ".join(table.settings)
        talk.print(f"the features were made with different settings ({found}): do not compare them", markup=False)
    talk.print(plain(f"{table.rows} rows of {table.cases} scan(s): {table.path}"), markup=False, soft_wrap=True)
    if json:
        print(jsonlib.dumps({"table": str(table.path), "scans": table.cases, "rows": table.rows}))
    return 0


def _in_words(outcome: Outcome) -> str:
    if outcome.end is End.FAILED:
        return f"failed: {outcome.sentence}"
    time = f" in {outcome.seconds:.0f} s" if outcome.seconds else ""
    return f"{outcome.end.value}{time}" + (f", {outcome.sentence}" if outcome.sentence else "")
