"""Features under perturbations, and their reliability over a cohort."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.robustness.icc import OneWayRandom, TwoWayRandom
from gradatim.radiomics.robustness.move import Shift
from gradatim.radiomics.robustness.noise import AddNoise
from gradatim.radiomics.robustness.outline import Erode
from gradatim.radiomics.robustness.study import Repetition, Robustness, chain_name, reliability
from gradatim.radiomics.statistics import Statistics

GRID = Grid((10, 10, 6), (1.0, 1.0, 2.0))
EXTRACTION = Extraction(Preparation(FixedBinNumber(8)), families=(Statistics(),))
CHAINS = ((), (AddNoise(seed=1, sigma=0.5),), (Shift((0.5, 0.0, 0.0)), AddNoise(seed=2, sigma=0.5)))


def subject(number: int) -> tuple[QuantitativeMap, Regions]:
    draws = torch.Generator().manual_seed(number)
    values = 10.0 * number + torch.randn(GRID.shape, generator=draws)
    labels = torch.zeros(GRID.shape, dtype=torch.int32)
    labels[2:8, 2:8, 1:5] = 1
    return QuantitativeMap(values, torch.ones(GRID.shape).bool(), GRID, "CT", "HU"), Regions(labels, GRID, {1: "ROI"})


@pytest.fixture(scope="module")
def rows() -> list[Repetition]:
    study = Robustness(EXTRACTION, CHAINS)
    return [row for number in range(5) for row in study(*subject(number), case=str(number), name="CT")]


def test_each_chain_is_the_extraction_after_its_perturbations(rows: list[Repetition]) -> None:
    image, regions = subject(2)
    for chain in CHAINS:
        moved, redrawn = image, regions
        for perturbation in chain:
            moved, redrawn = perturbation(moved, redrawn)
        expected = EXTRACTION(moved, redrawn, case="2", image="CT")
        assert tuple(r.feature for r in rows if r.feature.case == "2" and r.chain == chain_name(chain)) == expected


def test_the_mean_of_subjects_far_apart_is_reliable_and_their_skewness_is_not(rows: list[Repetition]) -> None:
    table = {row.feature: row for row in reliability(rows)}
    assert len(table) == len(Statistics().features)
    assert (table["mean"].kind, table["mean"].subjects, table["mean"].perturbations) == ("ICC(2,1)", 5, 3)
    assert table["mean"].low > 0.99
    assert table["skewness"].estimate < 0.9
    assert table["skewness"].low < table["skewness"].estimate < table["skewness"].high


def test_the_coefficient_is_that_of_the_features_table(rows: list[Repetition]) -> None:
    values = [
        [r.feature.value for r in rows if r.feature.case == str(n) and r.feature.feature == "variance"]
        for n in range(5)
    ]
    for form in (OneWayRandom(level=0.8), TwoWayRandom()):
        found = next(row for row in reliability(rows, coefficient=form) if row.feature == "variance")
        expected = form(np.array(values))
        assert (found.estimate, found.low, found.high) == (expected.estimate, expected.low, expected.high)


def test_a_region_that_vanishes_leaves_its_subject_out() -> None:
    study = Robustness(EXTRACTION, ((), (Erode(9.0),)))
    rows = [row for n in range(3) for row in study(*subject(n), case=str(n))]
    assert all(row.feature.reason.startswith("GD-750") for row in rows if "Erode" in row.chain)
    assert all(row.reason.startswith("GD-731") and math.isnan(row.estimate) for row in reliability(rows))


def test_a_value_that_never_changes_has_no_reliability() -> None:
    feature = Feature("", "", "ROI", "f", "x", "", "", 3.0, "", "", "")
    rows = [Repetition(chain, replace(feature, case=case)) for case in "ab" for chain in ("one", "two")]
    assert reliability(rows)[0].reason.startswith("GD-732")
    assert reliability([]) == ()


def test_progress_is_told_chain_by_chain() -> None:
    told: list[str] = []
    Robustness(EXTRACTION, CHAINS[:2])(*subject(1), progress=told.append)
    assert told == ["unperturbed", "AddNoise(seed=1, sigma=0.5)"]


def test_chains_that_are_alike_and_tables_that_are_uneven(rows: list[Repetition]) -> None:
    for chains in ((), (CHAINS[1], CHAINS[1])):
        with pytest.raises(UsageError, match="GD-147"):
            Robustness(EXTRACTION, chains)
    with pytest.raises(InputError, match=r"GD-730.*lacks"):
        reliability(rows[:-1])
    with pytest.raises(InputError, match=r"GD-730.*twice"):
        reliability([*rows, rows[0]])
