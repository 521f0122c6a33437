"""The feature table keeps every digit, every letter and NaN, and nothing in it runs in a spreadsheet."""

import csv
import io
import json
import math
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import Feature
from gradatim.io.table import COLUMNS, FORMATS, read_features, write_features

ENDINGS = sorted(FORMATS)
TIDY = [
    "case",
    "image",
    "region",
    "family",
    "feature",
    "ibsi_code",
    "aggregation",
    "value",
    "unit",
    "reason",
    "settings",
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
rows = st.builds(
    Feature,
    **{name: text for name in COLUMNS if name != "value"},
    value=st.floats(allow_infinity=False),
)


def row(**changes: str | float) -> Feature:
    given_ = dict.fromkeys(COLUMNS, "") | {"value": 1.0} | changes
    return Feature(**given_)  # type: ignore[arg-type]


def same(a: Feature, b: Feature) -> bool:
    return all(
        x == y or (isinstance(x, float) and isinstance(y, float) and math.isnan(x) and math.isnan(y))
        for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )


def test_the_columns_are_the_tidy_ones() -> None:
    assert list(COLUMNS) == TIDY


@pytest.mark.parametrize("ending", ENDINGS)
@given(features=st.lists(rows, max_size=4))
def test_a_table_reads_back_as_it_was_written(
    ending: str, features: list[Feature], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"table{ending}"
    write_features(path, features)
    back = read_features(path)
    assert len(back) == len(features)
    assert all(same(a, b) for a, b in zip(features, back, strict=True))


@pytest.mark.parametrize("ending", ENDINGS)
def test_undefined_stays_undefined_with_its_reason(ending: str, tmp_path: Path) -> None:
    write_features(tmp_path / f"t{ending}", [row(value=math.nan, reason="one voxel")])
    (back,) = read_features(tmp_path / f"t{ending}")
    assert math.isnan(back.value)
    assert back.reason == "one voxel"


def test_other_tools_see_the_same_table(tmp_path: Path) -> None:
    feature = row(case="01", region="globus pallidus, left", value=0.1 + 0.2, unit="ppm²")
    for ending in ENDINGS:
        write_features(tmp_path / f"t{ending}", [feature])
    tables = [
        pandas.read_parquet(tmp_path / "t.parquet"),
        pandas.read_csv(tmp_path / "t.csv", dtype=str),
        pandas.DataFrame(json.loads((tmp_path / "t.json").read_text())),
    ]
    for table in tables:
        assert list(table.columns) == TIDY
        assert float(table.loc[0, "value"]) == 0.1 + 0.2
        assert table.loc[0, "region"] == "globus pallidus, left"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"])
def test_no_text_runs_in_a_spreadsheet(name: str, tmp_path: Path) -> None:
    write_features(tmp_path / "t.csv", [row(region=name, value=-1.5)])
    _, line = csv.reader(io.StringIO((tmp_path / "t.csv").read_text(), newline=""))
    assert line[2].startswith("'")
    assert line[TIDY.index("value")] == "-1.5"  # a number stays a number
    assert read_features(tmp_path / "t.csv")[0].region == name


def test_bytes_that_are_no_text_do_not_stop_a_table(tmp_path: Path) -> None:
    for ending in ENDINGS:
        write_features(tmp_path / f"t{ending}", [row(case="a\udcff")])
        assert read_features(tmp_path / f"t{ending}")[0].case == "a?"


def test_an_unknown_ending_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"GD-102.*did you mean '\.parquet'"):
        write_features(tmp_path / "t.parqet", [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", "", "GD-250"),
        ("t.csv", "a,b\n1,2\n", "GD-251"),
        ("t.csv", ",".join(TIDY) + "\nshort\n", "GD-251"),
        ("t.csv", ",".join(TIDY) + "\n" + ",".join("x" * 11) + "\n", "GD-250"),
        ("t.json", "{", "GD-250"),
        ("t.json", "7", "GD-250"),
        ("t.json", "[" * 100_000, "GD-250"),
        ("t.json", '{"case": 1}', "GD-251"),
        ("t.json", '[{"case": 1}]', "GD-251"),
        ("t.json", json.dumps([dict.fromkeys(TIDY, "x")]), "GD-252"),
        ("t.parquet", "PAR1 and no more", "GD-250"),
    ],
)
def test_a_broken_table_is_refused_with_its_code(name: str, content: str, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=code):
        read_features(tmp_path / name)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GD-222"):
        read_features(tmp_path / "none.csv")
