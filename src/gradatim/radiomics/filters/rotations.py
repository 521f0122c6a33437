"""Turns by right angles, which bring a voxel grid onto itself."""

import itertools
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Turn:
    """A turn of the grid onto itself: axes change places, then some are run backwards.

    Args:
        axes: which old axis becomes the first, the second, the third.
        backwards: new axes that are reversed.
    """

    axes: tuple[int, int, int]
    backwards: tuple[int, ...]

    def apply(self, values: Tensor) -> Tensor:
        """The turned image (x, y, z), a view where it can be."""
        return values.permute(self.axes).flip(self.backwards)

    def undo(self, values: Tensor) -> Tensor:
        """The image that was turned.

        Example:
            >>> import torch
            >>> x, turn = torch.randn(2, 3, 4), Turn((2, 0, 1), (0, 1))
            >>> bool((turn.undo(turn.apply(x)) == x).all())
            True
        """
        back = [self.axes.index(axis) for axis in range(3)]
        return values.flip(self.backwards).permute(back)

    def spacing(self, spacing: Triple) -> Triple:
        """The voxel edges of the turned image."""
        return spacing[self.axes[0]], spacing[self.axes[1]], spacing[self.axes[2]]


class Rotations(Protocol):
    """Any set of turns over which a response is pooled."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, the one that changes nothing first."""


@dataclass(frozen=True)
class PlaneRotations:
    """The four turns by right angles of each slice along the third axis.

    Source: IBSI 2 reference manual, arXiv:2006.05470, "Rotation invariance".

    Example:
        >>> len(PlaneRotations().turns)
        4
    """

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns about the third axis."""
        return tuple(turn for turn in SpaceRotations().turns if turn.axes[2] == 2 and 2 not in turn.backwards)


@dataclass(frozen=True)
class SpaceRotations:
    """The 24 turns by right angles of a volume: those of a cube that keep its handedness.

    Source: IBSI 2 reference manual, arXiv:2006.05470, "Rotation invariance".

    Example:
        >>> len(SpaceRotations().turns)
        24
    """

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns: as many reversed axes, modulo 2, as exchanges of two axes."""
        found = []
        for axes in itertools.permutations((0, 1, 2)):
            odd = sum(a > b for a, b in itertools.combinations(axes, 2)) % 2
            for count in range(odd, 4, 2):
                found += [Turn((axes[0], axes[1], axes[2]), back) for back in itertools.combinations(range(3), count)]
        return tuple(found)
