"""Every record carries the code, the name and the family that IBSI gave its feature."""

import csv
from pathlib import Path

import pytest

from gradatim.radiomics.aggregation import DIRECTIONAL, PLANE, SPACE
from gradatim.radiomics.catalogue import CATALOGUE, FAMILIES
from gradatim.radiomics.record import Family, FeatureRecord

RECORDS = [(family, record) for family in FAMILIES for record in family.features]


@pytest.fixture(scope="module")
def official(shared: Path) -> set[tuple[str, ...]]:
    """Code, feature's name, family, family's code, from the compliance sheet."""
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        columns = ("ibsi_code", "feature", "family", "family_code")
        return {tuple(row[column] for column in columns) for row in csv.DictReader(file)}


@pytest.mark.parametrize(("family", "record"), RECORDS, ids=[f"{f.id}-{r.id}" for f, r in RECORDS])
def test_code_is_the_official_one_of_that_feature(
    family: Family, record: FeatureRecord, official: set[tuple[str, ...]]
) -> None:
    assert (record.code, record.name, family.id, family.code) in official


SHARED_CODES = {"BC2M", "GBPN"}
"""IBSI gives one code to a feature with a parameter, 10 or 90 % of the intensity-volume histogram."""


def test_codes_are_unique_and_have_four_characters() -> None:
    assert len(CATALOGUE) == len(RECORDS)
    codes = [record.code for _, record in RECORDS]
    assert all(len(code) == 4 for code in codes)
    assert {code for code in codes if codes.count(code) > 1} <= SHARED_CODES


def test_families_are_complete() -> None:
    assert {family.id: len(family.features) for family in FAMILIES} == {
        "morphology": 29,
        "local_intensity": 2,
        "statistics": 18,
        "intensity_histogram": 23,
        "intensity_volume_histogram": 7,
        "glcm": 25,
        "glrlm": 16,
        "glszm": 16,
        "gldzm": 16,
        "ngtdm": 5,
        "ngldm": 17,
    }


def test_ids_are_unique_names() -> None:
    ids = [(family.id, record.id) for family, record in RECORDS]
    assert len(set(ids)) == len(ids)
    assert all(name.isidentifier() and name.islower() for _, name in ids)


def test_every_record_explains_itself() -> None:
    assert all(record.formula and record.source and record.undefined for _, record in RECORDS)


def test_aggregations_have_the_official_codes(shared: Path) -> None:
    short = {
        "2d_avg": "2D, averaged",
        "2d_mrg": "2D, slice-merged",
        "2.5d_dmrg": "2.5D, direction-merged",
        "2.5d_vmrg": "2.5D, merged",
        "3d_avg": "3D, averaged",
        "3d_mrg": "3D, merged",
    }
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        official = {
            (row["aggregation_code"], short[row["aggregation"]])
            for row in csv.DictReader(file)
            if row["family"] == "glcm"
        }
    assert {(aggregation.code, aggregation.name) for aggregation in DIRECTIONAL} == official


def test_directions_are_half_of_all_neighbours() -> None:
    opposite = {(-x, -y, -z) for x, y, z in SPACE}
    assert len(SPACE) == 13
    assert len(opposite | set(SPACE)) == 26
    assert len(PLANE) == 4
