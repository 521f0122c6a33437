"""The program's edge: exit codes, messages, suggestions, and that nobody ever meets a traceback."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, is_dataclass
from pathlib import Path

import pytest

import gradatim
from gradatim.base.errors import InputError, ResourceError, UnsafeInputError, UsageError
from gradatim.cli import main as program

PATIENT = "Wang_Xiaoming_1961"


@dataclass(frozen=True)
class Ends:
    """A command that ends as its class attribute says."""

    how = staticmethod(lambda: 0)

    def run(self) -> int:
        """End."""
        return self.how()


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run the program with a command ``ends`` that does what the test gives; bug reports go into the test's folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def run(how) -> int:
        monkeypatch.setattr(Ends, "how", staticmethod(how))
        monkeypatch.setitem(program.COMMANDS, "ends", Ends)
        return program.main(["ends"])

    return run


def raising(error: BaseException):
    """A command body that raises."""

    def body() -> int:
        raise error

    return body


SAID = {"given": "x", "allowed": "y", "do": "z"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("GD-101", **SAID), 2),
        (InputError("GD-601", **SAID), 3),
        (ResourceError("GD-501", **SAID), 5),
        (MemoryError(), 5),
        (OSError(28, "No space left on device", "out.nii"), 5),
        (PermissionError(13, "Permission denied", "out.nii"), 5),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("1/0"), 70),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_end_has_its_exit_code(ends, capsys: pytest.CaptureFixture[str], error: BaseException, code: int) -> None:
    assert ends(raising(error)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("gradatim: ")
    assert "Traceback" not in said.err


def test_a_commands_own_code_is_kept(ends) -> None:
    assert ends(lambda: 1) == 1


def test_unsafe_input_has_its_own_exit_code() -> None:
    assert UnsafeInputError.exit_code == 4


def test_control_characters_from_a_file_name_never_reach_the_terminal(ends, capsys) -> None:
    name = "\x1b[2Jscan\x07\u202e[red]gpj.exe\n"
    ends(raising(InputError("GD-601", given=name, allowed="y", do="z")))
    err = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\u202e"} & set(err)
    assert "[red]" in err, "square brackets are text, not markup"
    assert err.count("\n") == 1


def test_a_bug_leaves_a_report_without_data(ends, capsys, tmp_path: Path) -> None:
    def body() -> int:
        try:
            int(PATIENT)
        except ValueError as cause:
            raise RuntimeError(f"cannot handle {PATIENT}") from cause
        return 0

    assert ends(body) == 70
    err = capsys.readouterr().err
    (report,) = tmp_path.iterdir()
    text = report.read_text()
    assert report.name in err
    assert PATIENT not in text + err
    assert "RuntimeError" in text
    assert "ValueError" in text
    assert "gradatim/cli/main.py" in text
    assert str(Path(__file__).parent) not in text
    assert str(Path.home()) not in text


def test_developers_can_ask_for_the_traceback(ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADATIM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        ends(lambda: 1 // 0)


def test_an_unknown_command_suggests_the_nearest(capsys) -> None:
    assert program.main(["docter"]) == 2
    assert "did you mean 'doctor'?" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["doctor", "--jsn"], ["doctor", "surplus"]], ids=["option", "more"])
def test_wrong_options_are_exit_2(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        program.main(words)
    assert stop.value.code == 2
    assert capsys.readouterr().out == ""


def test_nothing_at_all_is_wrong_usage_and_shows_the_commands(capsys) -> None:
    assert program.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == program.help_text()


def test_help_lists_every_command_on_one_line_and_version_the_version(capsys) -> None:
    assert program.main(["--help"]) == 0
    shown = capsys.readouterr().out
    listed = [line.strip().split("  ")[0] for line in shown.splitlines() if line.startswith("  ")]
    assert listed == list(program.COMMANDS)
    assert max(map(len, shown.splitlines())) <= 120
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out == f"gradatim {gradatim.__version__}\n"


@pytest.mark.parametrize("name", sorted(program.COMMANDS))
def test_every_command_is_a_documented_frozen_dataclass_with_help(name: str, capsys) -> None:
    command = program.COMMANDS[name]
    assert is_dataclass(command)
    assert command.__dataclass_params__.frozen  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as stop:
        program.main([name, "--help"])
    assert stop.value.code == 0
    assert (command.__doc__ or "").split("\n")[0].split()[0] in capsys.readouterr().out


def test_the_reader_of_our_output_may_leave() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ran = subprocess.run(
            [sys.executable, "-m", "gradatim.cli.main", "doctor"], stdout=gone, stderr=subprocess.PIPE, check=False
        )
    assert ran.returncode == 141
    assert ran.stderr == b""


def test_sigterm_ends_like_ctrl_c(ends, capsys) -> None:
    def body() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
        return 0

    assert ends(body) == 130
    assert "interrupted" in capsys.readouterr().err


def test_doctor_speaks_json_with_every_part_of_the_package(capsys) -> None:
    assert program.main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"torch", "numpy", "gradatim"} <= findings["versions"].keys()
    assert findings["parts"].keys() == {"report", "notebook", "cluster", "dicom", "sequence", "raw", "nufft", "nmr"}
    assert findings["parts"]["report"]["install"] == "pip install 'gradatim[report]'"
