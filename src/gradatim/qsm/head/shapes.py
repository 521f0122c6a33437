"""Signed distances of simple solids, and how much of a voxel lies inside one.

A signed distance is negative inside, positive outside, in the unit of the coordinates. Points are three
tensors (x, y, z) of one shape.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

Point = tuple[float, float, float]
Points = tuple[Tensor, Tensor, Tensor]


def ellipsoid(p: Points, centre: Point, semi: Point, *, turn: float = 0.0) -> Tensor:
    """Signed distance of an ellipsoid, exact on its surface and to first order near it.

    Formula: with a = |q/s| and b = |q/s²|, q relative to the centre, d ≈ a·(a − 1)/b.

    Args:
        p: points.
        centre: its centre.
        semi: its three semi-axes s > 0.
        turn: rotation about the third axis, rad, counter-clockwise.
    """
    x, y, z = (c - o for c, o in zip(p, centre, strict=True))
    if turn:
        cosine, sine = math.cos(turn), math.sin(turn)
        x, y = cosine * x + sine * y, cosine * y - sine * x
    squares = [(c / s).square_() for c, s in zip((x, y, z), semi, strict=True)]
    shortest = min(semi)
    # the small constants make the centre, where 0/0 stands, lie ``shortest`` inside
    first = torch.add(squares[0], squares[1]).add_(squares[2]).add_(1e-10)
    second = (squares[0] / semi[0] ** 2).add_(1e-10 / shortest**2)
    second.add_(squares[1], alpha=semi[1] ** -2).add_(squares[2], alpha=semi[2] ** -2)
    return torch.sub(first, first.sqrt()).div_(second.sqrt_())


def tube(p: Points, path: Sequence[tuple[float, float, float, float]]) -> Tensor:
    """Signed distance of a bent tube with round ends.

    Args:
        p: points.
        path: at least two stations (x, y, z, radius); the radius varies linearly between them.
    """
    return union(*(_cone(p, start, end) for start, end in itertools.pairwise(path)))


def _cone(p: Points, start: tuple[float, ...], end: tuple[float, ...]) -> Tensor:
    along = [e - s for s, e in zip(start[:3], end[:3], strict=True)]
    squared = sum(a * a for a in along)
    q = [c - s for c, s in zip(p, start[:3], strict=True)]
    where = torch.mul(q[0], along[0] / squared)
    where.add_(q[1], alpha=along[1] / squared).add_(q[2], alpha=along[2] / squared).clamp_(0.0, 1.0)
    away = torch.zeros_like(where)
    for c, a in zip(q, along, strict=True):
        away.add_(c.sub_(where, alpha=a).square_())
    return away.sqrt_().sub_(where, alpha=end[3] - start[3]).sub_(start[3])


def union(*solids: Tensor) -> Tensor:
    """All of several solids, by their signed distances."""
    result = solids[0]
    for solid in solids[1:]:
        result = torch.minimum(result, solid)
    return result


def blend(first: Tensor, second: Tensor, width: float) -> Tensor:
    """Union of two solids whose crease is filled over ``width``: a smooth minimum of their distances."""
    overlap = (width - (first - second).abs()).clamp_min_(0.0) / width
    return torch.minimum(first, second) - overlap * overlap * (width / 4.0)


def without(solid: Tensor, hole: Tensor) -> Tensor:
    """A solid less another, by their signed distances."""
    return torch.maximum(solid, -hole)


def fraction_inside(distance: Tensor, width: float) -> Tensor:
    """Fraction of a voxel inside a solid whose surface passes at ``distance`` from the voxel's centre.

    Formula: ½ − d/w between 0 and 1, exact for a flat surface parallel to a face of a cubic voxel of edge w.
    """
    return (0.5 - distance / width).clamp_(0.0, 1.0)


def fraction_in_thin_tube(p: Points, path: Sequence[tuple[float, float, float, float]], width: float) -> Tensor:
    """Fraction of a voxel filled by a tube that may be thinner than the voxel.

    A tube narrower than a voxel is drawn half a voxel in radius, and every tube is diluted, so that the
    volume per length stays π r²: the soft profile drawn with radius R holds π (R² + w²/12).
    """
    parts = []
    for start, end in itertools.pairwise(path):
        radius = 0.5 * (start[3] + end[3])
        drawn = max(radius, 0.5 * width)
        dilution = radius * radius / (drawn * drawn + width * width / 12.0)
        parts.append(fraction_inside(_cone(p, (*start[:3], drawn), (*end[:3], drawn)), width).mul_(dilution))
    return torch.stack(parts).amax(dim=0)
