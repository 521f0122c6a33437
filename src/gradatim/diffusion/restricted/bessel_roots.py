"""Where the derivatives of Bessel functions vanish: the modes of cylinders and spheres with reflecting walls."""

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import jvp, spherical_jn

_Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_GRID = 0.2
_HALVINGS = 60


@functools.lru_cache(maxsize=4096)
def cylinder_roots(order: int, cutoff: int) -> NDArray[np.float64]:
    """All α > 0 up to a cutoff with J_n′(α) = 0, increasing.

    Args:
        order: n, ≥ 0.
        cutoff: largest α.

    Source:
        Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, 9.5 (table 9.5: 1.84118, 5.33144, 8.53632).

    Example:
        >>> [round(root, 5) for root in cylinder_roots(1, 10).tolist()]
        [1.84118, 5.33144, 8.53632]
    """
    return _roots(lambda x: jvp(order, x), order, cutoff)


@functools.lru_cache(maxsize=4096)
def sphere_roots(order: int, cutoff: int) -> NDArray[np.float64]:
    """All α > 0 up to a cutoff with j_n′(α) = 0, increasing.

    Args:
        order: n, ≥ 0.
        cutoff: largest α.

    Source:
        Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, table 10.7 (2.08158, 5.94037, 9.20584).

    Example:
        >>> [round(root, 5) for root in sphere_roots(1, 10).tolist()]
        [2.08158, 5.94037, 9.20584]
    """
    return _roots(lambda x: spherical_jn(order, x, derivative=True), order, cutoff)


def _roots(function: _Function, order: int, cutoff: int) -> NDArray[np.float64]:
    """Sign changes on a grid that is finer than the roots' spacing, halved until nothing changes."""
    start = max(float(order), 0.5)
    if cutoff <= start:
        return np.empty(0)
    grid = np.linspace(start, cutoff, 2 + math.ceil((cutoff - start) / _GRID))
    values = function(grid)
    change = np.flatnonzero(np.sign(values[1:]) * np.sign(values[:-1]) < 0)
    low, high, sign = grid[change], grid[change + 1], np.sign(values[change])
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = np.sign(function(middle)) == sign
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)
