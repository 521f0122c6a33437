"""Uniform cubic B-splines fitted to scattered samples, part by part, so that parts can be left out."""

import numpy as np
from scipy.sparse import csr_array

Array = np.ndarray

STIFFNESS = 1e-7
"""Weight of the second differences beside the data, relative to a knot's data; it bridges gaps and shifts nothing."""


def cubic(u: Array) -> Array:
    """The cubic B-spline β³(u): support (−2, 2), integral 1.

    Args:
        u: any shape, in knots.

    Example:
        >>> [round(float(v), 6) for v in cubic(np.array([0.0, 1.0, 2.0]))]
        [0.666667, 0.166667, 0.0]
    """
    a = np.abs(u)
    near, far = 2 / 3 - a**2 * (1 - a / 2), np.clip(2 - a, 0, None) ** 3 / 6
    return np.where(a < 1, near, far)


def design(u: Array, knots: int) -> csr_array:
    """The four B-splines that each sample sees, (sample, knots + 3); spline j stands at knot j − 1.

    Args:
        u: (n,), places in knots, 0 to ``knots``.
        knots: intervals between knots.
    """
    base = np.clip(np.floor(u).astype(int), 0, knots - 1)
    columns = base[:, None] + np.arange(4)
    weights = cubic(u[:, None] - (columns - 1))
    rows = np.arange(0, 4 * len(u) + 1, 4)
    return csr_array((weights.ravel(), columns.ravel(), rows), shape=(len(u), knots + 3))


def fit_without_each(matrix: csr_array, values: Array, group: Array, *, parts: int) -> Array:
    """Least squares from all samples, then without each part: coefficients (1 + parts, columns).

    Args:
        matrix: (sample, columns).
        values: (sample,).
        group: (sample,), which part each belongs to, 0 … parts − 1.
        parts: how many there are.
    """
    grams, sides = [], []
    for part in range(parts):
        some = matrix[group == part]
        grams.append((some.T @ some).toarray())
        sides.append(some.T @ values[group == part])
    whole, side = np.sum(grams, axis=0), np.sum(sides, axis=0)
    columns = len(side)
    bend = np.diff(np.eye(columns), n=2, axis=0)
    stiff = STIFFNESS * np.trace(whole) / columns * (bend.T @ bend)
    left = [(whole, side), *((whole - g, side - s) for g, s in zip(grams, sides, strict=True))]
    return np.stack([np.linalg.lstsq(g + stiff, s, rcond=1e-13)[0] for g, s in left])


def parts_along(along: Array, *, parts: int) -> Array:
    """Equally many samples a part, in the order of a coordinate: part (n,), 0 … parts − 1.

    Args:
        along: (n,).
        parts: how many.

    Example:
        >>> parts_along(np.array([3.0, 1.0, 2.0, 0.0]), parts=2).tolist()
        [1, 0, 1, 0]
    """
    order = np.empty(len(along), dtype=int)
    order[np.argsort(along, kind="stable")] = np.arange(len(along))
    return order * parts // max(len(along), 1)
