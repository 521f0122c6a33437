"""How far a run is, for a person: bars on a terminal, plain lines elsewhere."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gradatim.cli.outcome import plain

if TYPE_CHECKING:
    from rich.progress import TaskID


class ProgressBars:
    """One bar a subject, on stderr; a subject's bar appears with its first stage and stays when it has ended.

    Args:
        total: how many subjects there are, for the line that counts them.
    """

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            TextColumn("{task.fields[stage]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            disable=not sys.stderr.isatty(),
        )
        self._tasks: dict[str, TaskID] = {}
        self._stages: dict[str, str] = {}
        self._total, self._ended = total, 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, name: str, stage: str, fraction: float) -> None:
        """Show what a subject does now; may be called from other threads.

        Args:
            name: the subject.
            stage: what is being done.
            fraction: share of the whole, 0 … 1.
        """
        if self._bars.disable:
            if self._stages.get(name) != stage:
                self._stages[name] = stage
                self.say(f"{name}: {stage}")
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(plain(name), total=1.0, stage="")
        self._bars.update(self._tasks[name], completed=fraction, stage=plain(stage))

    def end(self, name: str, how: str) -> None:
        """Show how a subject ended.

        Args:
            name: the subject.
            how: in words.
        """
        self._ended += 1
        if name in self._tasks:
            self._bars.update(self._tasks[name], completed=1.0, stage="")
            self._bars.stop_task(self._tasks[name])
        count = f"[{self._ended}/{self._total}] " if self._total > 1 else ""
        self.say(f"{count}{name}: {how}")

    def say(self, line: str) -> None:
        """Print a line above the bars.

        Args:
            line: plain text; whatever could drive a terminal is replaced.
        """
        self._console.print(plain(line), markup=False, soft_wrap=True)
