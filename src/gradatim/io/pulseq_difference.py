"""Where two sequences differ beyond the digits that a Pulseq file keeps."""

import math
from itertools import zip_longest

import torch
from torch import Tensor

from gradatim.base.sequence import Block, Lobe, Pulse, Readout, Sequence
from gradatim.io.pulseq_extensions import at_knots

DIGITS = 6e-6
"""A file keeps six digits of an amplitude, 5e-6 of 1.00000; shapes add a little."""


def difference(one: Sequence, other: Sequence) -> str:
    """The first difference that is played, in words; empty where the two are equal.

    Blocks without time and events are left out. Amplitudes count as equal within 6e-6 of their largest, offsets and
    centres within 1e-5, definitions to nine digits; all times must agree exactly.

    Args:
        one: a sequence.
        other: another.

    Example:
        >>> difference(Sequence((Block(1000),)), Sequence((Block(2000),)))
        'block 1: 1000 and 2000 ns'
    """
    if one.rasters != other.rasters:
        return f"{one.rasters} and {other.rasters}"
    for number, (a, b) in enumerate(zip_longest(played(one), played(other)), start=1):
        what = _of_blocks(a, b) if a is not None and b is not None else "only in one of the two"
        if what:
            return f"block {number}: {what}"
    for name in sorted({*one.definitions, *other.definitions}):
        a, b = (definition_text(each.definitions.get(name, "")) for each in (one, other))
        if a != b:
            return f"definition {name}: {a!r} and {b!r}"
    return ""


def played(sequence: Sequence) -> list[Block]:
    """The blocks that last or hold something."""
    return [b for b in sequence.blocks if b.duration or b.pulse or b.readout or any(g is not None for g in b.lobes)]


def definition_text(value: str | tuple[float, ...]) -> str:
    """A definition as a file holds it, numbers to nine digits."""
    return " ".join(value.split()) if isinstance(value, str) else " ".join(f"{v:.9g}" for v in value)


def _of_blocks(a: Block, b: Block) -> str:
    if a.duration != b.duration:
        return f"{a.duration} and {b.duration} ns"
    for axis, (lobe, twin) in zip("xyz", zip(a.lobes, b.lobes, strict=True), strict=True):
        if not _same_lobes(lobe, twin):
            return f"the gradients on {axis} differ"
    if not _same_pulses(a.pulse, b.pulse):
        return "the pulses differ"
    return "" if _same_readouts(a.readout, b.readout) else "the readouts differ"


def _same_lobes(a: Lobe | None, b: Lobe | None) -> bool:
    if a is None or b is None:
        return a is b
    if a is b:
        return True
    times = torch.cat([a.times, b.times]).unique()
    ends = bool((a.times[[0, -1]] == b.times[[0, -1]]).all())
    return ends and _close(at_knots(a, times), at_knots(b, times))


def _same_pulses(a: Pulse | None, b: Pulse | None) -> bool:
    if a is None or b is None or a is b:
        return a is b
    if (a.delay, a.duration, a.use) != (b.delay, b.duration, b.use):
        return False
    edges = torch.cat([a.edges, b.edges]).unique()[:-1]
    fields = [each.field[torch.searchsorted(each.edges, edges, right=True) - 1] for each in (a, b)]
    turn = math.remainder(a.phase - b.phase, 2 * math.pi)
    near = abs(a.centre - b.centre) <= 1e-5 * a.centre + 1e-3
    return near and _near(a.frequency, b.frequency) and abs(turn) < 1e-5 * max(1.0, abs(a.phase)) and _close(*fields)


def _same_readouts(a: Readout | None, b: Readout | None) -> bool:
    if a is None or b is None:
        return a is b
    labels = {*a.labels, *b.labels}
    counted = all(a.labels.get(label, 0) == b.labels.get(label, 0) for label in labels)
    turn = math.remainder(a.phase - b.phase, 2 * math.pi)
    timed = (a.delay, a.dwell, a.samples) == (b.delay, b.dwell, b.samples)
    return timed and counted and _near(a.frequency, b.frequency) and abs(turn) < 1e-5 * max(1.0, abs(a.phase))


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * max(abs(a), abs(b))


def _close(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().amax() <= DIGITS * torch.maximum(a.abs().amax(), b.abs().amax()))
