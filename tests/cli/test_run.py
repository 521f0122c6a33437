"""gradatim run: exit codes, what it says, and how it ends when it is ended."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.cli.subject_work import run_subject
from gradatim.io.lock import run_lock
from gradatim.pipelines.dataset_run import LOCK, DatasetRun
from tests.pipelines.heads import QUICK, add_subject, contents, no_page, spoil

WORDS = ("--inversion", "tkd", "--background", "vsharp")
"""The options that ask for the quick chain of the tests."""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    add_subject(root, "01")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def go(raw: Path, out: Path, *more: str, level: str = "participant") -> int:
    return main(["run", str(raw), str(out), level, *WORDS, *more])


def started(raw: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """The same as a process of its own, its output kept."""
    command = [sys.executable, "-m", "gradatim.cli.main", "run", str(raw), str(out), "participant", *WORDS, *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def ends(summary: dict) -> dict[str, str]:
    """How each subject ended."""
    return {subject["name"]: subject["end"] for subject in summary["Subjects"]}


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Until the process says something."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"never said {words!r}")


def test_subjects_go_side_by_side_and_one_bad_one_is_exit_1(raw: Path, out: Path, capsys) -> None:
    spoil(add_subject(raw, "02", seed=1))
    assert go(raw, out, "--nprocs", "2", "--json") == 1
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert {subject["name"]: subject["end"] for subject in summary["Subjects"]} == {
        "sub-01": "done",
        "sub-02": "failed",
    }
    assert "sub-02: failed: GD-207" in said.err
    assert "1 done, 1 failed" in said.err
    assert "Traceback" not in said.err
    assert (out / "sub-01" / "sub-01_report.html").read_text().startswith("<!DOCTYPE html>")
    assert not (out / "sub-02").exists()


def test_the_group_follows_the_participants(raw: Path, out: Path, capsys) -> None:
    assert go(raw, out) == 0
    assert go(raw, out, level="group") == 0
    assert "scan(s)" in capsys.readouterr().err
    assert (out / "group_features.parquet").is_file()
    assert go(raw, out / "nothing", level="group") == 3


def test_a_data_set_where_all_fail_alike_has_their_exit_code(raw: Path, out: Path, capsys) -> None:
    spoil(raw / "sub-01" / "anat")
    assert go(raw, out) == 3
    assert "GD-207" in capsys.readouterr().err


def test_a_dry_run_changes_nothing(raw: Path, out: Path, capsys) -> None:
    before = contents(raw)
    assert go(raw, out, "--dry-run", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"name": "sub-01", "state": "new", "scans": "sub-01_MEGRE"}]
    assert "sub-01: new" in said.err
    assert contents(raw) == before
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--nprocs", "0"), "GD-101"),
        (("--executor", "slrm"), "GD-102"),
        (("--participant-label", "99"), "GD-102"),
        (("--phase-units", "furlong"), "GD-102"),
        (("--background", "vshrap"), "GD-102"),
    ],
)
def test_wrong_words_are_exit_2_before_anything_is_written(raw: Path, out: Path, capsys, more, code: str) -> None:
    assert go(raw, out, *more) == 2
    assert code in capsys.readouterr().err
    assert not out.exists()


def test_no_data_set_is_exit_3(tmp_path: Path, out: Path) -> None:
    assert go(tmp_path / "nothing", out) == 3
    (tmp_path / "empty").mkdir()
    assert go(tmp_path / "empty", out) == 3
    assert not out.exists()


def test_a_second_run_on_the_same_output_ends_with_5(raw: Path, out: Path, capsys) -> None:
    out.mkdir()
    with run_lock(out / LOCK):
        assert go(raw, out) == 5
        assert "GD-508" in capsys.readouterr().err
        assert [path.name for path in out.iterdir()] == [LOCK]


@pytest.fixture
def half(raw: Path, out: Path) -> dict[str, bytes]:
    """A run of which one subject is done and another waits; every file of the first."""
    DatasetRun(raw, out, no_page, QUICK)(ThreadPoolExecutor(1), work=run_subject, heard=lambda outcome: None)
    add_subject(raw, "02", seed=1)
    return contents(out / "sub-01")


def goes_on(raw: Path, out: Path, half: dict[str, bytes]) -> None:
    """The same command does what is left, and nothing else."""
    assert contents(out / "sub-01") == half
    assert go(raw, out) == 0
    assert ends(json.loads((out / "summary.json").read_text())) == {"sub-01": "skipped", "sub-02": "done"}
    assert contents(out / "sub-01") == half
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == [".bidsignore"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_130_leaves_nothing_half_written_and_can_go_on(
    raw: Path, out: Path, half: dict[str, bytes], number: int
) -> None:
    process = started(raw, out)
    wait_for(process, "sub-02: reading")
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in rest
    assert {path.name for path in out.iterdir() if path.name.startswith((".", "sub"))} == {".bidsignore", "sub-01"}
    goes_on(raw, out, half)


def test_a_run_that_was_killed_goes_on_where_it_stopped(raw: Path, out: Path, half: dict[str, bytes]) -> None:
    process = started(raw, out)
    wait_for(process, "sub-02: writing")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert (out / LOCK).exists()
    goes_on(raw, out, half)
