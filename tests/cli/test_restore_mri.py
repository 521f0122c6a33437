"""gradatim restore mri: from array files to an image, and what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import tyro

from gradatim.base.errors import GradatimError
from gradatim.cli.restore import Restore
from gradatim.cli.restore_mri import Mri
from tests.restore.mri.coils import coils, head, pattern, scan

SHAPE = (32, 28)


def _files(folder: Path, count: int) -> tuple[Path, torch.Tensor]:
    maps = coils(SHAPE, count)
    maps = maps / torch.linalg.vector_norm(maps, dim=0)
    mask = pattern(SHAPE, share=0.4, middle=16)
    np.save(folder / "y.npy", scan(head(SHAPE), maps, mask, noise=0.002).samples.numpy())
    np.save(folder / "mask.npy", mask.numpy())
    np.save(folder / "maps.npy", maps.numpy())
    return folder / "y.npy", maps


def _error(file: Path) -> float:
    found = torch.from_numpy(np.load(file, allow_pickle=False))
    return float((found.abs() - head(SHAPE).abs()).norm() / head(SHAPE).abs().norm())


def test_mask_and_maps_are_found_when_they_are_not_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kspace, _ = _files(tmp_path, 4)
    assert Mri(kspace, tmp_path / "x.npy", json=True).run() == 0
    said = json.loads(capsys.readouterr().out)
    assert said["coils"] == 4
    assert 1.4 < said["acceleration"] < 2.1
    assert said["weight"] > 0
    assert _error(tmp_path / "x.npy") < 0.05


def test_mask_maps_prior_and_weight_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kspace, _ = _files(tmp_path, 3)
    words = ["mri", str(kspace), str(tmp_path / "x.npy"), "--mask", str(tmp_path / "mask.npy"),
             "--coil-maps", str(tmp_path / "maps.npy"), "--prior", "tv", "--weight", "0.001"]  # fmt: skip
    assert tyro.cli(Restore, args=words, config=(tyro.conf.FlagCreatePairsOff,)).run() == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "λ 0.001" in said.err
    assert _error(tmp_path / "x.npy") < 0.05


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"prior": "wavelets"}, "GD-102"),
        ({"mask": Path("maps.npy")}, "GD-685"),
        ({"coil_maps": Path("mask.npy")}, "GD-685"),
    ],
)
def test_refusals_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    kspace, _ = _files(tmp_path, 3)
    with pytest.raises(GradatimError) as caught:
        Mri(kspace, tmp_path / "x.npy", **options).run()
    assert caught.value.code == code
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.parametrize(("out", "code"), [("x.png", "GD-101"), ("nodir/x.npy", "GD-504")])
def test_a_name_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, out: str, code: str) -> None:
    """Before k-space is read, so that the name is what is complained of, not the missing file."""
    with pytest.raises(GradatimError) as caught:
        Mri(tmp_path / "missing.npy", tmp_path / out).run()
    assert caught.value.code == code
