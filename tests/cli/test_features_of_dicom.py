"""gradatim features on DICOM and NRRD: regions by name, overlaps, units, and nothing of the patient in the table."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from gradatim.cli.main import main
from gradatim.cli.measured_image import read_measured_image
from tests.io.dicom_scene import (
    CANARY,
    FRAME,
    SERIES,
    ball,
    circle,
    lps,
    save,
    segmentation,
    structure_set,
    write_series,
)
from tests.io.test_nrrd import write

SHAPE, AFFINE = (16, 16, 6), lps((1, 1, 2))
VALUES = np.random.default_rng(3).normal(100, 20, SHAPE).astype(np.int16)
SETTINGS = 'families = ["statistics"]\ndiscretisation = { method = "FixedBinNumber", count = 8 }\n'


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    slices = write_series(tmp_path / "CT", VALUES, AFFINE)
    inner, outer = ([circle(AFFINE, (8, 8), r, k) for k in (2, 3)] for r in (3.3, 6.3))
    save(structure_set([("GTV", inner), ("PTV", outer)]), tmp_path / "structures.dcm")
    save(segmentation(slices, [("tumour", ball(SHAPE, (8, 8, 3), 5, (1, 1, 2)))]), tmp_path / "segments.dcm")
    (tmp_path / "S.toml").write_text(SETTINGS)
    return tmp_path


def measured(folder: Path, image: str, regions: str) -> pandas.DataFrame:
    out = folder / "F.csv"
    given = ["features", str(folder / image), str(folder / regions), "--out", str(out)]
    assert main([*given, "--settings", str(folder / "S.toml")]) == 0
    for secret in (CANARY, FRAME, SERIES):
        assert secret not in out.read_text()
    return pandas.read_csv(out)


def test_structures_that_overlap_are_measured_by_name(ct: Path, capsys) -> None:
    table = measured(ct, "CT", "structures.dcm").set_index(["region", "feature"])["value"]
    x, y = np.meshgrid(np.arange(16), np.arange(16), indexing="ij")
    for name, radius in (("GTV", 3.3), ("PTV", 6.3)):
        inside = (x - 8) ** 2 + (y - 8) ** 2 < radius**2
        assert table[name, "mean"] == pytest.approx(VALUES[:, :, 2:4][inside].mean())
    said = capsys.readouterr().err
    assert "2 region(s)" in said
    assert CANARY not in said


def test_segments_and_label_images_of_one_ball_give_one_table(ct: Path) -> None:
    ball_mask = ball(SHAPE, (8, 8, 3), 5, (1, 1, 2)).astype("u1")
    space = {"space": "LPS", "space_directions": "(1,0,0) (0,1,0) (0,0,2)", "space_origin": "(0,0,0)"}
    write(ct / "ball.nrrd", ball_mask, **space)
    write(ct / "image.nrrd", VALUES, **space)
    first = measured(ct, "CT", "segments.dcm")
    assert set(first["region"]) == {"tumour"}
    assert "HU" in set(first["unit"])
    for image, regions in (("CT", "ball.nrrd"), ("image.nrrd", "ball.nrrd")):
        assert measured(ct, image, regions)["value"].equals(first["value"])


def test_the_folder_may_be_the_one_that_one_is_in(ct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ct / "CT")
    assert read_measured_image(Path(), ct / "segments.dcm", unit="").name == "CT"


def test_several_series_are_refused_until_one_is_named(ct: Path, capsys) -> None:
    write_series(ct / "CT", VALUES, AFFINE, series="1.2.3.4")
    given = ["features", str(ct / "CT"), str(ct / "structures.dcm"), "--out", str(ct / "F.csv")]
    given += ["--settings", str(ct / "S.toml")]
    assert main(given) == 3
    assert "GD-290" in capsys.readouterr().err
    assert main([*given, "--series", "1.2.3.4"]) == 0
    assert main([*given, "--series", "9.9"]) == 2
    assert "GD-146" in capsys.readouterr().err


def test_regions_that_overlap_lie_in_layers(ct: Path) -> None:
    found = read_measured_image(ct / "CT", ct / "structures.dcm", unit="")
    assert [layer.present for layer in found.layers] == [(1,), (2,)]
