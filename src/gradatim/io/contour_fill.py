"""Which pixel centres of a slice lie inside closed contours."""

from collections.abc import Iterable

import numpy as np

from gradatim.base.errors import UnsafeInputError

MAX_CROSSINGS = 50_000_000
"""How often the contours of one slice may cross lines of pixel centres."""


def inside_contours(shape: tuple[int, int], contours: Iterable[np.ndarray]) -> np.ndarray:
    """Pixels whose centre lies inside an odd number of turns of the contours (even-odd rule).

    A contour within another cuts a hole, one beside it adds a part, and an island within a hole counts again. For
    every line of centres y = j, the pixels from each crossing x onwards, i ≥ x, change sides; a crossing is counted
    where min(y₀, y₁) < j ≤ max(y₀, y₁), so that no vertex is counted twice and adjoining contours share no pixel.

    Args:
        shape: number of pixels along x and y; pixel (i, j) has its centre at the point (i, j).
        contours: each (point, 2), pixel coordinates x, y; the last point joins the first.

    Returns:
        (x, y), bool.

    Raises:
        UnsafeInputError: GD-431 if the contours cross more lines of centres than a drawing does.

    Example:
        >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        >>> int(inside_contours((6, 6), [4 * square + 0.5, 2 * square + 1.5]).sum())
        12
    """
    width, height = shape
    turns = np.zeros((width + 1, height), np.int32)
    crossings = 0
    for contour in contours:
        start = np.asarray(contour, np.float64)
        end = np.roll(start, -1, axis=0)
        low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
        first = np.clip(np.floor(low) + 1, 0, height).astype(np.int64)
        count = np.clip(np.floor(high), -1, height - 1).astype(np.int64) - first + 1
        count = np.maximum(count, 0)
        crossings += int(count.sum())
        if crossings > MAX_CROSSINGS:
            raise UnsafeInputError(
                "GD-431",
                given=f"contours that cross more than {MAX_CROSSINGS} lines of pixels in one slice",
                allowed="contours such as a person or a program draws",
                do="get the structure set again from its source",
            )
        edge = np.repeat(np.arange(len(start)), count)
        line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        slope = (end[edge, 0] - start[edge, 0]) / (end[edge, 1] - start[edge, 1])
        x = start[edge, 0] + (line - start[edge, 1]) * slope
        np.add.at(turns, (np.clip(np.ceil(x), 0, width).astype(np.int64), line), 1)
    return np.cumsum(turns[:-1], axis=0) % 2 == 1
