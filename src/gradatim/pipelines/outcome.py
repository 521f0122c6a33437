"""How a subject's run ended: a value, so that one that fails stops nobody."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from gradatim.base.errors import GradatimError


class End(Enum):
    """The three ends of a subject's run."""

    DONE = "done"
    """Its output is new and whole."""
    SKIPPED = "skipped"
    """Its output was whole already and fits input, parameters and version."""
    FAILED = "failed"
    """It has no new output; an older one is as it was."""


@dataclass(frozen=True)
class Outcome:
    """How one subject's run ended.

    Args:
        name: the subject, with its session, e.g. ``sub-01_ses-a``.
        end: done, skipped or failed.
        code: the error's ``GD-xxx``; empty without an error, and for a bug of ours.
        sentence: what was found, allowed and to be done, or what the run has to say.
        exit_code: what a run of this subject alone would end with.
        seconds: wall-clock time.
    """

    name: str
    end: End
    code: str = ""
    sentence: str = ""
    exit_code: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, error: BaseException, name: str) -> "Outcome":
        """The failure that an error means.

        Args:
            error: a :class:`~gradatim.base.errors.GradatimError` keeps its code; anything else only shows its type,
                since its message could hold anything.
            name: the subject.
        """
        if isinstance(error, GradatimError):
            return cls(name, End.FAILED, error.code, str(error), error.exit_code)
        return cls(name, End.FAILED, "", f"{type(error).__name__} ended its process", 1)

    def record(self) -> dict[str, Any]:
        """The outcome as plain data for the summary."""
        return {
            "name": self.name,
            "end": self.end.value,
            "code": self.code,
            "sentence": self.sentence,
            "seconds": round(self.seconds, 1),
        }


def exit_code(outcomes: tuple[Outcome, ...]) -> int:
    """The exit code of a run: 0 if nobody failed, 1 if some did, their common code if all failed alike.

    Args:
        outcomes: one a subject.

    Example:
        >>> bad = Outcome("sub-01", End.FAILED, "GD-207", "", 3)
        >>> exit_code((bad, Outcome("sub-02", End.DONE))), exit_code((bad, bad)), exit_code(())
        (1, 3, 0)
    """
    codes = {outcome.exit_code for outcome in outcomes}
    failed = codes - {0}
    return codes.pop() if len(codes) == 1 else int(bool(failed))
