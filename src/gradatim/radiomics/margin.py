"""A box with a margin, laid out flat so that a neighbour is a fixed number of places away and always there."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Offset


@dataclass(frozen=True, eq=False)
class Margined:
    """A volume with a margin of zeros along the axes that one moves along, one value a place.

    Args:
        values: (place,), contiguous; the slices are interleaved, so that place modulo columns is the slice.
        columns: number of slices that are kept apart; 1 where one moves across them.
        pitch: how many places apart neighbours along x, y and z lie; 0 along an axis without margin.
    """

    values: Tensor
    columns: int
    pitch: tuple[int, int, int]

    def steps(self, directions: tuple[Offset, ...]) -> list[int]:
        """How many places further the neighbours lie; positive for the directions that point forwards."""
        return [sum(p * m for p, m in zip(self.pitch, direction, strict=True)) for direction in directions]


def crosses_slices(directions: tuple[Offset, ...]) -> bool:
    """Whether one of the directions leaves the slice."""
    return any(z for _, _, z in directions)


def margined(volume: Tensor, directions: tuple[Offset, ...]) -> Margined:
    """Lay a volume out for neighbours along some directions.

    Args:
        volume: (x, y, z), any dtype.
        directions: voxel offsets, each −1, 0 or 1.

    Example:
        >>> plane = margined(torch.ones(1, 2, 3), ((0, 1, 0), (1, 0, 0)))
        >>> len(plane.values), plane.columns, plane.pitch
        (36, 3, (12, 3, 0))
        >>> space = margined(torch.ones(1, 2, 3), ((0, 0, 1),))
        >>> len(space.values), space.columns, space.pitch
        (60, 1, (20, 5, 1))
    """
    deep = int(crosses_slices(directions))
    padded = torch.nn.functional.pad(volume, (deep, deep, 1, 1, 1, 1))
    _, along_y, along_z = padded.shape
    return Margined(padded.flatten(), 1 if deep else along_z, (along_y * along_z, along_z, deep))
