"""Many subjects side by side, one supervised process each: one that is killed is tried again and harms nobody."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from gradatim.base.errors import ResourceError
from gradatim.pipelines.outcome import Outcome
from gradatim.pipelines.progress import LISTENER

ATTEMPTS = 2
"""How often a subject is tried whose process the system kills."""

GRACE_SECONDS = 1.0
"""How long an interrupted process may take to end before it is killed."""

_WATCH_SECONDS = 0.2

Hearer = Callable[[str, str, float], None]
"""Takes a task's name, its stage and the share that is done."""


class Task(Protocol):
    """What is run in a process of its own; it can be pickled."""

    @property
    def name(self) -> str:
        """The subject's name."""
        ...

    @property
    def needs(self) -> str:
        """A sentence about the memory it needs, empty where that is unknown."""
        ...


class Executor(Protocol):
    """Where work is done: any ``concurrent.futures.Executor``, or what does the same."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Do ``work(*arguments)`` somewhere."""
        ...


T = TypeVar("T", bound=Task)


def supervise(executor: Executor, work: Callable[[T], Outcome], tasks: Iterable[T]) -> Iterator[Outcome]:
    """Do all tasks and give each outcome as it comes; what goes wrong in one is its own outcome.

    Any executor will do: :class:`ProcessPerTask`, or what a cluster offers (``Client.get_executor()`` of dask). If the
    caller stops listening, or is interrupted, what waits is dropped; what runs is the executor's to stop.

    Args:
        executor: where the work is done.
        work: what is done with each task; can be pickled by its name.
        tasks: what is to be done.

    Yields:
        One outcome a task, in the order of their ends.
    """
    futures = {executor.submit(work, task): task for task in tasks}
    try:
        for future in as_completed(futures):
            error = future.exception()
            yield future.result() if error is None else _failure(error, futures[future])
    finally:
        for future in futures:
            future.cancel()


def _failure(error: BaseException, task: Task) -> Outcome:
    outcome = Outcome.of(error, task.name)
    about = task.needs if outcome.code in {"GD-507", "GD-509"} else ""
    return replace(outcome, sentence=f"{outcome.sentence}; {about}") if about else outcome


class ProcessPerTask:
    """An executor, used in a ``with`` block, that starts a fresh process for every task.

    A process that the system kills, for want of memory most often, takes no other with it; its task is tried once
    more and then ends with GD-509. If the block ends by an error or an interrupt, the processes at work are stopped;
    if the parent is killed, they end by themselves. A process has its share of the cores' threads.

    Args:
        nprocs: how many at a time, ≥ 1.
        hearer: told the stage of every task that announces it, from other threads.
    """

    def __init__(self, nprocs: int, hearer: Hearer) -> None:
        self._threads = ThreadPoolExecutor(nprocs)
        self._share = max(1, (os.cpu_count() or 1) // nprocs)
        self._hearer = hearer
        self._guard = threading.Lock()
        self._running: set[BaseProcess] = set()
        self._stopped = False

    def submit(self, work: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Do ``work(*arguments)`` in a new process, when one of the places is free."""
        return self._threads.submit(self._tried, work, arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop()
        self._threads.shutdown(wait=True, cancel_futures=kind is not None)

    def _stop(self) -> None:
        with self._guard:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            process.join(GRACE_SECONDS)
            process.kill()

    def _tried(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        name = arguments[0].name if arguments and hasattr(arguments[0], "name") else ""
        for _ in range(ATTEMPTS):
            process, ended = self._once(work, arguments, name)
            if ended is not None:
                value, error = ended
                if error is not None:
                    raise error
                return value
            if self._stopped:
                break
        raise _killed(process.exitcode)

    def _once(self, work: Callable[..., Any], arguments: tuple[Any, ...], name: str) -> tuple[BaseProcess, Any]:
        """Run once; the process, and what it sent at its end, None if it was killed before."""
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(sender, self._share, work, arguments), daemon=True)
        with self._guard:
            if self._stopped:
                raise _killed(-signal.SIGTERM)
            process.start()
            self._running.add(process)
        sender.close()
        ended = None
        try:
            while ended is None:
                message = receiver.recv()
                if isinstance(message, _Stage):
                    self._hearer(name, *message)
                else:
                    ended = message
        except EOFError:
            pass
        process.join()
        with self._guard:
            self._running.discard(process)
        return process, ended


class _Stage(NamedTuple):
    """A stage on its way to the parent."""

    stage: str
    fraction: float


def _child(sender: Connection, threads: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """What a process does: the work in a thread, while the main thread watches that the parent lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends Ctrl-C to all; the parent decides
    LISTENER.set(lambda stage, fraction: sender.send(_Stage(stage, fraction)))
    parent = parent_process()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(copy_context().run, _limited, threads, work, arguments)
        while not future.done():
            if parent is not None and wait([parent.sentinel], _WATCH_SECONDS):
                os._exit(1)  # nobody waits for the result any more
        error = future.exception()
    sender.send((None, error) if error is not None else (future.result(), None))


def _limited(threads: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    import numba
    import torch

    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.get_num_threads()))
    return work(*arguments)


def _killed(code: int | None) -> ResourceError:
    number = -(code or 0)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"exit code {code}"
    return ResourceError(
        "GD-509",
        given=f"the process of this subject was ended by {name}",
        allowed="enough memory for every process at work",
        do="use fewer processes at a time (--nprocs), or a machine with more memory, and run again",
    )
