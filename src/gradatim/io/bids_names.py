"""BIDS file names: entities, suffix and extension, with nothing in them that could lead elsewhere."""

import re
from dataclasses import dataclass

from gradatim.base.errors import UnsafeInputError

MAX_NAME_BYTES = 255
"""Longest file name that common file systems keep."""

_LABEL = re.compile(r"[0-9A-Za-z+]+")
_PAIR = re.compile(r"([a-z]+)-([0-9A-Za-z+]+)")
_SUFFIX = re.compile(r"[0-9A-Za-z]+")
_EXTENSIONS = (".nii.gz", ".nii", ".json")
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}


@dataclass(frozen=True)
class BidsName:
    """The parts of a BIDS file name, ``sub-01_echo-1_part-mag_MEGRE.nii.gz``.

    Args:
        entities: key → label in the order of the name, as pairs.
        suffix: the last part, e.g. ``MEGRE``.
        extension: with its dots, e.g. ``.nii.gz``.

    Example:
        >>> parse_name("sub-01_echo-1_MEGRE.nii.gz").entity("echo")
        '1'
    """

    entities: tuple[tuple[str, str], ...]
    suffix: str
    extension: str

    def entity(self, key: str) -> str:
        """Label of an entity, empty where the name does not have it."""
        return dict(self.entities).get(key, "")

    def applies_to(self, other: "BidsName") -> bool:
        """Whether a sidecar of this name describes a file of the other: same suffix, no entity of its own."""
        return self.suffix == other.suffix and set(self.entities) <= set(other.entities)


def check_label(label: str, *, what: str) -> str:
    """A label that is safe to be part of a path: letters, digits and ``+`` only.

    Refuses what could leave the folder, hide, or be taken for an option: ``/``, ``..``, NUL, newline, a leading
    ``-``, letters of other scripts that look alike, names of over 200 characters, and Windows' device names.

    Args:
        label: e.g. a participant's label, without ``sub-``.
        what: what it labels, for the message.

    Returns:
        The label.

    Raises:
        UnsafeInputError: GD-402.

    Example:
        >>> check_label("01", what="subject")
        '01'
    """
    if len(label) <= 200 and _LABEL.fullmatch(label) and label.lower() not in _RESERVED:
        return label
    raise UnsafeInputError(
        "GD-402",
        given=f"{what} label {label[:60]!r}",
        allowed="up to 200 letters A to Z and digits",
        do="rename it",
    )


def parse_name(name: str) -> BidsName | None:
    """The parts of a file name, None if it is no name of an image or sidecar in a BIDS data set.

    Args:
        name: file name without folder.

    Raises:
        UnsafeInputError: GD-402 for a name that starts like a subject's file but holds characters that BIDS does
            not allow, an entity twice, or more than 255 bytes.
    """
    extension = next((e for e in _EXTENSIONS if name.endswith(e)), None)
    if extension is None or name.startswith("."):
        return None
    *pairs, suffix = name[: -len(extension)].split("_")
    matches = [_PAIR.fullmatch(pair) for pair in pairs]
    entities = tuple((m[1], m[2]) for m in matches if m)
    good = len(entities) == len(pairs) == len(dict(entities)) and _SUFFIX.fullmatch(suffix)
    if good and len(name.encode("utf-8", "surrogateescape")) <= MAX_NAME_BYTES:
        for key, label in entities:
            check_label(label, what=key)
        return BidsName(entities, suffix, extension)
    if not name.startswith("sub-"):
        return None
    raise UnsafeInputError(
        "GD-402",
        given=f"the file name {name[:80]!r}",
        allowed="entities key-label joined by _, letters and digits only, each key once",
        do="rename the file",
    )
