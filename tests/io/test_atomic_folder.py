"""A folder is the old one or the whole new one, whatever happens while it is made."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gradatim.base.errors import ResourceError
from gradatim.io import atomic_folder as module
from gradatim.io.atomic_folder import atomic_folder, recover


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def fill(target: Path, text: str, failure: BaseException | None = None) -> None:
    with atomic_folder(target) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_text(text)
        if failure is not None:
            raise failure


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "sub-01" / "ses-a"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("new")
        assert not target.exists()
    assert tree(tmp_path) == ["sub-01", "sub-01/ses-a", "sub-01/ses-a/a"]


def test_the_new_one_replaces_the_old_one_without_a_mixture(tmp_path: Path) -> None:
    target = tmp_path / "sub-01"
    target.mkdir()
    (target / "old").touch()
    fill(target, "new")
    assert tree(tmp_path) == ["sub-01", "sub-01/deep", "sub-01/deep/a"]


@pytest.mark.parametrize("failure", [ValueError(), KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize("before", ["old", ""])
def test_a_failure_leaves_what_was_there(tmp_path: Path, failure: BaseException, before: str) -> None:
    target = tmp_path / "sub-01" / "ses-a"
    if before:
        fill(target, before)
    there = tree(tmp_path)
    with pytest.raises(type(failure)):
        fill(target, "new", failure)
    assert tree(tmp_path) == there
    assert not before or (target / "deep" / "a").read_text() == "old"


@pytest.mark.parametrize("before", ["old", ""])
@pytest.mark.parametrize("moment", ["while it is filled", "between the two renames"])
def test_a_killed_process_leaves_something_to_recover_from(tmp_path: Path, before: str, moment: str) -> None:
    target, other = tmp_path / "sub-01", tmp_path / "sub-02"
    if before:
        fill(target, "old")
    fill(other, "beside")
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    while_filled = kill if moment == "while it is filled" else "pass"
    at_rename = f"module._swap = lambda a, b: ((b.rename(module._aside(b)) if b.exists() else None), {kill})"
    program = (
        "import os, signal, sys; from pathlib import Path; from gradatim.io import atomic_folder as module\n"
        f"{at_rename}\n"
        "with module.atomic_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').touch()\n"
        f"    {while_filled}\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert any(name.startswith(".") for name in tree(tmp_path))
    recover(target)
    assert [path.name for path in sorted(tmp_path.iterdir())] == (["sub-01"] if before else []) + ["sub-02"]
    assert not before or (target / "deep" / "a").read_text() == "old"


def test_recovering_where_nothing_happened_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "sub-01"
    fill(target, "kept")
    (tmp_path / ".hidden.part").mkdir()
    there = tree(tmp_path)
    recover(target)
    recover(tmp_path / "never" / "made")
    assert tree(tmp_path) == there


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "GD-502"), (errno.EROFS, "GD-503"), (errno.EIO, "GD-504")])
def test_the_systems_refusals_have_codes(tmp_path: Path, monkeypatch, number: int, code: str) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, "flush_folder", refuse)
    with pytest.raises(ResourceError) as caught:
        fill(tmp_path / "sub-01", "new")
    assert caught.value.code == code
    assert tree(tmp_path) == []


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="GD-504"):
        fill(tmp_path / "file" / "sub-01", "new")


@pytest.mark.parametrize("name", ["x" * 255, "with space", "日本" * 20, "-rf", "a\nb"])
def test_any_name_that_the_system_allows(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name, "old")
    fill(tmp_path / name, "new")
    assert (tmp_path / name / "deep" / "a").read_text() == "new"
    shutil.rmtree(tmp_path / name)
    assert tree(tmp_path) == []
