"""What lies around a voxel: the windows whose features make a map."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import UsageError

MAX_RADIUS = 1 << 15
"""No image has more voxels along an axis."""


class Window(Protocol):
    """Anything that says which voxels around a voxel belong to its window."""

    def stencil(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Tensor:
        """The window (2a + 1, 2b + 1, 2c + 1), bool, its own voxel in the middle and set.

        Args:
            shape: of the region's box; as nothing lies further away, a, b and c stay below its sizes.
            spacing: voxel edges, mm.
        """


def _reach(radius: int, shape: tuple[int, ...]) -> list[int]:
    return [min(radius, size - 1) for size in shape]


def _require_voxels(radius: int) -> None:
    if not 0 <= radius <= MAX_RADIUS:
        raise _impossible(f"a window's radius of {radius} voxels", f"0 to {MAX_RADIUS}")


def _impossible(given: str, allowed: str) -> UsageError:
    return UsageError("GD-152", given=given, allowed=allowed, do="give another one")


@dataclass(frozen=True)
class Cube:
    """All voxels at Chebyshev distance up to a radius: (2·radius + 1)³ of them, whatever the voxel's edges.

    Args:
        radius: voxels, ≥ 0.

    Raises:
        UsageError: GD-152 for a negative radius, or one that no image has.

    Example:
        >>> int(Cube(radius=2).stencil((9, 9, 9), (1.0, 1.0, 1.0)).sum())
        125
    """

    radius: int

    def __post_init__(self) -> None:
        _require_voxels(self.radius)

    def stencil(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Tensor:
        """The cube, cut to the box."""
        return torch.ones([2 * far + 1 for far in _reach(self.radius, shape)], dtype=torch.bool)


@dataclass(frozen=True)
class Square:
    """The voxels of a :class:`Cube` that lie in the slice, i.e. in the plane of the first two array axes.

    Args:
        radius: voxels, ≥ 0.

    Raises:
        UsageError: GD-152 for a negative radius, or one that no image has.

    Example:
        >>> tuple(Square(radius=2).stencil((9, 9, 9), (1.0, 1.0, 5.0)).shape)
        (5, 5, 1)
    """

    radius: int

    def __post_init__(self) -> None:
        _require_voxels(self.radius)

    def stencil(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Tensor:
        """The square, cut to the box."""
        along_x, along_y = _reach(self.radius, shape[:2])
        return torch.ones((2 * along_x + 1, 2 * along_y + 1, 1), dtype=torch.bool)


@dataclass(frozen=True)
class Ball:
    """The voxels whose centres lie within a length of the voxel's own, so that a map means the same on any grid.

    Args:
        radius_mm: mm, ≥ 0.

    Raises:
        UsageError: GD-152 for a negative radius, or one that is not finite.

    Example:
        >>> int(Ball(radius_mm=1.0).stencil((9, 9, 9), (1.0, 1.0, 2.0)).sum())
        5
    """

    radius_mm: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius_mm) and self.radius_mm >= 0):
            raise _impossible(f"a window's radius of {self.radius_mm} mm", "a finite length of 0 or more")

    def stencil(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Tensor:
        """The ball, cut to the box."""
        far = self.radius_mm * (1 + 1e-9)  # a voxel right on the sphere is inside, however its edge was rounded
        square = torch.zeros((), dtype=torch.float64)
        for axis, (size, edge) in enumerate(zip(shape, spacing, strict=True)):
            reach = min(math.floor(far / edge), size - 1)
            along = torch.arange(-reach, reach + 1, dtype=torch.float64) * edge
            square = square + along.square().view([-1 if a == axis else 1 for a in range(3)])
        return square <= far**2
