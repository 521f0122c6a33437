"""What a report holds: words, numbers that arrive ready, pictures, tables and the scene of the viewer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gradatim.base.errors import GradatimError, UsageError
from gradatim.report.scene import Scene

Cell = str | float | int | None


@dataclass(frozen=True)
class Verdict:
    """One judgement, with the number it rests on.

    Args:
        level: ``"good"``, ``"warn"`` (look at it) or ``"bad"`` (do not trust the result).
        sentence: the judgement in words.
        number: the number behind it, or None.
        unit: the number's unit, e.g. ``"%"``.

    Raises:
        UsageError: GD-102 if the level is another word.

    Example:
        >>> Verdict("good", "of the mask was kept", 93.1, "%").level
        'good'
    """

    level: Literal["good", "warn", "bad"]
    sentence: str
    number: float | int | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.level not in ("good", "warn", "bad"):
            raise UsageError("GD-102", given=f"verdict {self.level!r}", allowed="good, warn, bad", do="choose one")


@dataclass(frozen=True)
class Figure:
    """A picture drawn by :mod:`gradatim.report.figures` or :mod:`gradatim.report.plots`, never a file from outside.

    Args:
        caption: what it shows, with units.
        alt: the same for a reader who cannot see it, with the main finding.
        mime: ``"image/png"`` or ``"image/svg+xml"``.
        data: the encoded picture.
        width: the width it is drawn for, CSS pixels.

    Raises:
        UsageError: GD-101 if the alternative text is empty or the data are not of the stated kind.
    """

    caption: str
    alt: str
    mime: Literal["image/png", "image/svg+xml"]
    data: bytes
    width: int

    def __post_init__(self) -> None:
        starts = {"image/png": b"\x89PNG\r\n", "image/svg+xml": b"<?xml"}.get(self.mime)
        if not self.alt.strip() or starts is None or not self.data.startswith(starts):
            raise UsageError(
                "GD-101",
                given=f"a {self.mime} picture of {len(self.data)} bytes with alternative text {self.alt!r}",
                allowed="PNG or SVG drawn from data, with alternative text",
                do="draw it with gradatim.report.figures",
            )


@dataclass(frozen=True)
class Column:
    """A table's column: its name, its unit and how many significant digits its numbers get."""

    name: str
    unit: str = ""
    digits: int = 4


@dataclass(frozen=True)
class Table:
    """A table; text stands left, numbers right, None as a dash and NaN as "undefined".

    Args:
        caption: what it holds.
        columns: the columns in order.
        rows: one tuple of cells a row, as long as ``columns``.

    Raises:
        UsageError: GD-103 if a row has another number of cells.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise UsageError(
                    "GD-103",
                    given=f"a row of {len(row)} cells in table {self.caption!r}",
                    allowed=f"{len(self.columns)} cells",
                    do="give one cell a column",
                )


@dataclass(frozen=True)
class Section:
    """A chapter of the page: text first, then verdicts, pictures and tables."""

    title: str
    paragraphs: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One error or finding of the run: where, its code, what was given, what is allowed, what to do."""

    where: str
    code: str
    given: str
    allowed: str
    do: str

    @classmethod
    def of(cls, error: GradatimError, where: str) -> "Fault":
        """The record of an error that was raised at ``where``, e.g. a stage or a case."""
        return cls(where, error.code, error.given, error.allowed, error.do)


@dataclass(frozen=True)
class Methods:
    """What was done, in sentences for a paper, and the works they cite; plain text."""

    paragraphs: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Report:
    """Everything on one page, in the page's order.

    Nothing is computed and nothing is looked up: what is not given is not shown. Whoever fills it in decides
    whether a name may be shown; a case label is enough, a patient's name or a full path is never needed.

    Args:
        title: the page's heading.
        subtitle: a line under it, e.g. case and sequence.
        verdicts: the headline judgements.
        scene: volumes and overlays of the viewer, or None for no viewer.
        sections: the chapters after the viewer.
        faults: errors and findings of the run; an empty tuple says that there were none.
        methods: methods text and references.
        provenance: name → value; nested mappings and sequences fold away below the plain values.
    """

    title: str
    subtitle: str = ""
    verdicts: tuple[Verdict, ...] = ()
    scene: Scene | None = None
    sections: tuple[Section, ...] = ()
    faults: tuple[Fault, ...] = ()
    methods: Methods = field(default_factory=Methods)
    provenance: Mapping[str, object] = field(default_factory=dict)
