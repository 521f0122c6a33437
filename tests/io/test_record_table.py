"""Tables of any rows: the same in three formats, guarded, whole or not at all."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gradatim.base.errors import ResourceError, UsageError
from gradatim.io.record_table import write_records


@dataclass(frozen=True)
class Spread:
    feature: str
    estimate: float
    cases: int


ROWS = (Spread("mean", 0.1 + 0.2, 12), Spread('=cmd, "x"', math.nan, 0))


def test_parquet_keeps_every_digit_and_type(tmp_path: Path) -> None:
    write_records(tmp_path / "T.parquet", Spread, ROWS)
    first, second = pq.read_table(tmp_path / "T.parquet").to_pylist()
    assert first == {"feature": "mean", "estimate": 0.1 + 0.2, "cases": 12}
    assert math.isnan(second["estimate"])


def test_csv_keeps_every_digit_and_runs_nothing(tmp_path: Path) -> None:
    write_records(tmp_path / "T.csv", Spread, iter(ROWS))
    with (tmp_path / "T.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["feature", "estimate", "cases"]
    assert rows == [["mean", "0.30000000000000004", "12"], ['\'=cmd, "x"', "nan", "0"]]


def test_json_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    write_records(tmp_path / "T.json", Spread, ROWS)
    assert json.loads((tmp_path / "T.json").read_text())[1] == {"feature": '=cmd, "x"', "estimate": None, "cases": 0}


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_no_row_is_a_table_too(ending: str, tmp_path: Path) -> None:
    write_records(tmp_path / f"T.{ending}", Spread, [])
    assert (tmp_path / f"T.{ending}").exists()
    if ending == "parquet":
        assert pq.read_table(tmp_path / "T.parquet").column_names == ["feature", "estimate", "cases"]
    if ending == "json":
        assert json.loads((tmp_path / "T.json").read_text()) == []


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_bytes_of_a_file_name_that_are_no_text_do_not_stop_a_table(ending: str, tmp_path: Path) -> None:
    write_records(tmp_path / f"T.{ending}", Spread, [Spread("sub\udcff", 1.0, 1)])
    assert b"sub?" in (tmp_path / f"T.{ending}").read_bytes()


def test_another_ending_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GD-102"):
        write_records(tmp_path / "T.xls", Spread, ROWS)
    with pytest.raises(ResourceError, match="GD-504"):
        write_records(tmp_path / "none" / "T.csv", Spread, ROWS)
    assert list(tmp_path.iterdir()) == []
