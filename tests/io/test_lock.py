"""Two runs do not mix: one owner at a time, who is named, and whose death frees the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradatim.base.errors import ResourceError
from gradatim.io import lock as module
from gradatim.io.lock import run_lock

HOLD = (
    "import sys, time; from pathlib import Path; from gradatim.io.lock import run_lock\n"
    "with run_lock(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(600)\n"
)


@pytest.fixture
def held(tmp_path: Path):
    """A lock that another process holds."""
    path = tmp_path / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_run_is_told_whose_lock_it_is(held) -> None:
    path, process = held
    with pytest.raises(ResourceError) as caught, run_lock(path):
        pass
    assert caught.value.code == "GD-508"
    assert f"process {process.pid} on" in caught.value.given
    assert "T" in json.loads(path.read_text())["started"]
    assert process.poll() is None


def test_a_killed_owners_lock_is_taken_over_and_named(held) -> None:
    path, process = held
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.exists()
    with run_lock(path) as before:
        assert before is not None
        assert before.pid == process.pid
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert not path.exists()


def test_nothing_is_left_after_use_and_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / ".lock"

    def fail() -> None:
        with run_lock(path) as before:
            assert before is None
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert not path.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\0" * 5000])
def test_a_file_that_names_nobody_is_nobodys(tmp_path: Path, content: str) -> None:
    path = tmp_path / ".lock"
    path.write_text(content)
    with run_lock(path) as before:
        assert before is None


def test_a_lock_of_another_machine_is_believed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": "2026-01-01T00:00:00+00:00"}))
    with pytest.raises(ResourceError, match=r"GD-508: .* on elsewhere.* remove .lock"), run_lock(path):
        pass
    assert path.exists()


def test_without_locks_of_the_system_the_file_is_the_lock(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "fcntl", None)
    path = tmp_path / ".lock"
    with run_lock(path), pytest.raises(ResourceError, match="GD-508"), run_lock(path):
        pass
    assert not path.exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / ".lock").symlink_to(precious)
    with pytest.raises(ResourceError), run_lock(tmp_path / ".lock"):
        pass
    assert precious.read_text() == "kept"


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="GD-504"), run_lock(tmp_path / "nowhere" / ".lock"):
        pass


def test_many_at_once_go_one_after_the_other(tmp_path: Path) -> None:
    path, place = tmp_path / ".lock", tmp_path / "count"
    place.write_text("0")
    program = (
        "import sys, time; from pathlib import Path; from gradatim.io.lock import run_lock\n"
        "from gradatim.base.errors import ResourceError\n"
        "lock, place, rounds = Path(sys.argv[1]), Path(sys.argv[2]), 0\n"
        "while rounds < 40:\n"
        "    try:\n"
        "        with run_lock(lock):\n"
        "            count = int(place.read_text()); time.sleep(0.0005); place.write_text(str(count + 1))\n"
        "            rounds += 1\n"
        "    except ResourceError:\n"
        "        pass\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path), str(place)]) for _ in range(3)]
    deadline = time.monotonic() + 120
    assert [process.wait(max(1.0, deadline - time.monotonic())) for process in processes] == [0, 0, 0]
    assert place.read_text() == "120"
