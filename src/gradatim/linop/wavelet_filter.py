"""Orthogonal wavelet filters, computed from the equations that define them."""

import cmath
import itertools
import math
from functools import cache

import numpy as np

from gradatim.base.errors import UsageError

MOST_MOMENTS = 12
"""Beyond it, the roots of the defining polynomial are less and less well found in double precision."""
_SHARPNESS = 257
"""Frequencies at which the phase of a symlet is compared with a straight line."""


@cache
def daubechies(moments: int) -> tuple[float, ...]:
    """The low-pass filter of Daubechies with N vanishing moments and the least delay.

    H(z) = √2·((1 + z)/2)^N·Q(z), where |Q|² = Σₖ C(N − 1 + k, k)·yᵏ with y = sin²(ω/2), and Q keeps the
    roots within the unit circle. The filter is orthonormal to its even shifts, Σₖ h[k]·h[k + 2m] = δₘ, and
    its high-pass partner (−1)ᵏ·h[2N − 1 − k] is blind to polynomials of degree below N.

    Args:
        moments: N from 1 (Haar) to 12.

    Returns:
        2N taps of sum √2.

    Raises:
        UsageError: GD-101 if N is out of range.

    Source:
        Daubechies, Ten Lectures on Wavelets, SIAM 1992, sections 6.1 and 6.4.

    Example:
        >>> [round(tap, 4) for tap in daubechies(2)]
        [0.483, 0.8365, 0.2241, -0.1294]
    """
    return _filter(moments, _inner_roots(moments))


@cache
def symlet(moments: int) -> tuple[float, ...]:
    """The most symmetric orthonormal filter with the moments of :func:`daubechies`.

    For each pair of roots z, 1/z of |Q|² (with their conjugates) one is kept, so that the phase of Q
    departs least, at its worst frequency, from a straight line.

    Args:
        moments: N from 1 to 12. Up to 3 it is the filter of Daubechies or its mirror image.

    Returns:
        2N taps of sum √2; of the filter and its mirror image, equally symmetric, the one whose first half
        holds more energy.

    Raises:
        UsageError: GD-101 if N is out of range.

    Source:
        Daubechies, Ten Lectures on Wavelets, SIAM 1992, section 8.1.1 and table 6.3.

    Example:
        >>> [round(tap, 4) for tap in symlet(4)]
        [-0.0758, -0.0296, 0.4976, 0.8037, 0.2979, -0.0992, -0.0126, 0.0322]
    """
    choices = itertools.product((False, True), repeat=len(_inner_families(moments)))
    return min((_choose(moments, choice) for choice in choices), key=_rank)[1]


def high_pass(low_pass: tuple[float, ...]) -> tuple[float, ...]:
    """The partner filter, g[k] = (−1)ᵏ·h[L − 1 − k], orthonormal to every even shift of h.

    Example:
        >>> high_pass((1.0, 2.0))
        (2.0, -1.0)
    """
    return tuple((-1) ** k * tap for k, tap in enumerate(reversed(low_pass)))


def _inner_roots(moments: int) -> tuple[complex, ...]:
    """Roots z of Q: those of |Q|² within the unit circle, from y = (2 − z − 1/z)/4."""
    if not 1 <= moments <= MOST_MOMENTS:
        raise UsageError(
            "GD-101", given=f"{moments} vanishing moments", allowed=f"1 to {MOST_MOMENTS}", do="4 is a fair choice"
        )
    polynomial = [math.comb(moments - 1 + k, k) for k in reversed(range(moments))]
    halves = (1.0 - 2.0 * complex(y) for y in np.roots(polynomial))  # (z + 1/z)/2
    pairs = ((b - cmath.sqrt(b * b - 1.0), b + cmath.sqrt(b * b - 1.0)) for b in halves)
    return tuple(min(pair, key=abs) for pair in pairs)


def _inner_families(moments: int) -> list[tuple[complex, ...]]:
    """The inner roots, each with its conjugate."""
    upper = [z for z in _inner_roots(moments) if z.imag > 1e-9]
    real = [z for z in _inner_roots(moments) if abs(z.imag) <= 1e-9]
    return [*((complex(z.real),) for z in real), *((z, z.conjugate()) for z in upper)]


def _choose(moments: int, mirrored: tuple[bool, ...]) -> tuple[float, tuple[float, ...]]:
    """Bend of the phase, and the filter, with some families of roots turned to 1/z."""
    families = zip(_inner_families(moments), mirrored, strict=True)
    roots = [1.0 / z if turned else z for family, turned in families for z in family]
    omega = np.linspace(0.0, math.pi, _SHARPNESS)
    phase = sum((np.angle((1 - z * np.exp(-1j * omega)) / (1 - z)) for z in roots), np.zeros_like(omega))
    phase = np.unwrap(phase)
    return float(np.abs(phase - phase[-1] * omega / math.pi).max()), _filter(moments, tuple(roots))


def _rank(candidate: tuple[float, tuple[float, ...]]) -> tuple[float, float]:
    bend, taps = candidate
    return round(bend, 9), -sum(tap * tap for tap in taps[: len(taps) // 2])


def _filter(moments: int, roots: tuple[complex, ...]) -> tuple[float, ...]:
    taps = np.ones(1, dtype=complex)
    for root in (*(-1.0,) * moments, *roots):
        taps = np.convolve(taps, [1.0, -root])
    real = taps.real
    return tuple((real * (math.sqrt(2.0) / real.sum())).tolist())
