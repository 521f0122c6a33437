"""What a subject's process does: the run, and whatever goes wrong in it as an outcome."""

import os
import time
from dataclasses import replace

from gradatim.cli.bug_report import write_bug_report
from gradatim.cli.outcome import BUG, known_error
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.subject_run import SubjectRun


def run_subject(task: SubjectRun) -> Outcome:
    """Run a subject; nothing that it meets is raised, except for developers who ask for the traceback.

    Args:
        task: the subject's run.
    """
    began = time.monotonic()
    try:
        outcome = task()
    except Exception as error:
        if os.environ.get("GRADATIM_TRACEBACK"):
            raise
        known = known_error(error)
        outcome = _bug(task.name, error) if known is None else Outcome.of(known, task.name)
        about = task.needs if outcome.code == "GD-507" else ""
        outcome = replace(outcome, sentence=f"{outcome.sentence}; {about}") if about else outcome
    return replace(outcome, seconds=time.monotonic() - began)


def _bug(name: str, error: Exception) -> Outcome:
    report = write_bug_report(error, "run")
    sentence = f"this is a bug in gradatim, not in your data ({type(error).__name__})"
    if report is not None:
        sentence += f"; please send {report}; it holds versions and line numbers, no data, names or paths of yours"
    return Outcome(name, End.FAILED, "", sentence, BUG)
