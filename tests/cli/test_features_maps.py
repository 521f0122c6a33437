"""gradatim features maps: the cost before the work, one image a feature, and what wrong words get."""

import json
import math
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.cli.main import main
from gradatim.io.nifti import read_nifti
from gradatim.io.nifti_write import write_nifti
from gradatim.radiomics.maps.feature_maps import FeatureMaps
from gradatim.radiomics.maps.window import Cube
from gradatim.radiomics.presets import QSM

GRID = Grid((5, 4, 4), (1.0, 1.0, 2.0))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A susceptibility map with a sidecar, and two regions, of which one is a single voxel."""
    value = torch.randn(5, 4, 4, generator=torch.Generator().manual_seed(0)) / 20
    label = torch.zeros(5, 4, 4, dtype=torch.int16)
    label[:3], label[4, 0, 0] = 1, 2
    write_nifti(tmp_path / "Chimap.nii.gz", value, GRID)
    write_nifti(tmp_path / "dseg.nii.gz", label, GRID)
    (tmp_path / "Chimap.json").write_text('{"Units": "ppm"}')
    return [str(tmp_path / "Chimap.nii.gz"), str(tmp_path / "dseg.nii.gz")]


def test_maps_are_those_of_the_api_with_their_unit_and_settings(files: list[str], tmp_path: Path, capsys) -> None:
    out = tmp_path / "new" / "maps"
    words = ["--features", "glcm.correlation", "statistics.mean", "--radius", "1"]
    assert main(["features", "maps", *files, str(out), *words]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "Chimap_glcm-correlation.json",
        "Chimap_glcm-correlation.nii.gz",
        "Chimap_statistics-mean.json",
        "Chimap_statistics-mean.nii.gz",
    ]
    image, labels = (read_nifti(Path(file)).data for file in files)
    chi = QuantitativeMap(image, torch.ones(5, 4, 4, dtype=torch.bool), GRID, "Chimap", "ppm")
    made = FeatureMaps(QSM, ("glcm.correlation", "statistics.mean"), Cube(1))(chi, Regions(labels.to(int), GRID))
    mean = read_nifti(out / "Chimap_statistics-mean.nii.gz").data
    assert mean.equal(made["statistics.mean"].value.to(torch.float32))
    correlation = read_nifti(out / "Chimap_glcm-correlation.nii.gz").data
    assert math.isnan(correlation[4, 0, 0])
    assert (correlation[3] == 0).all()
    said = json.loads((out / "Chimap_glcm-correlation.json").read_text())
    assert said["Undefined"] == {"Windows": 1, "Reason": "all pairs have one grey level"}
    assert said["Windows"] == 49
    assert said["Parameters"]["window"] == {"method": "Cube", "radius": 1}
    assert json.loads((out / "Chimap_statistics-mean.json").read_text())["Units"] == "ppm"
    talk = capsys.readouterr().err
    assert "49 windows, 2 maps: about" in talk
    assert "GD-738" in talk
    assert talk.index("windows") < talk.index("2 maps in")


def test_a_dry_run_says_the_cost_and_writes_nothing(files: list[str], tmp_path: Path, capsys) -> None:
    words = ["--features", "ngtdm", "--radius-mm", "2.5", "--dry-run"]
    assert main(["features", "maps", *files, str(tmp_path / "maps"), *words]) == 0
    assert not (tmp_path / "maps").exists()
    talk = capsys.readouterr().err
    assert "49 windows, 5 maps" in talk
    assert "ngtdm: " in talk
    assert "preparation: " in talk  # so that the lines add up to the whole


def test_a_file_in_the_place_of_the_folder_is_refused_before_the_cost(files: list[str], capsys) -> None:
    before = Path(files[1]).read_bytes()
    assert main(["features", "maps", *files, files[1], "--features", "statistics.mean"]) == 2
    said = capsys.readouterr().err
    assert "GD-107" in said
    assert "windows" not in said
    assert Path(files[1]).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--features", "glcm.contrats"], "did you mean 'glcm.contrast'?"),
        (["--features", "glcm", "--radius", "-1"], "GD-152"),
        (["--features", "glcm", "--stride", "0"], "GD-152"),
        (["--features", "glcm", "--radius-mm", "2", "--in-plane"], "GD-104"),
        (["--features", "glcm", "--memory-mb", "0"], "GD-153"),
    ],
)
def test_wrong_words_are_refused(files: list[str], tmp_path: Path, capsys, words: list[str], code: str) -> None:
    assert main(["features", "maps", *files, str(tmp_path / "maps"), *words]) == 2
    assert code in capsys.readouterr().err
    assert not (tmp_path / "maps").exists()
