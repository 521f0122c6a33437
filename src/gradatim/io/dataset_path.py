"""Whether a file of a data set really lies in it."""

import os
from pathlib import Path

from gradatim.base.errors import InputError, UnsafeInputError


def check_inside(path: Path, root: Path) -> Path:
    """The file that a path of a data set stands for, after following links.

    Links inside the data set are followed (DataLad keeps content that way); one that leads outside is refused,
    and so is a hard link to a file of somebody who does not own the data set.

    Args:
        path: a path below ``root``.
        root: the data set's folder, resolved.

    Returns:
        The resolved path.

    Raises:
        UnsafeInputError: GD-403.
        InputError: GD-222 for a link to nowhere or in a circle.
    """
    try:
        real = path.resolve(strict=True)
        facts, owner = real.stat(), root.stat().st_uid
    except (OSError, RuntimeError) as error:
        raise InputError(
            "GD-222",
            given=f"{path.name}: {getattr(error, 'strerror', None) or 'a circle of links'}",
            allowed="a file, or a link to one inside the data set",
            do="fetch the content first (datalad get) or remove the link",
        ) from error
    outside = not real.is_relative_to(root)
    foreign = facts.st_nlink > 1 and not real.is_dir() and os.name != "nt" and facts.st_uid != owner
    if outside or foreign:
        what = "leads outside the data set" if outside else "is shared with another owner"
        raise UnsafeInputError(
            "GD-403",
            given=f"{path.relative_to(root)} {what}",
            allowed="files inside the data set",
            do="copy the file to its place instead of linking it",
        )
    return real
