"""``gradatim check``: data on stdout, talk on stderr, an exit code that says how bad it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gradatim.base.errors import UsageError
from gradatim.cli.check import Check
from tests.io.dataset import MAG2, RUINED, build


def test_a_valid_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(tmp_path)
    assert Check((tmp_path,)).run() == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == "nothing found"


def test_a_refusal_is_said_with_code_place_and_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RUINED["echo time in ms"][0](build(tmp_path))
    assert Check((tmp_path,)).run() == 3
    said = capsys.readouterr().err
    assert "refused GD-302" in said
    assert "divide by 1000: 0.01" in said
    assert said.strip().endswith("1 refused")


def test_json_goes_to_stdout_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RUINED["gzip cut in half"][0](build(tmp_path / "a"))
    build(tmp_path / "b")
    assert Check((tmp_path / "a", tmp_path / "b"), json=True).run() == 3
    (finding,) = json.loads(capsys.readouterr().out)
    assert set(finding) == {"code", "severity", "where", "what", "allowed", "fix"}
    assert (finding["code"], finding["severity"]) == ("GD-207", "refuse")


def test_unsafe_input_has_the_higher_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    anat = build(tmp_path / "data")
    RUINED["echo time in ms"][0](anat)
    (tmp_path / "secret").touch()
    (anat / f"{MAG2}.nii.gz").unlink()
    (anat / f"{MAG2}.nii.gz").symlink_to(tmp_path / "secret")
    assert Check((tmp_path / "data",)).run() == 4
    assert "refused GD-403" in capsys.readouterr().err


def test_warnings_alone_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(tmp_path)
    build(tmp_path, subject="02")
    assert Check((tmp_path,)).run() == 0
    assert "warning GD-320" in capsys.readouterr().err


def test_names_cannot_drive_the_terminal_or_the_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "\x1b[31m[bold]x.nii").write_bytes(b"")
    assert Check((tmp_path,)).run() == 3
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "[bold]x.nii" in said


def test_the_users_word_on_the_unit_of_phase(tmp_path: Path) -> None:
    RUINED["no units"][0](build(tmp_path))
    assert Check((tmp_path,)).run() == 3
    assert Check((tmp_path,), phase_units="rad").run() == 0
    with pytest.raises(UsageError, match="did you mean 'siemens'"):
        Check((tmp_path,), phase_units="simens").run()


def test_no_path_is_a_matter_of_usage() -> None:
    with pytest.raises(UsageError):
        Check(()).run()


def test_the_program(tmp_path: Path) -> None:
    RUINED["no units"][0](build(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-m", "gradatim.cli.main", "check", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    assert [f["code"] for f in json.loads(ended.stdout)] == ["GD-333"]
