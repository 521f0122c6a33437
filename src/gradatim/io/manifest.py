"""Which images of which cases are measured in which regions: a CSV, or the files of a derivative data set."""

import csv
from dataclasses import dataclass
from pathlib import Path

from gradatim.base.choice import advice
from gradatim.base.errors import InputError
from gradatim.io.volume import image_data_file, sidecar_beside

COLUMNS = ("case", "image", "regions", "mask", "unit")
"""The manifest's columns; the last two may be missing, or empty in a row."""

_NEEDED = COLUMNS[:3]


@dataclass(frozen=True)
class MeasuredCase:
    """One image and its regions, as files.

    Args:
        case: whose image, as the table will call it.
        image: the image's file or folder.
        regions: the file of its regions.
        mask: where the image was measured; None for everywhere.
        unit: of the image's values; empty for what its sidecar says.
    """

    case: str
    image: Path
    regions: Path
    mask: Path | None = None
    unit: str = ""

    @property
    def files(self) -> dict[str, Path]:
        """Role → path, since a path may name a patient, of all that can change a row: the image's sidecar too."""
        beside = sidecar_beside(self.image)
        sidecar = beside if beside.is_file() else None
        given = (("image", self.image), ("regions", self.regions), ("mask", self.mask), ("image, sidecar", sidecar))
        return {name: file for role, path in given if path is not None for name, file in files_of(role, path).items()}


def files_of(role: str, path: Path) -> dict[str, Path]:
    """What records call the files of an input, since a path may name a patient → the files themselves.

    Args:
        role: what the input is.
        path: a file, with the one beside a header that holds its image; or a folder, whose files are numbered in the
            order of their names.

    Raises:
        GradatimError: as :func:`gradatim.io.volume.image_data_file`.
    """
    if not path.is_dir():
        data = image_data_file(path) if path.is_file() else None
        return {role: path} if data is None else {role: path, f"{role}, data": data}
    inside = sorted(each for each in path.rglob("*") if each.is_file())
    return {f"{role}, file {number}": each for number, each in enumerate(inside, start=1)}


def read_manifest(path: Path) -> tuple[MeasuredCase, ...]:
    """The cases of a CSV with the columns ``case, image, regions`` and, if needed, ``mask, unit``.

    Args:
        path: the file; relative paths in it count from its folder.

    Returns:
        One entry a row, in the file's order. Whether the files exist is asked when they are measured.

    Raises:
        InputError: GD-222 if the file cannot be read; GD-250 if it is not a CSV with these columns; GD-253 for a row
            with an empty cell, or one that stands there twice.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "cohort.csv"
        >>> _ = path.write_text("case,image,regions\\n01,ct.nii.gz,lesion.nii.gz\\n")
        >>> (case,) = read_manifest(path)
        >>> case.case, case.image.name, case.regions.name
        ('01', 'ct.nii.gz', 'lesion.nii.gz')
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            "GD-250", given=f"{path.name}: {error}", allowed="a CSV in UTF-8", do="save it again"
        ) from error
    _check_header(header, rows, path)
    cases = [_case(dict(zip(header, row, strict=True)), number, path) for number, row in enumerate(rows, start=2)]
    twice = len(cases) - len(set(cases))
    if twice:
        raise InputError(
            "GD-253",
            given=f"{path.name}: {twice} row(s) stand there twice",
            allowed="one row an image and its regions",
            do="delete what is repeated",
        )
    return tuple(cases)


def _check_header(header: list[str], rows: list[list[str]], path: Path) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in header]
    ragged = next((n for n, row in enumerate(rows, start=2) if len(row) != len(header)), None)
    if not unknown and not missing and len(set(header)) == len(header) and ragged is None:
        return
    given = (
        f"row {ragged} has another number of cells than the header" if ragged else f"the columns {', '.join(header)}"
    )
    raise InputError(
        "GD-250",
        given=f"{path.name}: {given}",
        allowed=f"the columns {', '.join(_NEEDED)}, and {', '.join(COLUMNS[3:])} if needed",
        do=advice(unknown[0], COLUMNS) if unknown else "give every row these cells",
    )


def _case(row: dict[str, str], number: int, path: Path) -> MeasuredCase:
    empty = [name for name in _NEEDED if not row[name].strip()]
    if empty:
        raise InputError(
            "GD-253",
            given=f"{path.name}: row {number} without {empty[0]}",
            allowed="a case, an image and its regions in every row",
            do="fill the cell, or delete the row",
        )
    folder, mask = path.parent, row.get("mask", "").strip()
    return MeasuredCase(
        row["case"].strip(),
        folder / row["image"].strip(),
        folder / row["regions"].strip(),
        folder / mask if mask else None,
        row.get("unit", "").strip(),
    )
