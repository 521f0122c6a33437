"""How far a run is: told by the work, heard by whoever started it, in another process or none."""

from collections.abc import Callable
from contextvars import ContextVar

Listener = Callable[[str, float], None]
"""Takes a stage's name and the share of the whole that is done, 0 … 1."""


def unheard(stage: str, fraction: float) -> None:
    """The listener where nobody listens."""


LISTENER: ContextVar[Listener] = ContextVar("listener", default=unheard)
"""Set by a supervisor in the process that does the work; an executor that knows nothing of it stays unheard."""


def announce(stage: str, fraction: float) -> None:
    """Tell whoever listens.

    Args:
        stage: what is being done.
        fraction: share of the whole, 0 … 1.
    """
    LISTENER.get()(stage, fraction)
