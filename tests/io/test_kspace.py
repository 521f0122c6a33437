"""Raw arrays come in whole, typed and without pickles; everything else has a code."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from gradatim.base.errors import GradatimError, InputError
from gradatim.io.kspace import read_kspace, read_sampling_mask, write_array

SAMPLES = (np.arange(24).reshape(2, 3, 4) * (1 + 2j)).astype(np.complex64)


def test_numpys_files_in_every_layout(tmp_path: Path) -> None:
    for name, array in {"c": SAMPLES, "fortran": np.asfortranarray(SAMPLES), "big": SAMPLES.astype(">c8")}.items():
        np.save(tmp_path / f"{name}.npy", array)
        found = read_kspace(tmp_path / f"{name}.npy")
        assert found.dtype is torch.complex64
        assert np.array_equal(found.numpy(), SAMPLES), name


def test_precision_is_kept_and_a_single_coil_gets_its_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", SAMPLES[0].astype(np.complex128))
    found = read_kspace(tmp_path / "y.npy")
    assert found.dtype is torch.complex128
    assert found.shape == (1, 3, 4)


def test_matlabs_files(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "y.mat", {"kspace": SAMPLES}, do_compression=True)
    scipy.io.savemat(tmp_path / "m.mat", {"mask": np.eye(3, 4)})
    assert np.array_equal(read_kspace(tmp_path / "y.mat").numpy(), SAMPLES)
    assert np.array_equal(read_sampling_mask(tmp_path / "m.mat").numpy(), np.eye(3, 4) > 0)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.float32, ">i4"])
def test_masks_of_any_number(tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "m.npy", np.eye(3, 4).astype(kind))
    assert np.array_equal(read_sampling_mask(tmp_path / "m.npy").numpy(), np.eye(3, 4) > 0)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    values = torch.randn(3, 4, dtype=torch.complex64)
    write_array(tmp_path / "x.npy", values.conj())
    assert np.array_equal(np.load(tmp_path / "x.npy", allow_pickle=False), values.numpy().conj())


class Bomb:
    """Would run code if it were unpickled."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("ran"),))


def _write(path: Path, what: str) -> None:
    match what:
        case "objects":
            np.save(path, np.array([[Bomb()]], dtype=object), allow_pickle=True)
        case "pickle":
            path.write_bytes(b"\x80\x04cos\nsystem\n.")
        case "cut":
            np.save(path, SAMPLES)
            path.write_bytes(path.read_bytes()[:-5])
        case "longer":
            np.save(path, SAMPLES)
            path.write_bytes(path.read_bytes() + b"12345")
        case "header":
            path.write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': oops}  ")
        case "text":
            np.save(path, np.array([["a", "b"]]))
        case "real":
            np.save(path, SAMPLES.real)
        case "flat":
            np.save(path, SAMPLES.ravel())
        case "nan":
            np.save(path, np.where(SAMPLES == 0, np.nan, SAMPLES))
        case "huge":
            file = path.open("wb")
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<c8", "fortran_order": False, "shape": (1 << 20, 1 << 20, 8)}
            )
            file.close()
        case "empty":
            path.write_bytes(b"")
        case "hdf5":
            path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(512) + b"\x89HDF\r\n\x1a\n")
        case "two":
            scipy.io.savemat(path, {"a": SAMPLES, "b": SAMPLES})
        case "struct":
            scipy.io.savemat(path, {"a": {"b": SAMPLES}})
        case "damaged":
            scipy.io.savemat(path, {"a": SAMPLES}, do_compression=True)
            path.write_bytes(path.read_bytes()[:150] + b"\x00" * 30)


@pytest.mark.parametrize(
    ("what", "name", "code"),
    [
        ("objects", "y.npy", "GD-684"),
        ("pickle", "y.npy", "GD-684"),
        ("cut", "y.npy", "GD-684"),
        ("longer", "y.npy", "GD-684"),
        ("header", "y.npy", "GD-684"),
        ("text", "y.npy", "GD-684"),
        ("real", "y.npy", "GD-685"),
        ("flat", "y.npy", "GD-685"),
        ("nan", "y.npy", "GD-217"),
        ("huge", "y.npy", "GD-401"),
        ("empty", "y.npy", "GD-684"),
        ("missing", "y.npy", "GD-222"),
        ("hdf5", "y.mat", "GD-684"),
        ("two", "y.mat", "GD-684"),
        ("struct", "y.mat", "GD-684"),
        ("damaged", "y.mat", "GD-684"),
        ("empty", "y.mat", "GD-684"),
    ],
)
def test_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, name: str, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / name, what)
    with pytest.raises(GradatimError) as caught:
        read_kspace(tmp_path / name)
    assert caught.value.code == code
    assert not (tmp_path / "ran").exists()


def test_bad_masks(tmp_path: Path) -> None:
    for array, code in ((np.array([[0.5, 1.0]]), "GD-224"), (SAMPLES[0], "GD-685"), (np.ones(4), "GD-685")):
        np.save(tmp_path / "m.npy", array)
        with pytest.raises(GradatimError) as caught:
            read_sampling_mask(tmp_path / "m.npy")
        assert caught.value.code == code


def test_only_one_kind_of_file_is_written(tmp_path: Path) -> None:
    with pytest.raises(GradatimError, match="GD-101"):
        write_array(tmp_path / "x.mat", torch.ones(2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("percent", [20, 30])
def test_a_mask_of_matlab_7_3_is_read_once_converted_as_the_page_says(
    shared: Path, tmp_path: Path, percent: int
) -> None:
    file = shared / f"data/restore/admmnet_mri/mask_{percent}.mat"
    if not file.is_file():
        pytest.skip("the radial masks are not among the reference data")
    if importlib.util.find_spec("h5py") is None:
        pytest.skip("h5py, which reads files of MATLAB 7.3, is not installed")
    import h5py

    with pytest.raises(InputError, match=r"MATLAB 7\.3"):
        read_sampling_mask(file)
    with h5py.File(file) as opened:
        mask = opened["mask"][()].T
    np.save(tmp_path / "mask.npy", mask > 0.5)
    found = read_sampling_mask(tmp_path / "mask.npy")
    assert found.shape == (256, 256)
    assert bool(found[128, 128])
    assert float(found.float().mean()) == pytest.approx(percent / 100, abs=0.01)
