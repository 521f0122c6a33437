"""The tidy table of features, in and out: Parquet, CSV and JSON, chosen by the file's ending."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from gradatim.base.choice import choose
from gradatim.base.errors import InputError
from gradatim.base.nouns import Feature
from gradatim.io.atomic import atomic_file

COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Feature))
"""The columns, which are the fields of :class:`gradatim.base.nouns.Feature`, in their order."""

_VALUE = COLUMNS.index("value")
_GROUP_ROWS = 1 << 17
_FORMULA = tuple("=+-@\t\r＝＋－＠")
_SCHEMA = pa.schema([(name, pa.float64() if name == "value" else pa.string()) for name in COLUMNS])

Row = Sequence[Any]


@dataclass(frozen=True)
class TableFormat:
    """How rows become a file's bytes and back.

    Args:
        write: rows, into an open binary file.
        read: a file's bytes → header and rows.
    """

    write: Callable[[Sequence[Row], BinaryIO], object]
    read: Callable[[bytes], tuple[Sequence[str], Iterable[Row]]]


def write_features(path: Path | str, features: Iterable[Feature]) -> None:
    """Write features as a table, one row each, whole or not at all.

    Numbers keep all their digits; NaN stays NaN in Parquet, is ``nan`` in CSV and ``null`` in JSON. In CSV a
    text that a spreadsheet would run as a formula (it begins with ``= + - @`` or a tab) gets an apostrophe in front,
    and so does one that begins with an apostrophe, so that reading can take it off again.

    Args:
        path: ends in ``.parquet``, ``.csv`` or ``.json``; its folder must exist.
        features: the rows.

    Raises:
        UsageError: GD-102 for another ending.
        ResourceError: GD-502 to GD-504 if the file cannot be written.

    Example:
        >>> import tempfile
        >>> table = Path(tempfile.mkdtemp()) / "features.csv"
        >>> row = Feature("01", "Chimap", "=vein", "statistics", "mean", "Q4LE", "", 0.1, "ppm", "", "5d0c")
        >>> write_features(table, [row])
        >>> print(table.read_text().splitlines()[1])
        01,Chimap,'=vein,statistics,mean,Q4LE,,0.1,ppm,,5d0c
        >>> read_features(table) == (row,)
        True
    """
    path = Path(path)
    table = table_format(path)
    rows = [tuple(unicode_text(cell) for cell in astuple(feature)) for feature in features]
    with atomic_file(path) as file:
        table.write(rows, file)


def read_features(path: Path | str) -> tuple[Feature, ...]:
    """Read a table that :func:`write_features` wrote.

    Args:
        path: ends in ``.parquet``, ``.csv`` or ``.json``.

    Returns:
        Its rows.

    Raises:
        UsageError: GD-102 for another ending.
        InputError: GD-222 if there is no such file; GD-250 if it is not a table of that format; GD-251 if its
            columns are others; GD-252 if a cell holds something else than text or a number.
    """
    path = Path(path)
    table = table_format(path)
    try:
        header, rows = table.read(path.read_bytes())
        rows = list(rows)
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
    except (ValueError, TypeError, RecursionError, csv.Error, pa.ArrowException) as error:
        raise InputError(
            "GD-250",
            given=f"{path.name}: {error}",
            allowed=f"a whole {path.suffix} table",
            do="write the table again",
        ) from error
    if tuple(header) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise InputError(
            "GD-251",
            given=f"{path.name} with the columns {', '.join(map(str, header))}",
            allowed=f"{', '.join(COLUMNS)}, one cell each in every row",
            do="give a table of features",
        )
    return tuple(_feature(row, path) for row in rows)


def join_features(path: Path | str, parts: Iterable[Path]) -> int:
    """Put feature tables below one another, as one table of bounded memory, whole or not at all.

    Args:
        path: ends in ``.parquet``, ``.csv`` or ``.json``; JSON holds all rows in memory.
        parts: Parquet tables that :func:`write_features` wrote, in the order of the rows.

    Returns:
        Number of rows.

    Raises:
        UsageError: GD-102 for another ending.
        InputError: GD-222 to GD-252 if a part cannot be read; GD-254 if two parts have rows of one case, image and
            region, which nobody could tell apart.
        ResourceError: GD-502 to GD-504 if the table cannot be written.
    """
    path, rows = Path(path), 0
    if table_format(path) is not FORMATS[".parquet"]:
        features = tuple(feature for part in _distinct(parts) for feature in part)
        write_features(path, features)
        return len(features)
    with atomic_file(path) as file, pq.ParquetWriter(file, _SCHEMA) as writer:
        waiting: list[Row] = []
        for part in _distinct(parts):
            waiting += [astuple(feature) for feature in part]
            if len(waiting) >= _GROUP_ROWS:
                writer.write_table(_arrow(waiting))
                rows, waiting = rows + len(waiting), []
        writer.write_table(_arrow(waiting))
    return rows + len(waiting)


def _distinct(parts: Iterable[Path]) -> Iterator[tuple[Feature, ...]]:
    """The rows of each part; one measurement begins every region alike, so that its first row stands for all."""
    seen: set[tuple[str, ...]] = set()
    for part in parts:
        features = read_features(part)
        first: dict[tuple[str, str, str], Feature] = {}
        for feature in features:
            first.setdefault((feature.case, feature.image, feature.region), feature)
        for (case, image, region), feature in first.items():
            key = (case, image, region, feature.family, feature.feature, feature.aggregation)
            if key in seen:
                raise InputError(
                    "GD-254",
                    given=f"region {region} of image {image} of case {case!r} twice",
                    allowed="one measurement of each region of each image of each case",
                    do="give every row of the manifest its own case, image name or region names",
                )
            seen.add(key)
        yield features


def table_format(path: Path) -> TableFormat:
    """The format that a file's ending names; ask before long work, so that a wrong ending fails early.

    Raises:
        UsageError: GD-102 for an ending that names none.
    """
    return choose(path.suffix.lower(), FORMATS, what="ending of a table's file name")


def _feature(row: Row, path: Path) -> Feature:
    text = [cell for place, cell in enumerate(row) if place != _VALUE]
    if not isinstance(row[_VALUE], float) or not all(isinstance(cell, str) for cell in text):
        raise InputError(
            "GD-252",
            given=f"{path.name}: the row {row}",
            allowed="text, and a number or NaN as value",
            do="write the table again",
        )
    return Feature(*row)


def unicode_text(cell: Any) -> Any:
    """A cell that UTF-8 can hold, as every format here needs it: file names may hold bytes that are no text."""
    return cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell


def _write_parquet(rows: Sequence[Row], file: BinaryIO) -> None:
    pq.write_table(_arrow(rows), file)


def _arrow(rows: Sequence[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    arrays = [pa.array(column, type=kind) for column, kind in zip(columns, _SCHEMA.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA)


def _read_parquet(data: bytes) -> tuple[Sequence[str], Iterable[Row]]:
    table = pq.read_table(pa.BufferReader(data))
    return table.column_names, zip(*(column.to_pylist() for column in table.columns), strict=True)


def _write_csv(rows: Sequence[Row], file: BinaryIO) -> None:
    lines = [",".join(COLUMNS), *(",".join(map(csv_cell, row)) for row in rows)]
    file.write(("\n".join(lines) + "\n").encode())


def csv_cell(cell: str | float) -> str:
    """A cell as it stands in a CSV: numbers with all digits, no text that a spreadsheet would run as a formula.

    Args:
        cell: a text or a number.

    Example:
        >>> csv_cell(0.1), csv_cell("=vein"), csv_cell("a, b")
        ('0.1', "'=vein", '"a, b"')
    """
    if isinstance(cell, float | int):
        return repr(cell)
    text = f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def _read_csv(data: bytes) -> tuple[Sequence[str], Iterable[Row]]:
    header, *lines = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    return header, [
        [float(cell) if place == _VALUE else cell.removeprefix("'") for place, cell in enumerate(line)]
        for line in lines
    ]


def _write_json(rows: Sequence[Row], file: BinaryIO) -> None:
    objects = (
        dict(
            zip(COLUMNS, (None if isinstance(cell, float) and math.isnan(cell) else cell for cell in row), strict=True)
        )
        for row in rows
    )
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, allow_nan=False) for each in objects)
    file.write(f"[\n{lines}\n]\n".encode())


def _read_json(data: bytes) -> tuple[Sequence[str], Iterable[Row]]:
    objects = list(json.loads(data))
    odd = [each for each in objects if not isinstance(each, dict) or tuple(each) != COLUMNS]
    if odd:
        return list(map(str, odd[0])), []
    return COLUMNS, [[math.nan if cell is None else cell for cell in each.values()] for each in objects]


FORMATS: dict[str, TableFormat] = {
    ".parquet": TableFormat(_write_parquet, _read_parquet),
    ".csv": TableFormat(_write_csv, _read_csv),
    ".json": TableFormat(_write_json, _read_json),
}
"""A file's ending → its format."""
