"""The wide form of the feature table: one row an image and region, one column a feature."""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from gradatim.base.choice import choose
from gradatim.base.errors import InputError
from gradatim.base.nouns import Feature
from gradatim.io.atomic import atomic_file
from gradatim.io.table import csv_cell, unicode_text

KEYS = ("case", "image", "region", "settings")
"""What tells the rows of the wide form apart; the other columns are features."""

_ENDINGS = {".csv": None, ".parquet": None}


def write_wide(path: Path | str, features: Iterable[Feature]) -> None:
    """Write features with one row for each case, image, region and settings.

    Text in CSV is written as :func:`gradatim.io.table.write_features` does, so that no spreadsheet runs it.
    Columns are ``family.feature`` and, where a family has matrices, ``family.feature.aggregation``, in the order of
    first appearance. Reasons stay in the tidy table; NaN here means "look there".

    Args:
        path: ends in ``.csv`` or ``.parquet``; its folder must exist.
        features: the rows of the tidy table.

    Raises:
        UsageError: GD-102 for another ending.
        InputError: GD-254 if a feature of one region occurs twice with different values.
        ResourceError: GD-502 to GD-504 if the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "wide.csv"
        >>> write_wide(path, [Feature("01", "ct", "lesion", "glcm", "contrast", "ACUI", "IAZD", 2.5, "", "", "s")])
        >>> print(path.read_text().strip())
        case,image,region,settings,glcm.contrast.IAZD
        01,ct,lesion,s,2.5
    """
    path = Path(path)
    wide_format(path)
    rows: dict[tuple[str, ...], dict[str, float]] = {}
    for feature in features:
        key = tuple(unicode_text(getattr(feature, name)) for name in KEYS)
        column = ".".join(part for part in (feature.family, feature.feature, feature.aggregation) if part)
        row = rows.setdefault(key, {})
        if column in row and not _same(row[column], feature.value):
            raise InputError(
                "GD-254",
                given=f"{column} of region {feature.region} of case {feature.case!r} twice, with different values",
                allowed="one value for each case, image, region and settings",
                do="give every image its own case or name",
            )
        row[column] = feature.value
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells: list[list[str | float]] = [
        [*key, *(row.get(column, math.nan) for column in columns)] for key, row in rows.items()
    ]
    with atomic_file(path) as file:
        if path.suffix.lower() == ".csv":
            lines = [",".join((*KEYS, *columns)), *(",".join(map(csv_cell, line)) for line in cells)]
            file.write(("\n".join(lines) + "\n").encode())
        else:
            pd.DataFrame(cells, columns=[*KEYS, *columns]).to_parquet(file, index=False)


def wide_format(path: Path) -> None:
    """Refuse an ending that names no format; ask before long work.

    Raises:
        UsageError: GD-102.
    """
    choose(path.suffix.lower(), _ENDINGS, what="ending of a wide table's file name")


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
