"""Where an edge lies, to a fraction of a voxel: a step seen through a Gaussian, fitted to all voxels at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import least_squares
from scipy.special import ndtr
from torch import Tensor

from gradatim.base.errors import InputError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Voxels:
    """The voxels of a region: places in mm and values.

    Args:
        places: (n, 3), mm, from the first voxel of the image.
        values: (n,), float64.
        spacing: voxel edges, mm.
    """

    places: Array
    values: Array
    spacing: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class FittedEdge:
    """An edge found.

    Args:
        distance: (n,), mm, signed distance of each voxel from the edge.
        along: (n,), where on the edge each voxel lies, in the unit of the fit, for groups.
        sigma_mm: width of the Gaussian that explains the step best.
        voxel_mm: voxel edge across it, mm.
    """

    distance: Array
    along: Array
    sigma_mm: float
    voxel_mm: float


def voxels(image: Tensor, mask: Tensor, spacing: tuple[float, float, float], *, fewest: int) -> Voxels:
    """The voxels of a region.

    Args:
        image: (x, y, z).
        mask: (x, y, z), bool.
        spacing: voxel edges, mm.
        fewest: how many there must be.

    Raises:
        InputError: GD-724 if there are fewer, or values are not finite.
    """
    values = image[mask].double()
    if image.shape != mask.shape or len(values) < fewest or not bool(torch.isfinite(values).all()):
        raise InputError(
            "GD-724",
            given=f"a region of {len(values)} voxels in an image of shape {tuple(image.shape)}",
            allowed=f"{fewest} voxels or more, all finite, on the image's grid",
            do="draw a larger region around the edge, wire or bead",
        )
    places = mask.nonzero().double() * torch.tensor(spacing, dtype=torch.float64)
    return Voxels(places.cpu().numpy(), values.cpu().numpy(), spacing)


def fit_plane(region: Voxels) -> FittedEdge:
    """A plane edge, x = p₀ + p₁·y + p₂·z along the axis that crosses it most steeply.

    Args:
        region: voxels on both sides; flat on each.

    Raises:
        InputError: GD-724 if no step stands out of the noise.
    """
    axis = _steepest(region)
    others = [i for i in range(3) if i != axis and np.ptp(region.places[:, i]) > 0]
    across, rest = region.places[:, axis], region.places[:, others]
    centre = rest.mean(0)

    def distance(p: Array) -> Array:
        return (across - p[0] - (rest - centre) @ p[1:]) / np.sqrt(1 + np.square(p[1:]).sum())

    low, high = across.min(), across.max()
    starts = [np.array([low + (high - low) * part, *np.zeros(len(others))]) for part in (0.5, 0.35, 0.65)]
    fitted, sigma = _fit(region, distance, starts, voxel=region.spacing[axis])
    return FittedEdge(distance(fitted), rest[:, 0] if others else np.zeros_like(across), sigma, region.spacing[axis])


def fit_cylinder(region: Voxels) -> FittedEdge:
    """A cylinder along the third axis, slightly tilted at most: circles whose centre moves linearly with z.

    Args:
        region: voxels inside and outside of the rim.

    Raises:
        InputError: GD-724 if no rim stands out of the noise.
    """
    x, y, z = region.places.T
    z = z - z.mean()
    tilted = np.ptp(z) > 0

    def offset(p: Array) -> tuple[Array, Array]:
        dx, dy = (p[3], p[4]) if tilted else (0.0, 0.0)
        return x - p[0] - dx * z, y - p[1] - dy * z

    def distance(p: Array) -> Array:
        return np.hypot(*offset(p)) - p[2]

    middle = np.array([(v.min() + v.max()) / 2 for v in (x, y)])
    reach = min(np.ptp(x), np.ptp(y)) / 2
    starts = [np.array([*middle, reach * part, *([0.0, 0.0] if tilted else [])]) for part in (0.5, 0.7, 0.3)]
    fitted, sigma = _fit(region, distance, starts, voxel=min(region.spacing[:2]))
    u, v = offset(fitted)
    return FittedEdge(distance(fitted), np.arctan2(v, u), sigma, min(region.spacing[:2]))


def _steepest(region: Voxels) -> int:
    """The axis along which the values lie on a slope most, by the region's own least squares."""
    centred = region.places - region.places.mean(0)
    slopes = np.linalg.lstsq(centred, region.values - region.values.mean(), rcond=None)[0]
    return int(np.argmax(np.abs(slopes) * (np.ptp(centred, axis=0) > 0)))


def _fit(
    region: Voxels, distance: Callable[[Array], Array], starts: list[Array], *, voxel: float
) -> tuple[Array, float]:
    """Least squares of low + (high − low)·Φ(distance/σ); the best of several starts."""
    values = region.values

    def levels(p: Array) -> tuple[Array, Array]:
        # low and high enter linearly and are solved for, so that only the geometry is searched
        step = ndtr(distance(p[:-1]) / np.exp(p[-1]))
        design = np.stack((np.ones_like(step), step), 1)
        found = np.linalg.lstsq(design, values, rcond=None)[0]
        return design @ found, found

    best = min(
        (least_squares(lambda p: levels(p)[0] - values, np.array([*s, np.log(voxel)]), x_scale="jac") for s in starts),
        key=lambda result: float(result.cost),
    )
    noise = np.sqrt(2 * best.cost / len(values))
    height = abs(levels(best.x)[1][1])
    share = np.mean(distance(best.x[:-1]) > 0)
    if not (height > noise and 0.02 < share < 0.98):
        raise InputError(
            "GD-724",
            given=f"a step of {height:.3g} beside a deviation of {noise:.3g}, {100 * share:.0f} % of voxels above it",
            allowed="a step above the deviation, with voxels on both sides",
            do="draw the region around one edge, flat on both sides",
        )
    return best.x[:-1], float(np.exp(best.x[-1]))
