"""A file is the old one or the whole new one, whatever happens while it is written."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gradatim.base.errors import ResourceError
from gradatim.io.atomic import atomic_file


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def write_half(target: Path, failure: type[BaseException]) -> None:
    with atomic_file(target) as file:
        file.write(b"half")
        raise failure


def test_the_new_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old, and longer")
    with atomic_file(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old, and longer"
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(failure):
        write_half(target, failure)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    program = (
        "import os, signal, sys; from pathlib import Path; from gradatim.io.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "GD-502"),
        (errno.EDQUOT, "GD-502"),
        (errno.EACCES, "GD-503"),
        (errno.EROFS, "GD-503"),
        (errno.EIO, "GD-504"),
    ],
)
def test_the_systems_refusals_have_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ResourceError) as caught, atomic_file(tmp_path / "a") as file:
        file.write(b"x")
    assert caught.value.code == code
    assert names(tmp_path) == []


def test_a_full_disk(tmp_path: Path) -> None:
    mount, unmount = (shutil.which(name) or name for name in ("mount", "umount"))
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(ResourceError) as caught, atomic_file(tmp_path / "a") as file:
            file.write(bytes(1 << 20))
        left = names(tmp_path)
    finally:
        subprocess.run([unmount, str(tmp_path)], check=True)
    assert caught.value.code == "GD-502"
    assert left == []


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError) as caught, atomic_file(tmp_path / "nowhere" / "a"):
        pass
    assert caught.value.code == "GD-504"


def test_the_longest_name_that_a_file_may_have(tmp_path: Path) -> None:
    with atomic_file(tmp_path / ("x" * 255)) as file:
        file.write(b"x")
    assert names(tmp_path) == ["x" * 255]


def test_a_link_is_replaced_and_what_it_led_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / "a").symlink_to(tmp_path / "precious")
    with atomic_file(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "precious").read_bytes() == b"kept"
    assert not (tmp_path / "a").is_symlink()
