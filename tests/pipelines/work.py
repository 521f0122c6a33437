"""What tests let processes do; imported by its name there."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.progress import announce


@dataclass(frozen=True)
class Job:
    """A task that ends as it says.

    Args:
        name: its name.
        how: what it does.
        place: a file that it leaves, to be seen from outside.
    """

    name: str
    how: str
    place: Path = Path()
    needs: str = "it takes 3 GB; 1 GB is free"


def work(job: Job) -> Outcome:
    """End as the job says."""
    announce("working", 0.5)
    if job.how == "refuse":
        raise InputError("GD-601", given="nothing", allowed="something", do="give it")
    if job.how == "die" or (job.how == "die once" and not job.place.exists()):
        if job.how == "die once":
            job.place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if job.how == "break":
        raise ZeroDivisionError("patient Wang")
    if job.how == "wait":
        job.place.write_text(str(os.getpid()))
        time.sleep(600)
    return Outcome(job.name, End.DONE, sentence=str(os.getpid()))
