"""The features of all subjects of a derivative in one table."""

from dataclasses import dataclass
from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.io.dataset_path import check_inside
from gradatim.io.lock import run_lock
from gradatim.io.table import read_features, write_features
from gradatim.pipelines.dataset_run import LOCK

GROUP = "group_features"


@dataclass(frozen=True)
class GroupTable:
    """What the group's table holds.

    Args:
        path: the table, Parquet; the same as CSV lies beside it.
        cases: how many scans.
        rows: how many rows.
        settings: hashes of the feature settings that occur; more than one means that numbers do not compare.
    """

    path: Path
    cases: int
    rows: int
    settings: tuple[str, ...]


def write_group(out: Path) -> GroupTable:
    """Put the feature tables of a derivative's subjects below one another.

    Args:
        out: the derivative's root, after ``participant``.

    Raises:
        InputError: GD-324 if there is no table; GD-222 to GD-252 if one cannot be read.
        UnsafeInputError: GD-403 if one lies outside the derivative.
        ResourceError: GD-508 if a run is writing there; GD-502 to GD-504 if the table cannot be written.
    """
    root = out.resolve()
    tables = sorted([*root.glob("sub-*/*_features.parquet"), *root.glob("sub-*/ses-*/*_features.parquet")])
    if not tables:
        raise InputError(
            "GD-324",
            given=f"no table of features in {root.name}",
            allowed="the output of an earlier run of the participants",
            do="run the participants first",
        )
    with run_lock(root / LOCK):
        features = tuple(feature for table in tables for feature in read_features(check_inside(table, root)))
        for ending in (".csv", ".parquet"):
            write_features(root / f"{GROUP}{ending}", features)
    settings = tuple(sorted({feature.settings for feature in features}))
    return GroupTable(root / f"{GROUP}.parquet", len(tables), len(features), settings)
