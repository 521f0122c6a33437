"""Tidy tables of any kind of row: Parquet, CSV and JSON, chosen by the file's ending."""

import json
import math
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gradatim.io.atomic import atomic_file
from gradatim.io.table import FORMATS, csv_cell, table_format, unicode_text

_KINDS: dict[Any, pa.DataType] = {str: pa.string(), float: pa.float64(), int: pa.int64()}


def write_records(path: Path | str, kind: type, records: Iterable[Any]) -> None:
    """Write rows that are frozen dataclasses of one kind, one column a field, whole or not at all.

    Numbers keep all their digits; NaN stays NaN in Parquet, is ``nan`` in CSV and ``null`` in JSON; texts are guarded
    against spreadsheets as in the table of features.

    Args:
        path: ends in ``.parquet``, ``.csv`` or ``.json``; its folder must exist.
        kind: the rows' class, whose fields are texts, floats and whole numbers.
        records: the rows.

    Raises:
        UsageError: GD-102 for another ending.
        ResourceError: GD-502 to GD-504 if the file cannot be written.

    Example:
        >>> import tempfile
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Spread:
        ...     feature: str
        ...     estimate: float
        ...     cases: int
        >>> table = Path(tempfile.mkdtemp()) / "spread.csv"
        >>> write_records(table, Spread, [Spread("mean", 0.5, 12)])
        >>> print(table.read_text().strip())
        feature,estimate,cases
        mean,0.5,12
    """
    path, columns = Path(path), {field.name: field.type for field in fields(kind)}
    chosen, rows = table_format(path), [tuple(map(unicode_text, astuple(record))) for record in records]
    with atomic_file(path) as file:
        if chosen is FORMATS[".csv"]:
            lines = [",".join(columns), *(",".join(map(csv_cell, row)) for row in rows)]
            file.write(("\n".join(lines) + "\n").encode())
        elif chosen is FORMATS[".json"]:
            objects = ",\n".join(_object(columns, row) for row in rows)
            file.write(f"[\n{objects}\n]\n".encode())
        else:
            cells = list(zip(*rows, strict=True)) or [()] * len(columns)
            arrays = [pa.array(column, _KINDS[type_]) for column, type_ in zip(cells, columns.values(), strict=True)]
            pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), file)


def _object(names: Iterable[str], row: tuple[Any, ...]) -> str:
    said = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in zip(names, row, strict=True)}
    return json.dumps(said, ensure_ascii=False, allow_nan=False)
