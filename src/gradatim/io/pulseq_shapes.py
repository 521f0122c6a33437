"""Shapes of a Pulseq file: run lengths of the derivative, unpacked within a budget."""

from dataclasses import dataclass, field

import numpy as np

from gradatim.base.errors import InputError
from gradatim.io.pulseq_text import Line, PulseqText, bomb, damaged

_BYTES = 64
"""What a sample costs while it is unpacked and used."""


@dataclass(eq=False)
class Allowance:
    """Samples that a file may still unpack to.

    Args:
        name: the file's name.
        samples: how many are left.
    """

    name: str
    samples: int

    @classmethod
    def of(cls, name: str, budget_bytes: int) -> "Allowance":
        """As many samples as fit a budget of memory."""
        return cls(name, budget_bytes // _BYTES)

    def take(self, count: int, what: str) -> None:
        """Use some of them.

        Raises:
            UnsafeInputError: GD-433 if fewer are left.
        """
        if count > self.samples:
            raise bomb(self.name, f"unpacks to {count} more samples in {what}")
        self.samples -= count


@dataclass(eq=False)
class Shapes:
    """All shapes of a file by their numbers.

    Args:
        name: the file's name.
        unpacked: number → samples.
    """

    name: str
    unpacked: dict[int, np.ndarray] = field(default_factory=dict)

    def __getitem__(self, shape: int) -> np.ndarray:
        if shape not in self.unpacked:
            raise missing(self.name, f"shape {shape}")
        return self.unpacked[shape]


def missing(name: str, what: str) -> InputError:
    """That a file refers to something that it does not hold."""
    return InputError(
        "GD-229",
        given=f"{name} refers to {what}, which it does not hold",
        allowed="references to what the file defines",
        do="write the file anew with the program that made it",
    )


def read_shapes(text: PulseqText, allowance: Allowance) -> Shapes:
    """Unpack the section [SHAPES].

    From version 1.4 on, a shape with as many numbers as samples is stored plain; all others, and all of older
    files, hold the derivative, in which two equal numbers are followed by how often the value comes again.

    Raises:
        InputError: GD-228 for lines that are none of a shape; GD-230 for one that does not unpack to its size.
        UnsafeInputError: GD-433 beyond the allowance.
    """
    shapes = Shapes(text.name)
    for head, size, lines in _stored(text):
        number, samples = head.sized(2).whole_at(1), size.sized(2).whole_at(1)
        if number in shapes.unpacked:
            raise damaged(head.where, f"a second shape {number}")
        if samples < 1:
            raise size.wrong("no samples")
        allowance.take(samples, f"shape {number}")
        values = np.array([line.sized(1).number_at(0) for line in lines], dtype=np.float64)
        plain = text.version >= (1, 4, 0) and len(values) == samples
        shapes.unpacked[number] = values if plain else unpacked_shape(values, samples, head.where)
    return shapes


def unpacked_shape(packed: np.ndarray, samples: int, where: str) -> np.ndarray:
    """Samples from the run lengths of their derivative.

    Args:
        packed: (m,), values, and counts after two equal values.
        samples: how many samples must come out.
        where: for messages.

    Raises:
        InputError: GD-230 if another number comes out, or a count is none.

    Example:
        >>> unpacked_shape(np.array([1.0, 0.0, 0.0, 2.0]), 5, "a shape").tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    values, counts, at = [], [], 0
    while at < len(packed):
        repeated = at + 2 < len(packed) and packed[at] == packed[at + 1]
        more = float(packed[at + 2]) if repeated else -1.0
        if more != int(more) or (repeated and not 0 <= more <= samples):
            raise _uneven(where, f"a repetition of {more:g}")
        values.append(packed[at])
        counts.append(int(more) + 2)
        at += 3 if repeated else 1
    if sum(counts) != samples:
        raise _uneven(where, f"{sum(counts)} samples")
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.repeat(np.array(values), counts).cumsum()
    if not np.isfinite(found).all():
        raise _uneven(where, "values that are not finite")
    return found


def _stored(text: PulseqText) -> list[tuple[Line, Line, list[Line]]]:
    """The lines of each shape: its number, its size, its values."""
    found: list[tuple[Line, Line, list[Line]]] = []
    lines = iter(text["SHAPES"])
    for line in lines:
        if line.words[0].lower() == "shape_id":
            size = next(lines, None)
            if size is None or size.words[0].lower() not in {"num_samples", "num_uncompressed"}:
                raise line.wrong("no num_samples after it")
            found.append((line, size, []))
        elif found:
            found[-1][2].append(line)
        else:
            raise line.wrong("no shape_id before it")
    return found


def _uneven(where: str, what: str) -> InputError:
    return InputError(
        "GD-230",
        given=f"{where}: {what} in a shape",
        allowed="run lengths that add up to num_samples",
        do="write the file anew with the program that made it",
    )
