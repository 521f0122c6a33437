"""Data sets that try to lead a reader out, or to stop it: refused by name, the rest goes on."""

import os
from pathlib import Path

import pytest

from gradatim.base.errors import UnsafeInputError
from gradatim.base.findings import refusals
from gradatim.io.bids import scan_dataset
from gradatim.io.multiecho import EchoReader
from gradatim.io.preflight import Preflight
from tests.io.dataset import MAG2, PHASE2, build


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    build(folder)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    build(folder)
    build(folder, subject="02", seed=1)
    return folder


def codes(root: Path) -> list[tuple[str, str]]:
    return [(f.code, f.where) for f in refusals(Preflight()(root))]


@pytest.mark.parametrize("name", [f"{MAG2}.nii.gz", f"{PHASE2}.json"])
def test_a_link_to_a_file_outside(root: Path, outside: Path, name: str) -> None:
    place = Path("sub-01", "anat", name)
    (root / place).unlink()
    (root / place).symlink_to(outside / place)
    assert ("GD-403", place.as_posix()) in codes(root)
    first, second = scan_dataset(root).series
    with pytest.raises(UnsafeInputError):
        EchoReader()(first)
    assert EchoReader()(second).findings == ()


@pytest.mark.parametrize("name", ["sub-03", "sub-01/ses-x", "sub-01/ses-y/anat"])
def test_a_link_to_a_folder_outside(root: Path, outside: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to(outside / "sub-01" / ("anat" if name.endswith("anat") else ""))
    assert [code for code, _ in codes(root)] == ["GD-403"]
    assert [s.name for s in scan_dataset(root).series] == ["sub-01_MEGRE", "sub-02_MEGRE"]


def test_links_inside_are_followed_as_datalad_needs_it(root: Path) -> None:
    for file in (root / "sub-01" / "anat").iterdir():
        kept = root / ".git" / "annex" / file.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        file.rename(kept)
        file.symlink_to(os.path.relpath(kept, file.parent))
    assert codes(root) == []


def test_a_data_set_may_itself_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert codes(tmp_path / "link") == []


@pytest.mark.parametrize("target", ["nowhere", f"{MAG2}.nii.gz"])
def test_links_to_nowhere_and_in_circles(root: Path, target: str) -> None:
    file = root / "sub-01" / "anat" / f"{MAG2}.nii.gz"
    file.unlink()
    file.symlink_to(target)
    assert ("GD-222", f"sub-01/anat/{MAG2}.nii.gz") in codes(root)


def test_a_folder_that_holds_itself_ends(root: Path) -> None:
    (root / "sub-01" / "ses-a").symlink_to(root / "sub-01")
    (root / "sub-01" / "anat" / "anat").symlink_to(root / "sub-01" / "anat")
    assert {code for code, _ in codes(root)} == {"GD-322"}  # the same files under a session that they do not name


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs the right to give a file away")
def test_a_hard_link_to_another_owners_file(root: Path, outside: Path) -> None:
    secret = outside / "secret.nii.gz"
    secret.write_bytes(b"x")
    os.chown(secret, 12345, 12345)
    file = root / "sub-01" / "anat" / f"{MAG2}.nii.gz"
    file.unlink()
    file.hardlink_to(secret)
    assert ("GD-403", f"sub-01/anat/{MAG2}.nii.gz") in codes(root)


@pytest.mark.parametrize(
    "name",
    [
        "sub-..",
        "sub-0 1",
        "sub-01\n",
        "sub-0\u0661",
        "sub-con",
        "sub-" + "x" * 230,
        "sub-\x1b[2J",
        os.fsdecode(b"sub-\xff"),
    ],
)
def test_a_subject_whose_label_is_not_allowed(root: Path, name: str) -> None:
    (root / name / "anat").mkdir(parents=True)
    assert [code for code, _ in codes(root)] == ["GD-402"]
    assert len(scan_dataset(root).series) == 2


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_echo-1_echo-2_part-mag_MEGRE.nii.gz",
        "sub-01_echo-1_part-m\u0430g_MEGRE.nii.gz",
        "sub-01_acq-$(x)_echo-1_MEGRE.nii.gz",
        "sub-01_acq-<b>_echo-1_MEGRE.nii.gz",
        "sub-01__echo-1_MEGRE.nii.gz",
    ],
)
def test_a_file_whose_name_is_not_allowed(root: Path, name: str) -> None:
    (root / "sub-01" / "anat" / name).touch()
    assert codes(root) == [("GD-402", f"sub-01/anat/{name}")]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(root: Path) -> None:
    (root / "sub-01").chmod(0)
    assert codes(root) == [("GD-222", "sub-01")]
    (root / "sub-01").chmod(0o700)
