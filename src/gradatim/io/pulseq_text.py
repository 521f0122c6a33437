"""The text of a Pulseq file: its sections, lines of numbers, version and signature; nothing is believed unread."""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gradatim.base.errors import InputError, UnsafeInputError
from gradatim.io.byte_source import open_source

_SIGNATURE = re.compile(rb"^\[SIGNATURE\]", re.MULTILINE)
_LARGEST = 2.0**53
"""Whole numbers beyond it are not exact in what a file writes."""

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Line:
    """One line that says something.

    Args:
        number: of the line in the file, from 1.
        words: what stands between its blanks.
        where: file and line for messages.
    """

    number: int
    words: tuple[str, ...]
    where: str

    def number_at(self, index: int) -> float:
        """A finite number.

        Raises:
            InputError: GD-228 if there is none.
        """
        try:
            value = float(self.words[index])
        except (ValueError, IndexError):
            value = math.nan
        if not math.isfinite(value):
            raise self.wrong(f"no finite number in place {index + 1}")
        return value

    def whole_at(self, index: int) -> int:
        """A whole number.

        Raises:
            InputError: GD-228 if there is none.
        """
        value = self.number_at(index)
        if value != int(value) or abs(value) > _LARGEST:
            raise self.wrong(f"no whole number in place {index + 1}")
        return int(value)

    def sized(self, *counts: int) -> "Line":
        """The line itself, if it has as many words as it must.

        Raises:
            InputError: GD-228 if it has not.
        """
        if len(self.words) not in counts:
            raise self.wrong(f"{len(self.words)} words instead of {' or '.join(map(str, counts))}")
        return self

    def wrong(self, what: str) -> InputError:
        """That this line is not one of its section."""
        return InputError(
            "GD-228",
            given=f"{self.where}: {what} in {' '.join(self.words)[:60]!r}",
            allowed="lines as the section's version of Pulseq defines them",
            do="write the file anew with the program that made it",
        )


@dataclass(frozen=True)
class PulseqText:
    """A Pulseq file in sections.

    Args:
        name: the file's name.
        version: major, minor, revision.
        sections: name → lines; extensions by ``extension NAME``, their first line being the header.
        signed: whether the file's signature fits its content; None where it has none.
    """

    name: str
    version: Version
    sections: dict[str, list[Line]] = field(default_factory=dict)
    signed: bool | None = None

    def __getitem__(self, section: str) -> list[Line]:
        return self.sections.get(section, [])


def pulseq_text(path: Path, *, budget_bytes: int) -> PulseqText:
    """Read a file's text into sections.

    Args:
        path: the file.
        budget_bytes: the most bytes that it may need in memory, about 16 for each of its own.

    Raises:
        InputError: GD-222 for a missing file; GD-226 for one that is no Pulseq text; GD-227 for another version.
        UnsafeInputError: GD-433 if the file is larger than its budget.
    """
    with open_source(path) as source:
        if source.size * 16 > budget_bytes:
            raise bomb(path.name, f"has {source.size} bytes")
        content = source.file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(path.name, f"byte {error.start} is no UTF-8 text") from error
    if "\0" in text:
        raise damaged(path.name, "it holds zero bytes, as no text does")
    sections = _sections(text, path.name)
    return PulseqText(path.name, _version(sections, path.name), sections, _signed(content, sections))


def damaged(name: str, what: str) -> InputError:
    """That a file is not a whole Pulseq file."""
    return InputError(
        "GD-226", given=f"{name}: {what}", allowed="a whole Pulseq text file (.seq)", do="copy or write the file again"
    )


def unread(name: str, what: str) -> InputError:
    """That a file asks for something that is not read here."""
    return InputError(
        "GD-227",
        given=f"{name}: {what}",
        allowed="Pulseq 1.2 to 1.5, labels, triggers, rotations and soft delays",
        do="write the sequence without it",
    )


def bomb(name: str, what: str) -> UnsafeInputError:
    """That a file would unpack to more than its budget."""
    return UnsafeInputError(
        "GD-433",
        given=f"{name} {what}",
        allowed="a sequence that unpacks within the memory budget",
        do="look at the file before giving it more memory",
    )


def _sections(text: str, name: str) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for line in _lines(text, name):
        first = line.words[0]
        if first.startswith("["):
            current = _begun(found, first.strip("[]").upper(), line)
        elif first.lower() == "extension":
            current = _begun(found, f"extension {line.sized(3).words[1].upper()}", line)
            current.append(line)
        elif current is None:
            raise damaged(name, f"line {line.number} stands before any section")
        else:
            current.append(line)
    if not {"VERSION", "BLOCKS"} <= found.keys():
        raise damaged(name, "it has no section [VERSION] or [BLOCKS]")
    return found


def _begun(found: dict[str, list[Line]], title: str, line: Line) -> list[Line]:
    if title in found:
        raise damaged(line.where, f"a second section {title[:40]}")
    return found.setdefault(title, [])


def _lines(text: str, name: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield Line(number, tuple(words), f"{name}, line {number}")


def _version(sections: dict[str, list[Line]], name: str) -> Version:
    parts = {}
    for line in sections["VERSION"]:
        digits = re.match(r"\d{1,4}", line.sized(2).words[1])
        if digits is None:
            raise line.wrong("no version number")
        parts[line.words[0].lower()] = int(digits.group())
    version = (parts.get("major", 0), parts.get("minor", 0), parts.get("revision", 0))
    if not (1, 2, 0) <= version < (1, 6, 0):
        raise unread(name, f"it is of version {'.'.join(map(str, version))}")
    return version


def _signed(content: bytes, sections: dict[str, list[Line]]) -> bool | None:
    """Whether MD5 of all before the signature, with or without its last line end, is what the signature says."""
    stated = {line.words[0].lower(): line.words[-1].lower() for line in sections.get("SIGNATURE", [])}
    begins = _SIGNATURE.search(content)
    if begins is None or "hash" not in stated or stated.get("type", "md5") != "md5":
        return None
    body = content[: begins.start()]
    hashes = {hashlib.md5(part, usedforsecurity=False).hexdigest() for part in (body, body[:-1], body[:-2])}
    return stated["hash"] in hashes
