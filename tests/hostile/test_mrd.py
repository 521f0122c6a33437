"""What crafted and damaged ISMRMRD files get: a code, never a traceback, another file opened or memory filled."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import GradatimError
from gradatim.base.raw import RawData
from gradatim.io.mrd import read_mrd
from gradatim.io.mrd_write import write_mrd

h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole file of two readouts."""
    place = torch.zeros(8, 3, dtype=torch.float64)
    number = torch.arange(2).repeat_interleave(4)
    samples = torch.ones(1, 8, dtype=torch.complex64)
    raw = RawData(samples, place, torch.arange(8.0).double(), number, {}, (4, 2, 1), (0.2, 0.2, 0.005))
    write_mrd(tmp_path / "a.mrd", raw, frequency=127_000_000)
    return tmp_path / "a.mrd"


def code_of(path: Path, **options: int) -> str:
    with pytest.raises(GradatimError) as caught:
        read_mrd(path, **options)
    assert path.name in caught.value.given
    return caught.value.code


def header(path: Path, change) -> None:
    with h5py.File(path, "r+") as file:
        text = file["dataset/xml"][0].decode()
        del file["dataset/xml"]
        file["dataset"].create_dataset("xml", data=np.array([change(text)], dtype=object), dtype=h5py.string_dtype())


def rows(path: Path, change) -> None:
    with h5py.File(path, "r+") as file:
        found, kind = file["dataset/data"][:], file["dataset/data"].dtype
        change(found)
        del file["dataset/data"]
        file["dataset"].create_dataset("data", data=found, dtype=kind)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: '<!DOCTYPE a [<!ENTITY b "ha">]>' + t[t.index("<ismrmrd") :], "GD-404"),
        (lambda t: '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + t[t.index("<ismrmrd") :], "GD-404"),
        (lambda t: t[:-30], "GD-236"),
        (lambda _: "", "GD-236"),
        (lambda t: t.replace("encodedSpace", "otherSpace"), "GD-236"),
        (lambda t: t.replace("<x>4</x>", "<x>four</x>"), "GD-236"),
        (lambda t: t.replace("<x>4</x>", "<x>nan</x>"), "GD-236"),
        (lambda t: t.replace("<x>4</x>", "<x>-4</x>"), "GD-236"),
        (lambda t: t.replace("<x>4</x>", "<x>1e9</x>"), "GD-236"),
        (lambda t: t.replace("<x>200</x>", "<x>0</x>"), "GD-236"),
        (lambda t: t.replace("<x>200</x>", "<x>0.2</x>"), "GD-238"),
    ],
)
def test_headers_that_lie_or_attack(path: Path, change, code: str) -> None:
    header(path, change)
    assert code_of(path) == code


def test_acquisitions_that_lie(path: Path) -> None:
    def longer(found):
        found[0]["head"]["number_of_samples"] = 60_000

    def more_coils(found):
        found[1]["head"]["active_channels"] = 2
        found[1]["data"] = np.ones(16, dtype=np.float32)

    def empty(found):
        found[0]["head"]["number_of_samples"] = 0
        found[0]["data"] = found[0]["traj"] = np.ones(0, dtype=np.float32)

    def infinite(found):
        found[0]["data"] = np.full(8, np.inf, dtype=np.float32)

    content = path.read_bytes()
    for change in (longer, more_coils, empty, infinite):
        path.write_bytes(content)
        rows(path, change)
        assert code_of(path) == "GD-237"


def test_links_and_data_outside_are_never_followed(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    (tmp_path / "other.mrd").write_bytes(content)
    link = h5py.ExternalLink("other.mrd", "/dataset")
    with h5py.File(path, "r+") as file:
        del file["dataset"]
        file["dataset"] = link
    assert code_of(path) == "GD-434"
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        del file["dataset/data"]
        file["dataset/data"] = h5py.ExternalLink("other.mrd", "/dataset/data")
    assert code_of(path) == "GD-434"
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        file["again"] = h5py.SoftLink("/dataset")
    assert code_of(path) == "GD-434"
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        del file["dataset/data"]
        file["dataset"].create_dataset("data", (2,), "f4", external=[(str(tmp_path / "other.mrd"), 0, 8)])
    assert code_of(path) == "GD-434"


def test_more_than_the_budget(path: Path) -> None:
    assert code_of(path, budget_bytes=1000) == "GD-435"
    with h5py.File(path, "r+") as file:
        kind = file["dataset/data"].dtype
        del file["dataset/data"]
        file["dataset"].create_dataset("data", (1 << 40,), dtype=kind, chunks=(1024,), compression="gzip")
    assert code_of(path, budget_bytes=1 << 24) == "GD-435"


def test_what_is_no_raw_data(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "b.mrd"
    for content in (b"", b"hello", b"\x89HDF\r\n\x1a\n" + b"\0" * 100):
        other.write_bytes(content)
        assert code_of(other) == "GD-236"
    with h5py.File(other, "w") as file:
        file["x"] = 1
    assert code_of(other) == "GD-236"
    with h5py.File(path, "r+") as file:
        file.copy("dataset", "twin")
    assert code_of(path) == "GD-236"
    assert code_of(tmp_path / "none.mrd") == "GD-222"
    assert code_of(tmp_path) == "GD-222"


def test_cut_files(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), max(len(content) // 40, 1)):
        path.write_bytes(content[:length])
        with suppress(GradatimError):
            assert read_mrd(path).readouts == 2
