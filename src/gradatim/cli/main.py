"""The one program: reads the command line, runs the command, turns its end into an exit code."""

import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from types import FrameType
from typing import Protocol

import tyro

from gradatim.base.choice import choose
from gradatim.base.errors import GradatimError
from gradatim.cli.check import Check
from gradatim.cli.ct import Ct
from gradatim.cli.demo import Demo
from gradatim.cli.diffusion import Diffusion
from gradatim.cli.doctor import Doctor
from gradatim.cli.features import Features
from gradatim.cli.features_cohort import FeaturesCohort
from gradatim.cli.features_diff import FeaturesDiff
from gradatim.cli.features_harmonise import FeaturesHarmonise
from gradatim.cli.features_maps import FeaturesMaps
from gradatim.cli.features_robustness import FeaturesRobustness
from gradatim.cli.limits import Limits
from gradatim.cli.outcome import PIPE_CLOSED, USAGE, explain
from gradatim.cli.qsm import Qsm
from gradatim.cli.restore import Restore
from gradatim.cli.run import Run
from gradatim.cli.score import Score
from gradatim.cli.sequence import MakeSequence


class Command(Protocol):
    """What every command is: parameters, and something to do with them."""

    def run(self) -> int:
        """Do the work; the exit code, 0 where all went well."""
        ...


COMMANDS: dict[str, Callable[..., Command]] = {
    "demo": Demo,
    "check": Check,
    "run": Run,
    "qsm": Qsm,
    "features": Features,
    "features cohort": FeaturesCohort,
    "features maps": FeaturesMaps,
    "features diff": FeaturesDiff,
    "features robustness": FeaturesRobustness,
    "features harmonise": FeaturesHarmonise,
    "score": Score,
    "restore": Restore,
    "ct": Ct,
    "limits": Limits,
    "sequence": MakeSequence,
    "diffusion": Diffusion,
    "doctor": Doctor,
}
"""Word on the command line → command. Their modules import nothing heavy before ``run``."""

_ABOUT = """
    Quantitative imaging from the scanner's gradients to an answer, one step after the other:
    signal → field → map → regions → features → answer
"""


def parse(arguments: Sequence[str]) -> Command:
    """The command that a command line describes.

    Args:
        arguments: the words after ``gradatim``, the command's name first.

    Returns:
        The command, not yet run.

    Raises:
        UsageError: GD-102 if there is no such command; the nearest one is suggested.
        SystemExit: 0 after ``--help``, 2 for options that do not fit.

    Example:
        >>> parse(["doctor", "--json"])
        Doctor(json=True)
    """
    words = 2 if " ".join(arguments[:2]) in COMMANDS else 1
    name, options = " ".join(arguments[:words]), arguments[words:]
    command = choose(name, COMMANDS, what="command")
    return tyro.cli(command, prog=f"gradatim {name}", args=options, config=(tyro.conf.FlagCreatePairsOff,))


def help_text() -> str:
    """What ``gradatim --help`` says: every command with the first line of its docstring."""
    commands = [
        f"  {name:<21}{(inspect.getdoc(command) or '').splitlines()[0].rstrip('.')}"
        for name, command in COMMANDS.items()
    ]
    return "\n".join(
        [
            "usage: gradatim COMMAND [OPTIONS]",
            "",
            inspect.cleandoc(_ABOUT),
            "",
            "commands",
            *commands,
            "",
            "gradatim COMMAND --help   its options",
            "gradatim --version        the version",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code.

    0 fine, 1 some subjects failed, 2 usage, 3 bad input, 4 unsafe input refused, 5 the machine, 70 a bug of
    ours, 130 interrupted, 141 the reader of our output went away.

    Args:
        arguments: the words after ``gradatim``; by default this process's.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch starts; spinning threads starve the busy ones
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        return PIPE_CLOSED
    except (KeyboardInterrupt, GradatimError) as error:
        return explain(error, "")
    except Exception as error:
        if os.environ.get("GRADATIM_TRACEBACK"):
            raise
        return explain(error, words[0])
    return code


def _run(words: list[str]) -> int:
    if not words:
        print(help_text(), file=sys.stderr)
        return USAGE
    if words[0] in {"-h", "--help"}:
        print(help_text())
        return 0
    if words[0] == "--version":
        print(f"gradatim {version('gradatim')}")
        return 0
    return parse(words).run()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl-C does, so that what is written stays whole."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
