"""Text files of numbers, as spectrometers and diffusion tools write them: rows of words between blanks or commas."""

from pathlib import Path

from gradatim.base.errors import InputError

MOST_BYTES = 8 << 20
"""A list of weightings is far smaller; larger files are something else."""


def read_lines(path: Path, *, code: str) -> list[str]:
    """The lines of a small text file that hold something, comments (#) taken off.

    Args:
        path: the file.
        code: with which text that is none, or too long, is refused.

    Raises:
        InputError: GD-222 if it cannot be read; ``code`` if it is empty, too long, or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{path.name}: {error.strerror}", allowed="a readable file", do="check the path"
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    lines = [line for raw in text.splitlines() if (line := raw.split("#")[0].strip())]
    if "\0" in text or len(content) > MOST_BYTES or not lines:
        raise InputError(
            code,
            given=f"{path.name}, which is {'empty' if not content else 'no short text'}",
            allowed="a text of numbers",
            do="check that this is the right file",
        )
    return lines


def read_rows(path: Path, *, code: str = "GD-246") -> list[list[float]]:
    """Rows of numbers; NaN is a number here.

    Args:
        path: the file.
        code: with which other text is refused.

    Raises:
        InputError: GD-222 if it cannot be read; ``code`` if a word in it is no number.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.bval"
        >>> _ = file.write_text("0 1000, nan")
        >>> read_rows(file)
        [[0.0, 1000.0, nan]]
    """
    found = []
    for line in read_lines(path, code=code):
        try:
            found.append([float(word) for word in line.replace(",", " ").split()])
        except ValueError as error:
            raise InputError(
                code,
                given=f"{path.name}: {line[:60]!r}",
                allowed="numbers between blanks",
                do="check that this is the right file",
            ) from error
    return found
