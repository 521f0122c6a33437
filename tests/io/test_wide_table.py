"""The wide form says the same as the tidy one."""

import math
from pathlib import Path

import pandas as pd
import pytest

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import Feature
from gradatim.io.table import join_features, read_features, write_features
from gradatim.io.wide_table import write_wide


def row(case: str, feature: str, value: float, aggregation: str = "") -> Feature:
    return Feature(case, "ct", "lesion", "glcm", feature, "ACUI", aggregation, value, "", "", "s")


ROWS = (
    row("01", "contrast", 0.1, "IAZD"),
    row("01", "contrast", 1 / 3, "ITBB"),
    row("02", "contrast", math.nan, "IAZD"),
)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_every_value_has_its_cell_and_no_other_cell_is_filled(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"wide{ending}"
    write_wide(path, ROWS)
    read = {".csv": lambda p: pd.read_csv(p, dtype={"case": str}), ".parquet": pd.read_parquet}[ending](path)
    assert list(read.columns) == ["case", "image", "region", "settings", "glcm.contrast.IAZD", "glcm.contrast.ITBB"]
    assert read["case"].tolist() == ["01", "02"]
    assert read.loc[0, "glcm.contrast.ITBB"] == 1 / 3
    assert read.iloc[1, 4:].isna().all()


def test_no_rows_are_an_empty_table(tmp_path: Path) -> None:
    write_wide(tmp_path / "wide.csv", [])
    assert (tmp_path / "wide.csv").read_text().strip() == "case,image,region,settings"


def test_two_values_for_one_cell_are_refused(tmp_path: Path) -> None:
    write_wide(tmp_path / "wide.csv", [*ROWS, *ROWS])
    with pytest.raises(InputError, match="GD-254"):
        write_wide(tmp_path / "wide.csv", [*ROWS, row("01", "contrast", 7.0, "IAZD")])
    with pytest.raises(UsageError, match="GD-102"):
        write_wide(tmp_path / "wide.json", ROWS)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_joined_tables_are_the_rows_of_all_in_their_order(ending: str, tmp_path: Path) -> None:
    parts = []
    for number, one in enumerate(ROWS):
        parts.append(tmp_path / f"{number}.parquet")
        write_features(parts[-1], [one])
    assert join_features(tmp_path / f"all{ending}", parts) == len(ROWS)
    joined = read_features(tmp_path / f"all{ending}")
    assert [repr(each) for each in joined] == [repr(each) for each in ROWS]


def test_no_text_is_run_by_a_spreadsheet_and_a_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    write_wide(tmp_path / "wide.csv", [row("=1+1", "contrast", 1.0), row("a, b\udce9", "contrast", 2.0)])
    lines = (tmp_path / "wide.csv").read_text().splitlines()
    assert lines[1:] == ["'=1+1,ct,lesion,s,1.0", '"a, b?",ct,lesion,s,2.0']
    write_wide(tmp_path / "wide.parquet", [row("a\udce9", "contrast", 2.0)])
    assert pd.read_parquet(tmp_path / "wide.parquet")["case"].tolist() == ["a?"]
