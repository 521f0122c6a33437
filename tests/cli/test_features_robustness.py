"""gradatim features robustness: the library's numbers in a table, resumed where it stopped, strict words."""

import csv
import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.cli.cohort_work import failed_case, read_case
from gradatim.cli.feature_settings import read_settings
from gradatim.cli.main import main
from gradatim.cli.perturbations import chosen_chains
from gradatim.io.manifest import read_manifest
from gradatim.io.nifti_write import write_nifti
from gradatim.io.table import read_features
from gradatim.pipelines.feature_robustness import CohortRobustness
from gradatim.pipelines.outcome import End
from gradatim.radiomics.robustness.icc import TwoWayRandom
from gradatim.radiomics.robustness.move import Rotate
from gradatim.radiomics.robustness.noise import AddNoise
from gradatim.radiomics.robustness.study import Robustness, reliability
from gradatim.radiomics.robustness.usual_chains import ROTATION_VOLUME_CONTOUR

GRID = Grid((10, 10, 5), (1.0, 1.0, 2.0))
SETTINGS = 'families = ["statistics"]\ndiscretisation = { method = "FixedBinSize", width = 25, origin = -1000 }'
CHAINS = """
chains = [[], [{ method = "AddNoise", seed = 1, sigma = 5 }]]
choices = [
  [{ method = "Shift", voxels = [0.25, 0.0, 0.0] }, { method = "Rotate", angle = 5, interpolation = "CubicSpline" }],
  [{ method = "ChangeVolume", share = 0.1 }],
]
"""
STATISTICS = ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "within-case SD", "within-case CV"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four cases of their own mean and noise, in HU; a manifest; settings and perturbations."""
    inside = torch.zeros(GRID.shape, dtype=torch.int16)
    inside[2:8, 2:8, 1:4] = 1
    write_nifti(tmp_path / "lesion.nii.gz", inside, GRID)
    for number in range(4):
        noise = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(number))
        write_nifti(tmp_path / f"{number}.nii.gz", 100.0 + 30 * number + 10 * noise, GRID)
    rows = [f"case {number},{number}.nii.gz,lesion.nii.gz,HU" for number in range(4)]
    (tmp_path / "cases.csv").write_text("\n".join(["case,image,regions,unit", *rows]) + "\n")
    (tmp_path / "S.toml").write_text(SETTINGS)
    (tmp_path / "P.toml").write_text(CHAINS)
    return tmp_path


def words(folder: Path, *more: str) -> list[str]:
    names = {"--settings": "S.toml", "--perturbations": "P.toml", "--out": "R.csv"}
    options = [word for option, name in names.items() if option not in more for word in (option, str(folder / name))]
    return ["features", "robustness", str(folder / "cases.csv"), *options, *more]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_library_s_numbers_and_all_that_made_them(folder: Path, capsys) -> None:
    assert main(words(folder)) == 0
    assert "4 done, 4 measurements of each" in capsys.readouterr().err
    rows = table(folder / "R.csv")
    assert [row["statistic"] for row in rows[:5]] == STATISTICS
    assert len(rows) == 5 * 18
    study = Robustness(read_settings(folder / "S.toml"), chosen_chains(folder / "P.toml"))
    repeated = []
    for case in read_manifest(folder / "cases.csv"):
        image, (regions,), name = read_case(case)
        repeated += study(image, regions, case=case.case, name=name)
    expected = {row.feature: row for row in reliability(repeated, coefficient=TwoWayRandom())}
    for row in rows:
        if row["statistic"] == "ICC(2,1)":
            known = expected[row["feature"]]
            got = [float(row[name]) for name in ("estimate", "low", "high")]
            np.testing.assert_array_equal(got, [known.estimate, known.low, known.high])
            assert (row["subjects"], row["repeats"], row["level"]) == (str(known.subjects), "4", "0.95")
            assert row["reason"] == known.reason
    assert {row["unit"] for row in rows if row["feature"] == "mean"} == {"", "HU"}
    said = json.loads((folder / "R.provenance.json").read_text())
    assert said["Seeds"] == [{"Method": "AddNoise", "Seed": 1}]
    assert [len(chain) for chain in said["Parameters"]["chains"]] == [0, 1, 2, 2]
    assert len(said["Cases"]) == 4
    every = read_features(folder / "R.perturbed.parquet")
    assert len(every) == 4 * 4 * 18
    assert len({row.settings for row in every}) == 4


def run(folder: Path, out: str, level: float = 0.95) -> list[End]:
    study = Robustness(read_settings(folder / "S.toml"), chosen_chains(folder / "P.toml"))
    cohort = CohortRobustness(read_manifest(folder / "cases.csv"), study, folder / out, level, read_case, failed_case)
    return [result.outcome.end for result in cohort(ThreadPoolExecutor(1), nprocs=1, heard=lambda _: None)]


def test_only_what_is_new_is_measured_again(folder: Path) -> None:
    text = (folder / "cases.csv").read_text()
    (folder / "cases.csv").write_text("\n".join(text.splitlines()[:4]))
    assert run(folder, "R.csv") == [End.DONE] * 3
    (folder / "cases.csv").write_text(text)
    assert run(folder, "R.csv") == [End.SKIPPED] * 3 + [End.DONE]
    assert {row["subjects"] for row in table(folder / "R.csv")} == {"4"}
    assert run(folder, "whole.csv") == [End.DONE] * 4
    assert (folder / "whole.csv").read_bytes() == (folder / "R.csv").read_bytes()


def test_one_case_has_spread_and_says_why_it_has_no_icc(folder: Path) -> None:
    (folder / "cases.csv").write_text("\n".join((folder / "cases.csv").read_text().splitlines()[:2]))
    run(folder, "R.csv")
    rows = table(folder / "R.csv")
    values = [f.value for f in read_features(folder / "R.perturbed.parquet") if f.feature == "mean"]
    found = {row["statistic"]: row for row in rows if row["feature"] == "mean"}
    assert float(found["within-case SD"]["estimate"]) == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    share = np.std(values, ddof=1) / np.mean(values)
    assert float(found["within-case CV"]["estimate"]) == pytest.approx(share, rel=1e-12)
    for row in rows:
        if row["statistic"].startswith("ICC"):
            assert math.isnan(float(row["estimate"]))
            assert row["reason"].startswith("GD-731 1 subject(s)")
    signs = {row["feature"]: row for row in rows if row["statistic"] == "within-case CV"}
    assert all(row["reason"][:6] in {"", "GD-740"} for row in signs.values())


def test_a_case_that_fails_is_left_out_and_named(folder: Path) -> None:
    (folder / "2.nii.gz").write_bytes(b"no image")
    assert run(folder, "R.parquet") == [End.DONE, End.DONE, End.FAILED, End.DONE]
    found = pq.read_table(folder / "R.parquet").to_pylist()
    assert {row["subjects"] for row in found} == {3}
    assert json.loads((folder / "R.provenance.json").read_text())["Cases"][2]["end"] == "failed"


def test_a_case_that_stands_for_two_images_is_refused(folder: Path) -> None:
    text = (folder / "cases.csv").read_text().replace("case 1,", "case 0,")
    (folder / "cases.csv").write_text(text)
    with pytest.raises(InputError, match="GD-730"):
        run(folder, "R.csv")
    assert not (folder / "R.csv").exists()


def test_the_usual_chains_are_taken_without_a_file() -> None:
    assert chosen_chains(None) == ROTATION_VOLUME_CONTOUR
    assert len(ROTATION_VOLUME_CONTOUR) == 9


def test_chains_and_choices_become_perturbations(folder: Path) -> None:
    empty, noise, shifted, turned = chosen_chains(folder / "P.toml")
    assert empty == ()
    assert noise == (AddNoise(seed=1, sigma=5.0),)
    assert [type(step).__name__ for step in shifted] == ["Shift", "ChangeVolume"]
    assert isinstance(turned[0], Rotate)
    assert type(turned[0].interpolation).__name__ == "CubicSpline"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "GD-154.*0 chain"),
        ("chains = [[]]", "GD-154.*1 chain"),
        ("chians = []", "GD-102.*did you mean 'chains'"),
        ('chains = [[{ method = "Rotat", angle = 1 }], []]', r"GD-102: chains\[0\]\[0\].*did you mean 'Rotate'"),
        ('chains = [[{ method = "Linear" }], []]', "GD-102"),
        ('chains = [[{ method = "Rotate" }], []]', r"GD-106: no chains\[0\]\[0\].angle"),
        ('chains = [[{ method = "Shift", voxels = [1, 2] }], []]', "GD-106.*3 values"),
        ('chains = [[{ method = "Dilate", distance_mm = -1 }], []]', "GD-147"),
        ('chains = [{ method = "Dilate", distance_mm = 1 }]', r"GD-106: chains\[0\].*a list"),
        ("chains = [[1]]", "GD-106.*a table"),
        ("choices = [[]]", "GD-147"),
        ("x = = 1", "GD-105"),
    ],
)
def test_nothing_unknown_passes_in_a_file_of_perturbations(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "P.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        chosen_chains(tmp_path / "P.toml")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--nprocs", "0"), 2, "GD-101"),
        (("--level", "1.5"), 2, "GD-148"),
        (("--out", "R.xls"), 2, "GD-102"),
        (("--out", "nowhere/R.csv"), 5, "GD-504"),
        (("--out", "cases.csv"), 2, "GD-107"),
        (("--perturbations", "none.toml"), 3, "GD-222"),
        (("--preset", "qsm"), 2, "GD-104"),
    ],
)
def test_wrong_words_are_refused_before_the_work(folder: Path, more, code: int, said: str, capsys, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    assert main(words(folder, *more)) == code
    assert said in capsys.readouterr().err
    assert not list(folder.glob("R.*"))


def test_the_same_chain_twice_is_refused(folder: Path, capsys) -> None:
    (folder / "P.toml").write_text("chains = [[], []]")
    assert main(words(folder)) == 2
    assert "GD-147" in capsys.readouterr().err


def test_the_file_on_the_page_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/robustness.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "P.toml").write_text(text)
    assert [len(chain) for chain in chosen_chains(tmp_path / "P.toml")] == [0, 1, 3, 3, 3, 3]
