"""Names of output files, judged before the work."""

from collections.abc import Iterable
from pathlib import Path

from gradatim.base.errors import UsageError
from gradatim.io.atomic import require_place


def require_svg(picture: Path | None) -> None:
    """Refuse a picture whose name promises another format than SVG.

    Raises:
        UsageError: GD-107 unless the name ends in .svg.

    Example:
        >>> require_svg(Path("decay.svg"))
    """
    if picture is not None and picture.suffix.lower() != ".svg":
        raise UsageError(
            "GD-107",
            given=f"{picture} as the name of a picture",
            allowed="a name that ends in .svg",
            do="call it .svg; browsers, Inkscape and office programs open it",
        )


def require_outputs(outputs: Iterable[Path | None], *, inputs: Iterable[Path | None]) -> None:
    """Refuse, before any work, a name under which no file can appear, an input's name, and a name given twice.

    Args:
        outputs: what will be written; None for what will not.
        inputs: what is read.

    Raises:
        UsageError: GD-107 for an input's name, and for one name of two outputs.
        ResourceError: GD-503 or GD-504 as :func:`gradatim.io.atomic.require_place`.
    """
    read = {path.resolve() for path in inputs if path is not None}
    taken: set[Path] = set()
    for path in outputs:
        if path is None:
            continue
        require_place(path)
        if path.resolve() in read:
            raise UsageError(
                "GD-107",
                given=f"{path}, which is read, as the name of an output",
                allowed="another name than an input's",
                do="choose another name",
            )
        if path.resolve() in taken:
            raise UsageError(
                "GD-107",
                given=f"{path} as the name of two outputs",
                allowed="a name for each",
                do="choose another name for one of them",
            )
        taken.add(path.resolve())
