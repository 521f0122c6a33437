"""The boxes around a convex hull: along the grid's axes, and the smallest one in any orientation."""

import math
from dataclasses import dataclass

import numpy as np

from gradatim.radiomics.shape.hull import Hull
from gradatim.radiomics.shape.hull_kernel import smallest_box, widths

BALANCED = 1e-9
"""Relative gain below which turning the box further is rounding."""


@dataclass(frozen=True, eq=False)
class Box:
    """A rectangular box.

    Args:
        sides: its three sides, mm.
        axes: unit vectors along them (3, 3), one a row.
    """

    sides: np.ndarray
    axes: np.ndarray

    @property
    def volume(self) -> float:
        """mm³."""
        return math.prod(self.sides.tolist())

    @property
    def area(self) -> float:
        """mm²."""
        a, b, c = self.sides
        return float(2 * (a * b + b * c + a * c))


def aligned_box(hull: Hull) -> Box:
    """The box along the array axes that just holds a hull: IBSI's axis-aligned bounding box.

    Args:
        hull: the body.

    Example:
        >>> from gradatim.radiomics.shape.columns import columns
        >>> from gradatim.radiomics.shape.hull import hull
        >>> import torch
        >>> aligned_box(hull(columns(torch.ones(2, 3, 1, dtype=torch.bool)), spacing=(1.0, 1.0, 2.0))).sides.tolist()
        [2.0, 3.0, 2.0]
    """
    return Box(np.ptp(hull.corners, axis=0), np.eye(3))


def oriented_box(hull: Hull) -> Box:
    """A minimum-volume box in any orientation: IBSI's oriented minimum bounding box.

    The smallest of all boxes that have a face on a face of the hull or across an array axis, every one of them with
    the smallest rectangle across, found exactly; then each axis of the result is kept in turn while the other two are
    found anew, until nothing is gained. So it is never larger than the axis-aligned box. The minimum over all
    orientations may also rest on edges alone (O'Rourke's theorem) and then lies below: a box of all orientations costs
    the cube of the number of edges, and IBSI gives no reference value.
    Source: O'Rourke 1985, doi:10.1007/BF00991005; Chan and Tan 2001, doi:10.1145/376957.376986.

    Args:
        hull: the body.

    Example:
        >>> from gradatim.radiomics.shape.columns import columns
        >>> from gradatim.radiomics.shape.hull import hull
        >>> import torch
        >>> diagonal = torch.eye(9, dtype=torch.bool).unsqueeze(-1)
        >>> body = hull(columns(diagonal), spacing=(1.0, 1.0, 1.0))
        >>> sorted(round(side, 3) for side in oriented_box(body).sides.tolist())
        [0.577, 0.816, 12.021]
    """
    corners, normals = np.ascontiguousarray(hull.corners.T), np.ascontiguousarray(hull.normals.T)
    links = np.concatenate([hull.faces.T, hull.neighbours.T]).astype(np.int64)
    # The hull holds a ball, so that no outline is smaller than the square around that ball's.
    reach = ((hull.corners[hull.faces[:, 0]] - hull.corners.mean(0)) * hull.normals).sum(1).min()
    best = aligned_box(hull)
    axes = np.concatenate([best.axes, _directions(hull.normals)])
    while True:
        heights = widths(corners, axes)
        order = np.argsort(heights, kind="stable")
        heights, frames = heights[order], _frames(axes[order])
        limit = best.volume * (1 - BALANCED)
        frame, cosine, sine, *sides = smallest_box(corners, links, normals, frames, heights, 4 * reach**2, limit)
        if frame < 0:
            return best
        across, first, second = frames[int(frame)]
        axes = np.stack([across, cosine * first + sine * second, cosine * second - sine * first])
        best = Box(np.array([heights[int(frame)], *sides]), axes)


def _frames(axes: np.ndarray) -> np.ndarray:
    # Each axis (a, 3) and two unit vectors across it, (a, 3, 3).
    least = np.eye(3)[np.abs(axes).argmin(1)]
    first = np.cross(least, axes)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([axes, first, np.cross(axes, first)], axis=1)


def _directions(normals: np.ndarray) -> np.ndarray:
    # One of each pair of opposite directions, those of flat faces once.
    one_way = normals * np.where(normals[:, 0] < 0, -1.0, 1.0)[:, None]
    rounded = np.round(one_way * 1e9).astype(np.int64)
    order = np.lexsort(rounded.T)
    new = np.append(True, (np.diff(rounded[order], axis=0) != 0).any(1))
    return one_way[order][new]
