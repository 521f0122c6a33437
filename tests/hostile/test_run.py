"""Runs on hostile ground: full and read-only disks, names that drive terminals, secrets in sidecars."""

import errno
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.cli.subject_work import run_subject
from gradatim.io import atomic as module
from gradatim.pipelines.dataset_run import DatasetRun
from gradatim.pipelines.outcome import Outcome
from gradatim.report.susceptibility import write_susceptibility_report
from tests.pipelines.heads import QUICK, add_subject, contents, no_page

CANARIES = {
    "PatientName": "Wang^Xiaoming",
    "PatientID": "CANARY-4711",
    "PatientBirthDate": "19610423",
    "InstitutionName": "Sankt Canary Hospital",
    "AcquisitionTime": "11:22:33.4455",
    "DeviceSerialNumber": "SN-CANARY-99",
    "ReferringPhysicianName": "Dr. Kanarienvogel",
    "SeriesInstanceUID": "1.2.840.999.4711",
}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    add_subject(root, "01", **CANARIES)
    return root


def go(raw: Path, out: Path, page=no_page) -> tuple[Outcome, ...]:
    return DatasetRun(raw, out, page, QUICK)(ThreadPoolExecutor(1), work=run_subject, heard=lambda outcome: None)


def test_nothing_of_a_patient_leaves_the_sidecars(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (done,) = go(raw, out, write_susceptibility_report)
    assert done.code == ""
    kept = contents(out)
    assert any(name.endswith("report.html") for name in kept)
    for name, content in kept.items():
        for canary in (*CANARIES.values(), str(tmp_path)):
            assert canary.encode() not in content, f"{canary} in {name}"


def test_a_full_disk_is_exit_5_and_leaves_no_half_file(raw: Path, tmp_path: Path, monkeypatch) -> None:
    out, real = tmp_path / "out", os.fsync
    calls = iter(range(10_000))

    def full(handle: int) -> None:
        if next(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(Exception, match="GD-502"):  # the summary cannot be written either
        go(raw, out)
    monkeypatch.undo()
    assert not (out / "sub-01").exists()
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]
    (done,) = go(raw, out)
    assert done.code == ""


@pytest.fixture
def disk(tmp_path: Path):
    """Mounts a small file system with options and gives its place."""
    mount, unmount = (shutil.which(name) or name for name in ("mount", "umount"))
    mounted: list[Path] = []

    def make(options: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        command = [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a small file system")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run([unmount, str(place)], check=True)


def test_a_disk_that_really_fills_up(raw: Path, disk, capsys) -> None:
    place = disk("size=600k")
    words = [str(raw), str(place / "out"), "participant", "--inversion", "tkd", "--background", "vsharp"]
    assert main(["run", *words]) == 5
    said = capsys.readouterr().err
    assert "GD-502" in said
    assert "Traceback" not in said
    assert not (place / "out" / "sub-01").exists()
    assert not [path for path in (place / "out").rglob("*") if path.name.endswith(".part")]


def test_an_output_that_may_not_be_written_is_exit_5(raw: Path, disk, capsys) -> None:
    read_only = disk("ro")
    assert main(["run", str(raw), str(read_only / "out"), "participant"]) == 5
    assert main(["demo", str(read_only / "demo")]) == 5
    said = capsys.readouterr().err
    assert said.count("GD-503") == 2
    assert list(read_only.iterdir()) == []


def test_paths_with_spaces_brackets_and_other_scripts(raw: Path, tmp_path: Path, capsys) -> None:
    strange = tmp_path / "a b [red] 日本\u202e\x1b[2J"
    shutil.copytree(raw, strange / "raw")
    words = [str(strange / "raw"), str(strange / "out"), "participant", "--dry-run"]
    assert main(["run", *words]) == 0
    (done,) = go(strange / "raw", strange / "out")
    assert done.code == ""
    link = json.loads((strange / "out" / "dataset_description.json").read_text())["DatasetLinks"]["raw"]
    assert link == "../raw"
    assert main(["run", *words[:-1], "--participant-label", "\x1b[2J"]) == 2
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().err)


@pytest.mark.parametrize("label", ["..", "../../etc", "-rf", "01/../02", "con", ""])
def test_a_label_is_never_a_path(raw: Path, tmp_path: Path, label: str) -> None:
    words = ["run", str(raw), str(tmp_path / "out"), "participant", f"--participant-label={label}"]
    assert main(words) == 2
    assert not (tmp_path / "out").exists()


def test_links_in_the_output_are_not_followed_out_of_it(raw: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine")
    out = tmp_path / "out"
    go(raw, out)
    shutil.rmtree(out / "sub-01")
    (out / "sub-01").symlink_to(precious)
    (refused,) = go(raw, out)
    assert refused.code == "GD-107"
    assert (precious / "thesis.txt").read_text() == "mine"
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]
