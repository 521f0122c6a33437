"""gradatim demo: a head, its scan, the chain, the truth beside the result."""

import json
import re
from pathlib import Path

import pytest

from gradatim.cli.main import main
from tests.pipelines.heads import contents


def test_it_shows_the_result_beside_the_truth_and_says_where(tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    words = ["demo", str(out), "--voxel-mm", "5.2", "--inversion", "tkd", "--json"]
    assert main(words) == 0
    said = capsys.readouterr()
    scores = json.loads(said.out)
    assert 0.5 < scores["kept"] <= 1.0
    assert 0.0 < scores["correlation"] < 1.0
    assert f"open {out / 'report.html'}" in said.err
    assert re.search(r"NRMSE\).*\d+ s", said.err)
    assert {path.name for path in out.iterdir()} == {"raw", "derivatives", "report.html", "demo.png", "scores.json"}
    assert (out / "demo.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text()
    assert "Beside the truth" in page
    assert "True susceptibility" in page
    before = contents(out / "raw")
    assert main(words) == 0
    assert "skipped, up to date" in capsys.readouterr().err
    assert contents(out / "raw") == before


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, capsys) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["demo", str(tmp_path)]) == 2
    assert "GD-107" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("size", ["0", "-1", "nan", "100"])
def test_voxels_that_no_head_fits_into(tmp_path: Path, size: str) -> None:
    assert main(["demo", str(tmp_path / "out"), "--voxel-mm", size]) == 2
    assert not (tmp_path / "out").exists()
