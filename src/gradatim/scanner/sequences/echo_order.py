"""Which line of k-space each echo of a train reads."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


class EchoOrder(ABC):
    """An order of reading: bands of neighbouring lines, one band an echo, one line of it a shot."""

    @abstractmethod
    def bands(self, length: int, centre: int, *, spacing: float) -> list[int]:
        """Which band each echo reads.

        Args:
            length: echoes of a train, and bands.
            centre: the band that holds k = 0.
            spacing: of the echoes, s.
        """


@dataclass(frozen=True)
class LinearOrder(EchoOrder):
    """From one edge of k-space to the other: k = 0 is read in the middle of the train.

    Example:
        >>> LinearOrder().bands(4, 2, spacing=0.01)
        [0, 1, 2, 3]
    """

    def bands(self, length: int, centre: int, *, spacing: float) -> list[int]:
        return list(range(length))


@dataclass(frozen=True)
class CentreOutOrder(EchoOrder):
    """From k = 0 outwards, each side in turn: the effective echo time is the echo spacing.

    Example:
        >>> CentreOutOrder().bands(4, 2, spacing=0.01)
        [2, 1, 3, 0]
    """

    def bands(self, length: int, centre: int, *, spacing: float) -> list[int]:
        return sorted(range(length), key=lambda band: (abs(band - centre), band))


@dataclass(frozen=True)
class EffectiveEchoTimeOrder(EchoOrder):
    """Linear, turned round until k = 0 is read at the echo nearest to a time.

    Args:
        echo_time: s.

    Raises:
        UsageError: GD-173, when called, if the train has no echo within half a spacing of it.

    Example:
        >>> EffectiveEchoTimeOrder(0.01).bands(4, 2, spacing=0.01)
        [2, 3, 0, 1]
    """

    echo_time: float

    def bands(self, length: int, centre: int, *, spacing: float) -> list[int]:
        echo = self.echo_time / spacing - 1
        if not (math.isfinite(echo) and -0.5 <= echo < length - 0.5):
            raise UsageError(
                "GD-173",
                given=f"an effective echo time of {1e3 * self.echo_time:.6g} ms",
                allowed=f"{1e3 * spacing:.6g} to {1e3 * spacing * length:.6g} ms, the echoes of this train",
                do="ask for one of them, or for more echoes a train",
            )
        first = centre - math.floor(echo + 0.5)
        return [(first + band) % length for band in range(length)]


def lines_of_shots(order: EchoOrder, lines: int, length: int, *, spacing: float) -> Tensor:
    """The line that each echo of each shot reads, (shots, echoes), int64; every line once.

    Args:
        order: of the bands.
        lines: of k-space; k = 0 is line ``lines // 2``.
        length: echoes of a train.
        spacing: of the echoes, s.

    Raises:
        UsageError: GD-173 unless the trains have whole numbers of lines.

    Example:
        >>> lines_of_shots(LinearOrder(), 8, 4, spacing=0.01).tolist()
        [[0, 2, 4, 6], [1, 3, 5, 7]]
    """
    if not 1 <= length <= lines or lines % length:
        fits = [n for n in range(1, lines + 1) if lines % n == 0]
        raise UsageError(
            "GD-173",
            given=f"trains of {length} echoes for {lines} lines",
            allowed=f"a number that divides the lines: {', '.join(map(str, fits))}",
            do="change the length of the train or the matrix",
        )
    shots = lines // length
    bands = torch.tensor(order.bands(length, lines // 2 // shots, spacing=spacing))
    return bands[None, :] * shots + torch.arange(shots)[:, None]
