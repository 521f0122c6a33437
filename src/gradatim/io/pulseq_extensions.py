"""What a Pulseq file says beside its events: labels, rotations, triggers and soft delays."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import Lobe
from gradatim.io.pulseq_events import US, impossible, nanoseconds
from gradatim.io.pulseq_shapes import missing
from gradatim.io.pulseq_text import Line, PulseqText, damaged, unread

Lobes = tuple[Lobe | None, Lobe | None, Lobe | None]

_SILENT = {
    "TRIGGERS": "a simulation or a limit does not depend on triggers",
    "DELAYS": "soft delays are played as long as the file says",
}
"""Extensions that change nothing of what is computed here, and why."""

_PLAYED = ("LABELSET", "LABELINC", "ROTATIONS")
_NOTHING = 1e-12
"""What a rotation leaves of an axis by rounding alone, of the largest."""

_UNIT = 1e-3
"""How far from 1 a quaternion's length may be; it is made 1."""


@dataclass(eq=False)
class Extensions:
    """The extensions of a file, and the labels' present values.

    Args:
        name: the file's name.
        links: number of a list's element → type, reference, next.
        types: number of a type → its name.
        tables: name of a type → number → line.
        labels: name → value, changed by :meth:`count`.
        findings: what was not taken over.
    """

    name: str
    links: dict[int, tuple[int, int, int]]
    types: dict[int, str]
    tables: dict[str, dict[int, Line]]
    labels: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of(self, start: int) -> list[tuple[str, Line]]:
        """The extensions of a block in the order in which they act, which is from the last of its list to the first.

        Raises:
            InputError: GD-226 for a list that returns to itself; GD-229 for one that leads nowhere.
        """
        found, seen, at = [], set(), start
        while at:
            if at in seen:
                raise damaged(self.name, f"the list of extensions {start} returns to itself")
            seen.add(at)
            if at not in self.links:
                raise missing(self.name, f"extension {at}")
            kind, reference, at = self.links[at]
            if kind not in self.types:
                raise missing(self.name, f"an extension of type {kind}")
            title = self.types[kind]
            if title in self.tables and reference not in self.tables[title]:
                raise missing(self.name, f"{reference} of the extension {title}")
            if title in self.tables:
                found.append((title, self.tables[title][reference]))
        return found[::-1]

    def count(self, acting: list[tuple[str, Line]]) -> None:
        """Set and increase labels: first what is set, then what is added."""
        for title in ("LABELSET", "LABELINC"):
            for line in (line for kind, line in acting if kind == title):
                value, label = line.sized(3).whole_at(1), line.words[2]
                self.labels[label] = value + (self.labels[label] if title == "LABELINC" else 0)


def read_extensions(text: PulseqText) -> Extensions:
    """Read all extensions of a file.

    Raises:
        InputError: GD-227 for one that changes what is played and is not read; GD-228 for a broken line.
    """
    links: dict[int, tuple[int, int, int]] = {}
    for line in text["EXTENSIONS"]:
        number, kind, reference, follower = (line.sized(4).whole_at(i) for i in range(4))
        if number in links:
            raise line.wrong("a second extension of this number")
        links[number] = (kind, reference, follower)
    types, tables, findings = {}, {}, []
    required = {
        word for line in text["DEFINITIONS"] if line.words[0] == "RequiredExtensions" for word in line.words[1:]
    }
    for title, (head, *lines) in _specified(text):
        types[head.whole_at(2)] = title
        if title in _PLAYED:
            tables[title] = _table(lines)
        elif title in _SILENT:
            tables[title] = _table(lines)
            findings.append(_dropped(head, title, _SILENT[title]))
        elif title in required or title == "RF_SHIM":
            raise unread(head.where, f"the extension {title[:40]}, which changes what is played")
        else:
            findings.append(_dropped(head, title, "the file does not require it"))
    unknown = required - {*types.values(), *_PLAYED, *_SILENT}
    if unknown:
        raise unread(text.name, f"it requires the extension {min(unknown)[:40]}")
    labels = {line.words[2]: 0 for kind in _PLAYED[:2] for line in tables.get(kind, {}).values() if line.sized(3)}
    return Extensions(text.name, links, types, tables, labels, tuple(findings))


def turned(lobes: Lobes, line: Line) -> Lobes:
    """Gradients turned by a quaternion (w, x, y, z): g′ = R·g.

    Raises:
        InputError: GD-231 if it is no rotation, or if lobes begin or end aslant inside of one another.
    """
    quaternion = torch.tensor([line.sized(5).number_at(i) for i in range(1, 5)], dtype=torch.float64)
    length = float(quaternion.norm())
    if abs(length - 1) > _UNIT:
        raise impossible(line.where, f"a quaternion of length {length:.6g}")
    matrix = rotation(quaternion / length)
    present = [lobe for lobe in lobes if lobe is not None]
    if not present:
        return lobes
    times = torch.cat([lobe.times for lobe in present]).unique()
    for lobe in present:
        begins, ends = (
            lobe.times[0] == times[0] or lobe.values[0] == 0,
            lobe.times[-1] == times[-1] or lobe.values[-1] == 0,
        )
        if not (bool(begins) and bool(ends)):
            raise impossible(line.where, "a rotation of a gradient that jumps while another is on")
    silent = torch.zeros(len(times), dtype=torch.float64)
    rotated = matrix @ torch.stack([silent if lobe is None else at_knots(lobe, times) for lobe in lobes])
    largest = rotated.abs().amax(dim=1)
    x, y, z = (
        Lobe(times, row) if top > _NOTHING * largest.max() else None for row, top in zip(rotated, largest, strict=True)
    )
    return x, y, z


def rotation(quaternion: Tensor) -> Tensor:
    """The matrix of a unit quaternion (w, x, y, z), 3×3.

    Args:
        quaternion: (4,).

    Example:
        >>> rotation(torch.tensor([0.0, 0.0, 0.0, 1.0])).diagonal().tolist()
        [-1.0, -1.0, 1.0]
    """
    w, x, y, z = quaternion.tolist()
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.tensor(rows, dtype=torch.float64)


def trigger_end(line: Line) -> int:
    """When a trigger (type, channel, delay in µs, duration in µs) is over, ns; blocks of older files wait for it."""
    return sum(nanoseconds(line.sized(5).number_at(i), US, line.where) for i in (3, 4))


def at_knots(lobe: Lobe, times: Tensor) -> Tensor:
    """A lobe at the knots of all, 0 outside of it."""
    right = torch.searchsorted(lobe.times, times).clamp(1, len(lobe.times) - 1)
    left = right - 1
    share = (times - lobe.times[left]).double() / (lobe.times[right] - lobe.times[left])
    value = lobe.values[left] * (1 - share) + lobe.values[right] * share
    return torch.where((times >= lobe.times[0]) & (times <= lobe.times[-1]), value, 0.0)


def _specified(text: PulseqText) -> Iterator[tuple[str, list[Line]]]:
    return ((title.split()[1], lines) for title, lines in text.sections.items() if title.startswith("extension "))


def _table(lines: list[Line]) -> dict[int, Line]:
    table: dict[int, Line] = {}
    for line in lines:
        if line.whole_at(0) in table:
            raise line.wrong("a second entry of this number")
        table[line.whole_at(0)] = line
    return table


def _dropped(head: Line, title: str, why: str) -> Finding:
    what = f"the extension {title[:40]} was not taken over: {why}"
    return Finding("GD-234", Severity.NOTE, head.where, what, "labels and rotations", "nothing")
