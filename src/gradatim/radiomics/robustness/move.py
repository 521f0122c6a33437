"""Image and regions sampled on a grid that is turned, or shifted by less than a voxel."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.interpolation import CubicSpline, Linear
from gradatim.radiomics.robustness.level_sets import highest_level

HALF = 0.5
"""The share of a voxel from which it belongs to a region, and from which a map is known in it."""

_SLACK = 1e-6


@dataclass(frozen=True)
class Rotate:
    """Sample on a grid that is turned about the slice axis, as if the patient had lain turned.

    The new grid has the old spacing, is turned about the old one's centre by ``angle`` from its first to its second
    axis, and is as large as needed to hold all of it; positions in the world stay right. The map is interpolated
    among its known voxels, each region's mask is interpolated linearly and kept from one half on; a voxel that two
    regions claim goes to the larger share. Values of a rotation by 90° are exact where voxels are square. Where the
    preparation resamples again, values are interpolated twice. On the CPU; not differentiable. Source: Zwanenburg
    et al., Sci Rep 9:614 (2019).

    Args:
        angle: degrees.
        interpolation: of the map.

    Raises:
        UsageError: GD-147 if the angle is not finite; when called, GD-103 if map and regions lie on other grids.

    Example:
        >>> grid = Grid((4, 2, 1), (1.0, 1.0, 1.0))
        >>> image = QuantitativeMap(torch.arange(8.0).view(4, 2, 1), torch.ones(4, 2, 1).bool(), grid, "a", "")
        >>> turned, _ = Rotate(90.0)(image, Regions(image.mask.int(), grid))
        >>> turned.value[:, :, 0].tolist()
        [[6.0, 4.0, 2.0, 0.0], [7.0, 5.0, 3.0, 1.0]]
    """

    angle: float
    interpolation: Linear | CubicSpline = Linear()

    def __post_init__(self) -> None:
        if not math.isfinite(self.angle):
            raise UsageError(
                "GD-147", given=f"angle {self.angle}", allowed="a finite angle in degrees", do="give another angle"
            )

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """Image and regions on the turned grid."""
        old = image.grid
        turn = math.radians(self.angle)
        cosine, sine = (0.0 if abs(part) < 1e-12 else part for part in (math.cos(turn), math.sin(turn)))
        edges = np.asarray(old.spacing)
        rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        to_old = rotation * edges / edges[:, None]  # new index → old index, both from the grids' centres
        lengths = np.abs(rotation).T @ (edges * old.shape)
        shape = tuple(max(1, math.ceil(n - _SLACK)) for n in lengths / edges)
        return _sampled(image, regions, to_old, (shape[0], shape[1], old.shape[2]), np.zeros(3), self.interpolation)


@dataclass(frozen=True)
class Shift:
    """Sample on a grid that is shifted by a part of a voxel, as if the patient had lain beside.

    The new grid has the old shape and spacing; the map is interpolated among its known voxels, each region's mask
    is interpolated linearly and kept from one half on. Voxels whose centre leaves the old image are unknown. On the
    CPU; not differentiable. Source: Zwanenburg et al., Sci Rep 9:614 (2019).

    Args:
        voxels: shift along the three axes, in voxels.
        interpolation: of the map.

    Raises:
        UsageError: GD-147 if a shift is not finite; when called, GD-103 if map and regions lie on other grids.

    Example:
        >>> grid = Grid((4, 1, 1), (1.0, 1.0, 1.0))
        >>> image = QuantitativeMap(torch.arange(4.0).view(4, 1, 1), torch.ones(4, 1, 1).bool(), grid, "a", "")
        >>> moved, _ = Shift((0.25, 0.0, 0.0))(image, Regions(image.mask.int(), grid))
        >>> moved.value.flatten().tolist(), float(moved.grid.matrix[0, 3])
        ([0.25, 1.25, 2.25, 3.0], 0.25)
    """

    voxels: tuple[float, float, float]
    interpolation: Linear | CubicSpline = Linear()

    def __post_init__(self) -> None:
        if len(self.voxels) != 3 or not all(math.isfinite(part) for part in self.voxels):
            raise UsageError(
                "GD-147", given=f"shift {self.voxels}", allowed="three finite parts of a voxel", do="give another shift"
            )

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """Image and regions on the shifted grid."""
        return _sampled(image, regions, np.eye(3), image.grid.shape, np.asarray(self.voxels), self.interpolation)


def _sampled(
    image: QuantitativeMap,
    regions: Regions,
    to_old: np.ndarray,
    shape: tuple[int, int, int],
    shift: np.ndarray,
    interpolation: Linear | CubicSpline,
) -> tuple[QuantitativeMap, Regions]:
    """Both on the grid whose index j lies at to_old·(j − centre) + old centre + shift among the old voxels."""
    old = image.grid
    if not old.same_space(regions.grid):
        raise UsageError(
            "GD-103",
            given=f"a map of {old.shape} voxels and regions of {regions.grid.shape}, or with other affines",
            allowed="one grid for both",
            do="resample the label image to the map's grid with nearest neighbours",
        )
    offset = (np.asarray(old.shape) - 1) / 2 + shift - to_old @ ((np.asarray(shape) - 1) / 2)
    affine = old.matrix
    affine[:3, 3] += affine[:3, :3] @ offset
    affine[:3, :3] = affine[:3, :3] @ to_old
    grid = Grid.from_affine(shape, affine)
    points = np.einsum("ij,jxyz->ixyz", to_old, np.indices(shape, float)) + offset[:, None, None, None]
    value, known = _interpolated(image, points, 3 if isinstance(interpolation, CubicSpline) else 1)
    shares = (
        (
            label,
            map_coordinates((regions.labels == label).cpu().double().numpy(), points, order=1, mode="grid-constant"),
        )
        for label in regions.present
    )
    labels = highest_level(shares, shape, HALF - _SLACK).to(regions.labels)
    moved = replace(image, value=value, mask=known, grid=grid, error=None)
    names = {label: regions.name(label) for label in regions.present} | dict(regions.names)
    return moved, replace(regions, labels=labels, grid=grid, names=names)


def _interpolated(image: QuantitativeMap, points: np.ndarray, order: int) -> tuple[Tensor, Tensor]:
    """Values at the points, 0 where they are unknown, and where they are known."""
    known = (image.mask & torch.isfinite(image.value)).cpu().numpy()
    values = np.where(known, image.value.detach().cpu().double().numpy(), 0.0)
    ends = np.asarray(image.grid.shape)[:, None, None, None] - 1
    inside = ((points >= -HALF - _SLACK) & (points <= ends + HALF + _SLACK)).all(axis=0)
    points = np.clip(points, 0, ends)
    found = map_coordinates(values, points, order=order, mode="mirror")
    if not known.all():
        weight = map_coordinates(known.astype(np.float64), points, order=order, mode="mirror")
        inside &= weight >= HALF - _SLACK
        found = found / np.where(inside, weight, 1.0)
    kept = torch.from_numpy(np.where(inside, found, 0.0)).to(image.value)
    return kept, torch.from_numpy(inside).to(image.mask.device)
