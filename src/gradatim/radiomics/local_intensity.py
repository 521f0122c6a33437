"""Local intensity: the mean in a sphere of 1 cm³ around the brightest voxel, and the brightest such sphere."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.local_intensity_kernel import add_sphere_sums
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import NO_INTENSITIES, Roi, Surroundings
from gradatim.radiomics.undefined import Undefined

_FRINGS = "Frings 2014, doi:10.1148/radiol.14132807"

RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)
"""Radius of a sphere of 1 cm³, 6.2 mm."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """Each voxel's intensity, and the mean of the sphere around it. Differentiable in the means.

    Args:
        values: (n,), the intensities.
        means: (n,), float64, mean over the voxels whose centres lie within the radius, inside the region or not.
    """

    values: Tensor
    means: Tensor

    @cached_property
    def at_maximum(self) -> Tensor:
        """The highest mean () around a voxel of the highest intensity."""
        return self.means[self.values == self.values.max()].max()


def sphere_columns(spacing: tuple[float, float, float], *, radius_mm: float) -> tuple[Tensor, tuple[int, int, int]]:
    """A sphere as columns of voxels along z, each voxel by its centre.

    Args:
        spacing: voxel edges, mm.
        radius_mm: of the sphere, mm.

    Returns:
        Columns (c, 4), int64: first voxel along x and y, first and behind the last along z, counted from the corner
        of the box around the sphere; and how far that box reaches from the centre, in voxels.

    Example:
        >>> columns, reach = sphere_columns((1.0, 1.0, 2.0), radius_mm=1.0)
        >>> columns.tolist(), reach
        ([[0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1], [1, 2, 0, 1], [2, 1, 0, 1]], (1, 1, 0))
    """
    x, y, z = (math.floor(radius_mm / edge) for edge in spacing)
    columns = []
    for i, j in itertools.product(range(-x, x + 1), range(-y, y + 1)):
        left = radius_mm**2 - (i * spacing[0]) ** 2 - (j * spacing[1]) ** 2
        if left >= 0:
            half = math.floor(math.sqrt(left) / spacing[2])
            columns.append((i + x, j + y, z - half, z + half + 1))
    return torch.tensor(columns), (x, y, z)


def sphere_sums(running: Tensor, columns: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The sum over a sphere around every voxel; differentiable, on any device.

    Args:
        running: (x + 2r, y + 2s, z + 2t + 1), float64, the volume with a margin of the sphere's reach, summed along z
            and beginning with a plane of zeros.
        columns: (c, 4), from :func:`sphere_columns`.
        shape: (x, y, z).
    """
    x, y, z = shape
    total = running.new_zeros(shape)
    for i, j, first, behind in columns.tolist():
        rows = running[i : i + x, j : j + y]
        total = total + (rows[..., behind : behind + z] - rows[..., first : first + z])
    return total


def sphere_means(roi: Roi, around: Surroundings) -> Tensor:
    """Mean (n,), float64, of the known voxels within the radius of each voxel that has an intensity.

    Cost: one addition a column of the sphere and voxel, 121 columns for voxels of 1 mm³, on the CPU compiled. Memory:
    a few times the region's box with the sphere's reach around it.

    Args:
        roi: the region.
        around: the map that it lies in.
    """
    columns, reach = sphere_columns(roi.spacing, radius_mm=RADIUS_MM)
    ends = zip(around.origin, roi.values.shape, reach, around.values.shape, strict=True)
    cut = [(start - far, start + size + far, whole) for start, size, far, whole in ends]
    inside = tuple(slice(max(first, 0), min(behind, whole)) for first, behind, whole in cut)
    margin = [(max(-first, 0), max(behind - whole, 0)) for first, behind, whole in cut]
    values = around.values[inside].to(torch.float64)
    known = around.known[inside] & torch.isfinite(values)
    outside = [side for sides in reversed(margin) for side in sides]
    sums = _sums(torch.where(known, values, 0.0), outside, columns, roi.intensity)
    if bool(known.all()) and not any(outside):
        return sums / int((columns[:, 3] - columns[:, 2]).sum())
    return sums / _sums(known.to(torch.float64), outside, columns, roi.intensity)


def _sums(volume: Tensor, outside: list[int], columns: Tensor, centres: Tensor) -> Tensor:
    """The sums (n,) over the spheres around the centres; the volume is 0 outside itself."""
    # The plane of zeros in front makes the sum of voxels a … b − 1 the difference of places b and a.
    running = torch.nn.functional.pad(volume, [outside[0] + 1, *outside[1:]]).cumsum(-1)
    if running.device.type != "cpu" or running.requires_grad:
        x, y, z = centres.shape
        return sphere_sums(running, columns, (x, y, z))[centres]
    sums = np.zeros(centres.shape)
    add_sphere_sums(running.numpy(), centres.numpy(), columns.numpy(), sums)
    return torch.from_numpy(sums)[centres]


@dataclass(frozen=True)
class LocalIntensity(Family):
    """Local intensity, family 9ST6. Source: IBSI reference manual, arXiv:1612.07003.

    The sphere has 1 cm³ and takes each voxel whose centre lies in it and whose value the map knows, in the region or
    not; its centre is a voxel of the region that has an intensity.
    """

    id = "local_intensity"
    name = "Local intensity"
    code = "9ST6"
    features = (
        FeatureRecord(
            "local_intensity_peak",
            "Local intensity peak",
            "VJGA",
            Unit(intensity=1),
            "mean in the sphere around the voxel with the highest intensity; of several the highest mean",
            lambda p: p.at_maximum,
            _FRINGS,
        ),
        FeatureRecord(
            "global_intensity_peak",
            "Global intensity peak",
            "0F91",
            Unit(intensity=1),
            "highest mean in a sphere around a voxel",
            lambda p: p.means.max(),
            _FRINGS,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Peaks] | Undefined:
        """The region's intensities and the means around them, as one :class:`Peaks`."""
        if roi.intensities.numel() == 0:
            return Undefined(NO_INTENSITIES)
        if roi.surroundings is None:
            return Undefined("the map around the region is not known")
        return (Peaks(roi.intensities, sphere_means(roi, roi.surroundings)),)
