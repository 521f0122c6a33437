"""A cohort's table: the same from any number of processes, resumable, and no case stops another."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.manifest import MeasuredCase
from gradatim.io.nifti import read_image, read_labels
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import read_sidecar
from gradatim.io.table import read_features
from gradatim.pipelines.cohort_features import CohortFeatures
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.supervisor import ProcessPerTask
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.statistics import Statistics

GRID = Grid((5, 4, 3), (1.0, 1.0, 2.0))
QUICK = Extraction(Preparation(FixedBinNumber(8)), families=(Statistics(),))


def read(case: MeasuredCase) -> tuple[QuantitativeMap, tuple[Regions, ...], str]:
    if case.unit == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    image, labels = read_image(case.image), read_labels(case.regions)
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "x", case.unit), (Regions(labels.data, labels.grid),), "x"


def failed(error: Exception, name: str) -> Outcome:
    return Outcome.of(error, name)


@pytest.fixture
def cases(tmp_path: Path) -> tuple[MeasuredCase, ...]:
    write_nifti(tmp_path / "roi.nii.gz", torch.ones(GRID.shape), GRID)
    found = []
    for number in range(6):
        path = tmp_path / f"{number}.nii.gz"
        write_nifti(path, torch.randn(GRID.shape, generator=torch.Generator().manual_seed(number)), GRID)
        found.append(MeasuredCase(f"case {number}", path, tmp_path / "roi.nii.gz"))
    return tuple(found)


def measured(cases: tuple[MeasuredCase, ...], out: Path, nprocs: int) -> tuple[list[Outcome], bytes]:
    cohort = CohortFeatures(cases, QUICK, out, read, failed)
    results = cohort(ProcessPerTask(nprocs, lambda *_: None), nprocs=nprocs, heard=lambda _: None)
    return [result.outcome for result in results], out.read_bytes()


def test_the_table_does_not_depend_on_the_number_of_processes(cases: tuple[MeasuredCase, ...], tmp_path: Path) -> None:
    _, one = measured(cases, tmp_path / "one.csv", 1)
    _, two = measured(cases, tmp_path / "two.csv", 2)
    assert one == two
    rows = read_features(tmp_path / "one.csv")
    assert list(dict.fromkeys(row.case for row in rows)) == [case.case for case in cases]
    assert len(rows) == 18 * len(cases)


def test_a_case_that_fails_is_named_and_only_it_is_measured_again(
    cases: tuple[MeasuredCase, ...], tmp_path: Path
) -> None:
    out, good = tmp_path / "T.parquet", cases[2].image.read_bytes()
    cases[2].image.write_bytes(good[:100])
    outcomes, _ = measured(cases, out, 1)
    assert [outcome.end for outcome in outcomes].count(End.DONE) == 5
    assert outcomes[2].code == "GD-207"
    assert len(read_features(out)) == 18 * 5
    said = read_sidecar(out.with_suffix(".provenance.json"))
    assert said["Cases"][2]["code"] == "GD-207"
    assert len(said["Cases"][3]["inputs"]["image"]) == 64
    cases[2].image.write_bytes(good)
    outcomes, _ = measured(cases, out, 1)
    assert [outcome.end for outcome in outcomes] == [End.SKIPPED] * 2 + [End.DONE] + [End.SKIPPED] * 3
    assert len(read_features(out)) == 18 * 6


def test_a_case_that_kills_its_process_takes_no_other_with_it(cases: tuple[MeasuredCase, ...], tmp_path: Path) -> None:
    killer = MeasuredCase("killer", cases[0].image, cases[0].regions, unit="killer")
    outcomes, _ = measured((cases[0], killer, cases[1]), tmp_path / "T.csv", 2)
    assert [outcome.code for outcome in outcomes] == ["", "GD-509", ""]


def test_a_cohort_without_a_measured_case_is_refused(cases: tuple[MeasuredCase, ...], tmp_path: Path) -> None:
    nowhere = MeasuredCase("01", tmp_path / "none.nii", tmp_path / "none.nii")
    with pytest.raises(InputError, match=r"GD-703.*GD-222"):
        measured((nowhere,), tmp_path / "T.csv", 1)
    assert not (tmp_path / "T.csv").exists()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_two_outlines_of_one_case_that_nobody_could_tell_apart_are_refused(
    ending: str, cases: tuple[MeasuredCase, ...], tmp_path: Path
) -> None:
    outline = torch.ones(GRID.shape)
    outline[0] = 0
    write_nifti(tmp_path / "other.nii.gz", outline, GRID)
    again = replace(cases[0], regions=tmp_path / "other.nii.gz")
    with pytest.raises(InputError, match=r"GD-254: region 1 of image x of case 'case 0' twice"):
        measured((cases[0], again), tmp_path / f"T{ending}", 1)
    assert not list(tmp_path.glob(f"T{ending}"))
