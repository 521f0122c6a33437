"""One-dimensional filters, and their products along the axes of an image."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gradatim.radiomics.filters.boundary import Boundary

BLOCK = 32
"""Voxels of a line that one small matrix product filters."""


@dataclass(frozen=True)
class Stencil:
    """A filter along one axis, y(n) = Σₖ t[k]·x(n + first + k).

    Every line is filtered by a matrix that holds the boundary too, in blocks, so that the work is a few
    dense products on any device, without a padded copy. Linear and differentiable in x.

    Args:
        taps: t.
        first: offset of the first tap from the voxel that receives the sum, voxels.

    Example:
        >>> from gradatim.radiomics.filters.boundary import Zero
        >>> Stencil((-1.0, 1.0), 0).along(torch.tensor([1.0, 3.0, 4.0]), axis=0, boundary=Zero()).tolist()
        [2.0, 1.0, -4.0]
    """

    taps: tuple[float, ...]
    first: int

    @property
    def mirrored(self) -> "Stencil":
        """The same filter run in the other direction.

        Example:
            >>> Stencil((1.0, 2.0), 0).mirrored
            Stencil(taps=(2.0, 1.0), first=-1)
        """
        return Stencil(self.taps[::-1], 1 - self.first - len(self.taps))

    def times(self, factor: float) -> "Stencil":
        """Every tap times a factor."""
        return Stencil(tuple(factor * tap for tap in self.taps), self.first)

    def plus(self, other: "Stencil") -> "Stencil":
        """The filter whose response is the sum of both.

        Example:
            >>> Stencil((1.0,), -1).plus(Stencil((1.0,), 1))
            Stencil(taps=(1.0, 0.0, 1.0), first=-1)
        """
        first = min(self.first, other.first)
        taps = [0.0] * (max(self.first + len(self.taps), other.first + len(other.taps)) - first)
        for part in (self, other):
            for k, tap in enumerate(part.taps, start=part.first - first):
                taps[k] += tap
        return Stencil(tuple(taps), first)

    def after(self, other: "Stencil") -> "Stencil":
        """This filter run on the response of another, as one filter.

        Example:
            >>> Stencil((-1.0, 1.0), 0).after(Stencil((1.0, 1.0), 0))
            Stencil(taps=(-1.0, 0.0, 1.0), first=0)
        """
        taps = [0.0] * (len(self.taps) + len(other.taps) - 1)
        for i, mine in enumerate(self.taps):
            for k, its in enumerate(other.taps):
                taps[i + k] += mine * its
        return Stencil(tuple(taps), self.first + other.first)

    def along(self, values: Tensor, *, axis: int, boundary: Boundary) -> Tensor:
        """The response of every line along an axis.

        Args:
            values: of any shape, floating point.
            axis: along which the filter runs, from 0.
            boundary: what stands beyond the edge.

        Returns:
            Of the shape of ``values``.
        """
        parts = [
            _times(rows.to(values), values.narrow(axis, low, rows.shape[1]), axis)
            for low, rows in _blocks(self, values.shape[axis], boundary)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=axis)


@runtime_checkable
class Product(Protocol):
    """A filter that is one product of stencils: its rotations share most of their work."""

    boundary: Boundary

    @property
    def stencils(self) -> tuple[Stencil, ...]:
        """The filter along the first axis, the second, ...; axes without one are left as they are."""


def product(values: Tensor, stencils: tuple[Stencil, ...], *, boundary: Boundary) -> Tensor:
    """The response to one stencil along each of the first axes, one after the other."""
    for axis, stencil in enumerate(stencils):
        values = stencil.along(values, axis=axis, boundary=boundary)
    return values


@lru_cache(maxsize=128)
def _blocks(stencil: Stencil, size: int, boundary: Boundary) -> tuple[tuple[int, Tensor], ...]:
    """The matrix of a filtered line, in blocks of rows with the first column that each of them needs."""
    matrix = torch.zeros(size, size, dtype=torch.float64)
    rows = torch.arange(size)
    for offset, tap in enumerate(stencil.taps, start=stencil.first):
        source = boundary.source(rows + offset, size=size)
        inside = source >= 0
        matrix.index_put_((rows[inside], source[inside]), torch.tensor(tap, dtype=torch.float64), accumulate=True)
    blocks = []
    for start in range(0, size, BLOCK):
        part = matrix[start : start + BLOCK]
        used = part.ne(0).any(dim=0).nonzero().flatten()
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        blocks.append((low, part[:, low:high].contiguous()))
    return tuple(blocks)


def _times(matrix: Tensor, values: Tensor, axis: int) -> Tensor:
    """The matrix times the lines along an axis."""
    if axis == values.ndim - 1:
        return values @ matrix.T
    before, size = values.shape[:axis], values.shape[axis]
    flat = values.reshape(*before, size, -1)
    return (matrix @ flat).reshape(*before, len(matrix), *values.shape[axis + 1 :])
