"""Where a wire lies in each slice, to a fraction of a voxel."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from gradatim.base.errors import InputError
from gradatim.radiomics.blur.edge_fit import Voxels

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A line along the third axis, slightly tilted at most.

    Args:
        distance: (n,), mm, of each voxel from the line, in the plane.
        angle: (n,), rad, direction of each voxel from the line.
        sigma_mm: width of the Gaussian that explains it best.
        background: value far from the line.
    """

    distance: Array
    angle: Array
    sigma_mm: float
    background: float


def fit_line(region: Voxels) -> FittedLine:
    """Least squares of background + height·exp(−r²/2σ²), r the distance from x = p₀ + p₂·z, y = p₁ + p₃·z.

    Args:
        region: the voxels around one wire.

    Raises:
        InputError: GD-724 if no point stands out of the noise.
    """
    x, y, z = region.places.T
    z = z - z.mean()
    tilted = np.ptp(z) > 0

    def offset(p: Array) -> tuple[Array, Array]:
        dx, dy = (p[2], p[3]) if tilted else (0.0, 0.0)
        return x - p[0] - dx * z, y - p[1] - dy * z

    def model(p: Array) -> tuple[Array, Array]:
        u, v = offset(p)
        bell = np.exp(-0.5 * (u**2 + v**2) / np.exp(2 * p[-1]))
        basis = np.stack((np.ones_like(bell), bell), 1)
        found = np.linalg.lstsq(basis, region.values, rcond=None)[0]
        return basis @ found, found

    weight = np.abs(region.values - np.median(region.values)) ** 2
    weight = weight / max(float(weight.sum()), 1e-300)
    width = np.log(min(region.spacing[:2]))
    start = np.array([weight @ x, weight @ y, *([0.0, 0.0] if tilted else []), width])
    result = least_squares(lambda p: model(p)[0] - region.values, start, x_scale="jac")
    noise = np.sqrt(2 * result.cost / len(region.values))
    background, height = model(result.x)[1]
    u, v = offset(result.x)
    distance, sigma = np.hypot(u, v), float(np.exp(result.x[-1]))
    inside = distance.min() < min(region.spacing[:2]) and sigma < np.ptp(distance) / 2
    if not (abs(height) > 3 * noise and inside):
        raise InputError(
            "GD-724",
            given=f"a point of {abs(height):.3g} and {sigma:.3g} mm beside a deviation of {noise:.3g}",
            allowed="a point of three times the deviation or more, well inside its region",
            do="draw the region around one wire or bead, several times as wide as it",
        )
    return FittedLine(distance, np.arctan2(v, u), sigma, float(background))
