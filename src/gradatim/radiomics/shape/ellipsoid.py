"""Ellipsoids: their size, and the smallest one around given points."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import elliprg

STEPS = 100
"""Interior-point steps at most; some 15 are taken."""

SHRINK = 0.1
"""How much smaller each step wants the complementarity."""

FRACTION = 0.95
"""How far a step goes towards the border."""

PAIRS = tuple((i, j) for i in range(4) for j in range(i, 4))
"""The ten independent entries of a symmetric 4 × 4 matrix."""

_ROWS, _COLUMNS = (np.array(side) for side in zip(*PAIRS, strict=True))
_SCALE = np.where(_ROWS == _COLUMNS, 1.0, math.sqrt(2))  # makes the trace of a product the dot product of the entries
_UNITS = np.zeros((10, 4, 4))
_UNITS[np.arange(10), _ROWS, _COLUMNS] = _UNITS[np.arange(10), _COLUMNS, _ROWS] = 1 / _SCALE


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An ellipsoid by its semi-axes.

    Args:
        semi_axes: three, longest first, mm; zero where it is flat.

    Example:
        >>> ball = Ellipsoid((2.0, 2.0, 2.0))
        >>> round(ball.volume / math.pi, 6), round(ball.area / math.pi, 6), round(Ellipsoid((1.0, 1.0, 0.0)).area, 6)
        (10.666667, 16.0, 6.283185)
    """

    semi_axes: tuple[float, float, float]

    @property
    def volume(self) -> float:
        """4π/3·abc, mm³."""
        return 4 / 3 * math.pi * math.prod(self.semi_axes)

    @property
    def area(self) -> float:
        """4π·R_G(a²b², a²c², b²c²), Carlson's elliptic integral, mm²; exact.

        Source: Carlson 1995, doi:10.1007/BF02198293.
        """
        a, b, c = self.semi_axes
        scale = a * b
        if scale == 0:
            return 0.0
        return 4 * math.pi * scale * float(elliprg(1.0, (c / b) ** 2, (c / a) ** 2))

    @property
    def ibsi_area(self) -> float:
        """4πab·Σ (αβ)^ν P_ν((α² + β²)/(2αβ))/(1 − 4ν²), ν to 20, as the IBSI manual prints it, mm².

        The manual's α² = 1 − b²/a² and β² = 1 − c²/a² give the area of the ellipsoid only if it is a ball; with
        1 − c²/a² and 1 − c²/b² the sum would be the area. IBSI's reference values are those of the printed formula
        (on its digital phantom 4 % below the area, and less than that of a ball of the same volume), so it stands.
        """
        a, b, c = self.semi_axes
        if a * b == 0:
            return 0.0
        alpha, beta = 1 - (b / a) ** 2, 1 - (c / a) ** 2
        before, term, total = 0.0, 1.0, 1.0
        for n in range(20):  # Bonnet's recursion of the polynomials times (αβ)^ν, which needs no division by αβ
            after = ((2 * n + 1) * (alpha + beta) / 2 * term - n * alpha * beta * before) / (n + 1)
            before, term = term, after
            total += term / (1 - 4 * (n + 1) ** 2)
        return 4 * math.pi * a * b * total


def enclosing_ellipsoid(points: np.ndarray, *, tolerance: float = 1e-9) -> Ellipsoid:
    """The minimum-volume ellipsoid around points, to a proved tolerance: IBSI's MVEE.

    max log det H over 4 × 4 matrices with qᵀHq ≤ 1 for the lifted points q = (p, 1), by a primal-dual interior-point
    method: ten unknowns, whatever the number of points. Its multipliers, as weights u with Σu = 1, give the centre
    Σup and the scatter S; with excess ε = max qᵀ(Σu qqᵀ)⁻¹q/4 − 1 the ellipsoid, blown up to hold all points, is
    at most (1 + 4ε/3)^(3/2) times as large as the smallest. About 15 steps of ten unknowns each.
    Source: Khachiyan 1996, doi:10.1287/moor.21.2.307; Vandenberghe 1998, doi:10.1137/S0895479896303430.

    Args:
        points: (n, 3), not all in one plane.
        tolerance: the largest ε.

    Example:
        >>> cube = np.array([[x, y, z] for x in (0, 2) for y in (0, 2) for z in (0, 2)], dtype=float)
        >>> [round(axis, 6) for axis in enclosing_ellipsoid(cube).semi_axes]
        [1.732051, 1.732051, 1.732051]
    """
    centred = points - points.mean(0)
    root = np.linalg.cholesky(centred.T @ centred / len(points))
    white = np.linalg.solve(root, centred.T).T
    white /= np.linalg.norm(white, axis=1).max()
    weights = _weights(white, tolerance)
    arms = points - weights @ points
    scatter = arms.T @ (arms * weights[:, None])
    reach = (arms * np.linalg.solve(scatter, arms.T).T).sum(1).max()
    a, b, c = np.sqrt(np.linalg.eigvalsh(scatter)[::-1] * reach)
    return Ellipsoid((float(a), float(b), float(c)))


def _weights(points: np.ndarray, tolerance: float) -> np.ndarray:
    # Points in the unit ball. Unknowns: H by its ten entries, a multiplier u and a slack s = 1 − qᵀHq a point.
    lifted = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    squares = lifted[:, _ROWS] * lifted[:, _COLUMNS] * _SCALE
    matrix, u = 0.45 * np.eye(4), np.full(len(points), 4 / len(points))
    slack = 1 - squares @ (matrix[_ROWS, _COLUMNS] * _SCALE)
    for _ in range(STEPS):
        weighted = np.linalg.inv(lifted.T @ (lifted * u[:, None]) / u.sum())
        if ((lifted @ weighted) * lifted).sum(1).max() <= 4 * (1 + tolerance):
            break
        inverse = np.linalg.inv(matrix)
        curvature = np.einsum("kab,bc,lcd,da->kl", _UNITS, inverse, _UNITS, inverse)
        target = SHRINK * (u @ slack) / len(points)
        slope = inverse[_ROWS, _COLUMNS] * _SCALE - squares.T @ (target / slack)
        step = np.linalg.solve(curvature + (squares.T * (u / slack)) @ squares, slope)
        moved = -(squares @ step)
        grown = (target - u * slack - u * moved) / slack
        turn = np.einsum("k,kab->ab", step, _UNITS)
        shrunk = np.linalg.eigvals(inverse @ turn).real.min()
        free = min(1.0, FRACTION / max(-shrunk, (-moved / slack).max(), FRACTION))
        matrix, slack = matrix + free * turn, slack + free * moved
        u = u + min(1.0, FRACTION / max((-grown / u).max(), FRACTION)) * grown
    return u / u.sum()
