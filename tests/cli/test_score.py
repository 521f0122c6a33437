"""gradatim score: the measures of the library, on one grid, with labels or without."""

import json
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.nifti_write import write_nifti
from gradatim.qsm.score import ChallengeScore

GRID = Grid((12, 10, 8), (1.0, 1.0, 2.0))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    noise = torch.randn(2, *GRID.shape, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(GRID.shape, dtype=torch.bool)
    mask[1:-1, 1:-1, 1:-1] = True
    labels = torch.zeros(GRID.shape, dtype=torch.int16)
    labels[2:6], labels[6:] = 7, 11
    for name, values in (("map", noise[0] + 0.3 * noise[1]), ("truth", noise[0]), ("mask", mask), ("labels", labels)):
        write_nifti(tmp_path / f"{name}.nii.gz", values, GRID)
    return tmp_path


def words(folder: Path, *names: str) -> list[str]:
    return ["score", *(str(folder / f"{name}.nii.gz") for name in names)]


def test_it_prints_what_the_library_computes(images: Path, capsys) -> None:
    from gradatim.io.nifti import read_image, read_labels, read_mask

    assert main([*words(images, "map", "truth", "mask", "labels"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    x, t = (read_image(images / f"{name}.nii.gz").data for name in ("map", "truth"))
    mask, labels = read_mask(images / "mask.nii.gz").data, read_labels(images / "labels.nii.gz").data
    expected = ChallengeScore()(x, truth=t, mask=mask, labels=labels)
    assert found["nrmse"] == expected.nrmse
    assert found["blood"] == expected.blood
    assert found["deep_grey"] is None


def test_without_labels_only_what_needs_none_is_printed(images: Path, capsys) -> None:
    assert main(words(images, "map", "truth", "mask")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("nrmse ")
    assert not any(line.startswith("blood") for line in lines)


def test_images_on_other_grids_are_refused(images: Path, capsys) -> None:
    write_nifti(images / "truth.nii.gz", torch.zeros(12, 10, 7), Grid((12, 10, 7), (1.0, 1.0, 2.0)))
    assert main(words(images, "map", "truth", "mask")) == 3
    assert "GD-311" in capsys.readouterr().err


def test_an_unknown_head_is_wrong_usage(images: Path) -> None:
    assert main([*words(images, "map", "truth", "mask"), "--head", "fantom"]) == 2
