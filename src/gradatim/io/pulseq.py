"""Reading Pulseq text files of versions 1.2 to 1.5.1: anybody's sequence, in one set of units, on one clock."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import Block, Rasters, Sequence
from gradatim.io.memory import default_budget_bytes
from gradatim.io.pulseq_blocks import Player, read_events
from gradatim.io.pulseq_events import impossible, nanoseconds
from gradatim.io.pulseq_extensions import read_extensions
from gradatim.io.pulseq_shapes import Allowance
from gradatim.io.pulseq_text import PulseqText, Version, pulseq_text

_RASTERS = {
    "gradient": "GradientRasterTime",
    "pulse": "RadiofrequencyRasterTime",
    "readout": "AdcRasterTime",
    "block": "BlockDurationRaster",
}
"""Field of :class:`Rasters` → its definition in a file."""

_DERIVED = {*_RASTERS.values(), "TotalDuration", "RequiredExtensions"}


@dataclass(frozen=True, eq=False)
class PulseqFile:
    """A Pulseq file as it was read.

    Args:
        sequence: what it plays.
        version: of the format.
        findings: what was inferred, left out or does not fit.
    """

    sequence: Sequence
    version: Version
    findings: tuple[Finding, ...]


def read_pulseq(path: Path | str, *, field_strength: float | None = None, budget_bytes: int | None = None) -> Sequence:
    """Read a sequence; what was inferred or left out is told by :func:`read_pulseq_file`.

    Amplitudes in Hz/m and Hz become T/m and T by γ̄. Blocks of files before 1.4 last as long as their longest event;
    their shaped gradients begin where the last one ended. Pulses of files before 1.5, and undefined ones, are
    excitations up to 90.01° and refocusing beyond. Labels are evaluated into each readout, rotations into the lobes.

    Args:
        path: a ``.seq`` file.
        field_strength: B0, T, needed where a file states offsets in parts per million.
        budget_bytes: the most bytes that the sequence may unpack to; by default an eighth of the free memory.

    Returns:
        The sequence, with its rasters and definitions.

    Raises:
        InputError: GD-222, and GD-226 to GD-232 for a file that is damaged, of another version, or impossible.
        UnsafeInputError: GD-433 if it would unpack to more than its budget.
        UsageError: GD-160 if offsets are in parts per million and the field strength is not known.

    Source:
        Layton et al., Magn Reson Med 77:1544-1552, 2017, and the specification of the format (pulseq.github.io).

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "wait.seq"
        >>> _ = file.write_text('''
        ... [VERSION]
        ... major 1
        ... minor 4
        ... revision 1
        ... [DEFINITIONS]
        ... BlockDurationRaster 1e-05
        ... [BLOCKS]
        ... 1 100 0 0 0 0 0 0
        ... ''')
        >>> read_pulseq(file).duration
        1000000
    """
    return read_pulseq_file(path, field_strength=field_strength, budget_bytes=budget_bytes).sequence


def read_pulseq_file(
    path: Path | str, *, field_strength: float | None = None, budget_bytes: int | None = None
) -> PulseqFile:
    """Read a sequence as :func:`read_pulseq` does, with what was found on the way.

    Findings: GD-233 (warning) if the signature does not fit the content, GD-234 (note) for an extension that was not
    taken over, GD-235 (note) if uses of pulses were inferred.

    Args:
        path: a ``.seq`` file.
        field_strength: B0, T.
        budget_bytes: the most bytes that the sequence may unpack to.

    Raises:
        InputError: as :func:`read_pulseq`.
        UnsafeInputError: as :func:`read_pulseq`.
        UsageError: as :func:`read_pulseq`.
    """
    path, budget = Path(path), default_budget_bytes() if budget_bytes is None else budget_bytes
    text = pulseq_text(path, budget_bytes=budget)
    rasters = _rasters(text)
    allowance = Allowance.of(text.name, budget)
    events = read_events(text, rasters, field_strength, allowance)
    extensions = read_extensions(text)
    blocks = Player(text, rasters, events, extensions, allowance).blocks()
    sequence = Sequence(blocks, _fitted(rasters, blocks, text), _definitions(text))
    return PulseqFile(sequence, text.version, _findings(text, events.inferred) + extensions.findings)


def _rasters(text: PulseqText) -> Rasters:
    """The rasters that a file states, the usual ones where it does not."""
    stated = {line.words[0]: line for line in text["DEFINITIONS"]}
    usual, found = Rasters(), {}
    for kind, title in _RASTERS.items():
        if title in stated:
            line = stated[title].sized(2)
            found[kind] = nanoseconds(line.number_at(1), 1e9, line.where)
            if found[kind] < 1:
                raise impossible(line.where, "a raster of no time")
    return replace(usual, **found)


def _fitted(rasters: Rasters, blocks: tuple[Block, ...], text: PulseqText) -> Rasters:
    """The rasters a file does not state, made so fine that its own times are whole multiples."""
    stated = {line.words[0] for line in text["DEFINITIONS"]}
    times: dict[str, set[int]] = {kind: set() for kind in _RASTERS}
    for block in blocks:
        times["block"].add(block.duration)
        times["gradient"] |= {int(t) for lobe in block.lobes if lobe is not None for t in lobe.times[[0, -1]]}
        times["readout"] |= set() if block.readout is None else {block.readout.dwell}
    missing_ones = {kind for kind, title in _RASTERS.items() if title not in stated}
    return replace(rasters, **{kind: math.gcd(getattr(rasters, kind), *times[kind]) for kind in missing_ones})


def _definitions(text: PulseqText) -> dict[str, str | tuple[float, ...]]:
    found: dict[str, str | tuple[float, ...]] = {}
    for line in text["DEFINITIONS"]:
        name, *words = line.words
        if name in _DERIVED:
            continue
        try:
            values = tuple(map(float, words))
        except ValueError:
            values = ()
        found[name] = values if values and all(map(math.isfinite, values)) else " ".join(words)
    return found


def _findings(text: PulseqText, inferred: int) -> tuple[Finding, ...]:
    found = []
    if text.signed is False:
        what, fix = "the signature does not fit the content", "ask whether the file was changed on purpose"
        found.append(Finding("GD-233", Severity.WARN, text.name, what, "the MD5 sum of what precedes it", fix))
    if inferred:
        what = f"the uses of {inferred} pulses were inferred from their flip angles"
        fix = "nothing, if excitations turn by 90° at most and no other pulse does"
        found.append(Finding("GD-235", Severity.NOTE, text.name, what, "uses, as version 1.5 states them", fix))
    return tuple(found)
