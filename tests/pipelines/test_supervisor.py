"""One process a subject: what dies takes nothing with it."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradatim.pipelines.outcome import End, Outcome, exit_code
from gradatim.pipelines.supervisor import ProcessPerTask, supervise
from tests.pipelines.work import Job, work
from tests.tree.source import CHECKOUT


def unheard(name: str, stage: str, fraction: float) -> None:
    """Nobody listens."""


def alive(pid: int) -> bool:
    """Whether a process is still at work; one that only waits to be collected is not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def soon(condition, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_each_ends_for_itself(tmp_path: Path) -> None:
    jobs = [
        Job("a", "well"),
        Job("b", "refuse"),
        Job("c", "die"),
        Job("d", "die once", tmp_path / "d"),
        Job("e", "break"),
    ]
    heard: list[tuple[str, str]] = []
    with ProcessPerTask(2, lambda name, stage, _: heard.append((name, stage))) as executor:
        outcomes = {outcome.name: outcome for outcome in supervise(executor, work, jobs)}
    assert {name: (o.end, o.code) for name, o in outcomes.items()} == {
        "a": (End.DONE, ""),
        "b": (End.FAILED, "GD-601"),
        "c": (End.FAILED, "GD-509"),
        "d": (End.DONE, ""),
        "e": (End.FAILED, ""),
    }
    assert "SIGKILL" in outcomes["c"].sentence
    assert outcomes["c"].sentence.endswith("it takes 3 GB; 1 GB is free")
    assert "Wang" not in outcomes["e"].sentence
    assert heard.count(("c", "working")) == heard.count(("d", "working")) == 2
    assert len({outcomes[name].sentence for name in "ad"}) == 2, "each has a process of its own"
    assert exit_code(tuple(outcomes.values())) == 1


def test_any_executor_will_do() -> None:
    with ThreadPoolExecutor(2) as executor:
        outcomes = list(supervise(executor, work, [Job("a", "well"), Job("b", "refuse")]))
    assert sorted((o.name, o.end.value) for o in outcomes) == [("a", "done"), ("b", "failed")]


def test_an_error_outside_stops_what_runs_and_drops_what_waits(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    def run() -> None:
        with ProcessPerTask(1, unheard) as executor:
            futures = [executor.submit(work, Job(place.name, "wait", place)) for place in (first, second)]
            assert soon(lambda: first.exists() and first.read_text())
            assert not futures[0].done()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert not alive(int(first.read_text()))
    assert not second.exists()


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gradatim.pipelines.supervisor import ProcessPerTask\n"
        "from tests.pipelines.work import Job, work\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPerTask(1, lambda *said: None) as executor:\n"
        "        executor.submit(work, Job('a', 'wait', Path(sys.argv[1]))).result()\n"
    )
    script, place = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    parent = subprocess.Popen([sys.executable, str(script), str(place)], env=environment)
    try:
        assert soon(lambda: place.exists() and place.read_text())
        child = int(place.read_text())
        assert alive(child)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert soon(lambda: not alive(child))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 0], 0), ([0, 3], 1), ([3, 3], 3), ([3, 4], 1), ([5], 5), ([70, 0], 1)],
)
def test_the_exit_code_of_many(codes: list[int], expected: int) -> None:
    outcomes = tuple(Outcome(str(i), End.FAILED if code else End.DONE, "", "", code) for i, code in enumerate(codes))
    assert exit_code(outcomes) == expected
