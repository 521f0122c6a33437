"""The names of labels, in a table beside the label image: BIDS' ``dseg.tsv``."""

from collections.abc import Mapping
from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.io.atomic import atomic_file
from gradatim.io.byte_source import open_source

MAX_BYTES = 8 << 20


def write_label_names(path: Path, names: Mapping[int, str]) -> None:
    """Write label and name of every region, tab-separated, labels increasing.

    Args:
        path: ends in ``.tsv``; its folder must exist.
        names: label → name; white space within a name becomes one blank.

    Raises:
        ResourceError: GD-502 to GD-504 if the file cannot be written.
    """
    rows = [("index", "name"), *((str(label), " ".join(name.split())) for label, name in sorted(names.items()))]
    text = "".join("\t".join(row) + "\n" for row in rows)
    with atomic_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def read_label_names(path: Path) -> dict[int, str]:
    """Read a table with the columns ``index`` and ``name``, among others.

    Args:
        path: the file.

    Returns:
        Label → name.

    Raises:
        InputError: GD-222 if it cannot be read; GD-250 if it is no such table.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "regions.tsv"
        >>> write_label_names(file, {2: "left putamen"})
        >>> read_label_names(file)
        {2: 'left putamen'}
    """
    with open_source(path) as source:
        content = source.file.read(MAX_BYTES)
    try:
        header, *rows = [line.split("\t") for line in content.decode("utf-8-sig").splitlines() if line.strip()]
        index, name = header.index("index"), header.index("name")
        return {int(row[index]): row[name].strip() for row in rows}
    except (ValueError, IndexError) as error:
        raise InputError(
            "GD-250",
            given=f"{path.name}, which is no table of label names",
            allowed="tab-separated columns index and name, in UTF-8",
            do="correct the table, or move it away from the label image",
        ) from error
