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

LONGEST_REACH = 64
"""Voxels in a radius: the work grows with the square of it, the memory with its cube, and this takes seconds."""


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


def sphere_bars(spacing: tuple[float, float, float], *, radius_mm: float) -> Tensor:
    """A sphere as bars of voxels along y, each voxel by its centre.

    Args:
        spacing: voxel edges, mm.
        radius_mm: of the sphere, mm.

    Returns:
        (r + 1, t + 1), int64: how many voxels a bar reaches to either side, at 0 … r voxels along x and 0 … t along z
        from the centre; −1 where there is no bar.

    Example:
        >>> sphere_bars((1.0, 1.0, 2.0), radius_mm=2.0).tolist()
        [[2, 0], [1, -1], [0, -1]]
    """
    far, _, deep = (math.floor(radius_mm / edge) for edge in spacing)
    bars = torch.full((far + 1, deep + 1), -1)
    for x, z in itertools.product(range(far + 1), range(deep + 1)):
        left = radius_mm**2 - (x * spacing[0]) ** 2 - (z * spacing[2]) ** 2
        if left >= 0:
            bars[x, z] = math.floor(math.sqrt(left) / spacing[1])
    return bars


def sphere_sums(volume: Tensor, bars: Tensor) -> Tensor:
    """The sum (x, y, z) over the sphere around every voxel; differentiable, on any device.

    Args:
        volume: (x + 2r, y + 2s, z + 2t), float64, with a margin of the sphere's reach on every side.
        bars: (r + 1, t + 1), from :func:`sphere_bars`.
    """
    far, long, deep = _reach(bars)
    x, y, z = (size - 2 * reach for size, reach in zip(volume.shape, (far, long, deep), strict=True))
    # With zeros in front, what lies in places a … b − 1 is the difference of the running sums at b and a.
    running = torch.nn.functional.pad(volume.cumsum(1), (0, 0, 1, 0))
    total = volume.new_zeros((x, y, z))
    for i, k in itertools.product(range(-far, far + 1), range(-deep, deep + 1)):
        half = int(bars[abs(i), abs(k)])
        if half >= 0:
            rows = running[far + i : far + i + x, :, deep + k : deep + k + z]
            total = total + rows[:, long + half + 1 : long + half + 1 + y] - rows[:, long - half : long - half + y]
    return total


def _reach(bars: Tensor) -> tuple[int, int, int]:
    return bars.shape[0] - 1, int(bars.max()), bars.shape[1] - 1


def sphere_means(roi: Roi, around: Surroundings) -> Tensor:
    """Mean (n,), float64, of the known voxels within the radius of each voxel that has an intensity.

    Cost: about a hundred additions for each voxel of the region's box if voxels have 1 mm³; it grows with the square of
    their number in a length. Memory: a few times the box with the sphere's reach around it.

    Args:
        roi: the region.
        around: the map that it lies in.
    """
    bars = sphere_bars(roi.spacing, radius_mm=RADIUS_MM)
    reach = _reach(bars)
    ends = zip(around.origin, roi.values.shape, reach, around.values.shape, strict=True)
    cut = [(start - far, start + size + far, whole) for start, size, far, whole in ends]
    inside = tuple(slice(max(first, 0), min(behind, whole)) for first, behind, whole in cut)
    outside = [side for first, behind, whole in reversed(cut) for side in (max(-first, 0), max(behind - whole, 0))]
    values = around.values[inside].to(torch.float64)
    known = around.known[inside] & torch.isfinite(values)
    if bool(known.all()) and not any(outside):
        whole_sphere = torch.ones([2 * far + 1 for far in reach], dtype=torch.float64)
        return _sums(values, bars).masked_select(roi.intensity) / float(_sums(whole_sphere, bars))
    volumes = (torch.where(known, values, 0.0), known.to(torch.float64))
    total, voxels = (_sums(torch.nn.functional.pad(volume, outside), bars) for volume in volumes)
    return total.masked_select(roi.intensity) / voxels.masked_select(roi.intensity)


def _sums(volume: Tensor, bars: Tensor) -> Tensor:
    if volume.device.type != "cpu" or volume.requires_grad:
        return sphere_sums(volume, bars)
    sums = np.zeros([size - 2 * far for size, far in zip(volume.shape, _reach(bars), strict=True)])
    add_sphere_sums(volume.contiguous().numpy(), bars.numpy(), sums)
    return torch.from_numpy(sums)


@dataclass(frozen=True)
class LocalIntensity(Family):
    """Local intensity, family 9ST6. Source: IBSI reference manual, arXiv:1612.07003.

    The sphere has 1 cm³ and takes each voxel whose centre lies in it and whose value the map knows, in the region or
    not; its centre is a voxel of the region that has an intensity. Voxels below 0.1 mm are too many in a sphere.
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
        reach = math.floor(RADIUS_MM / min(roi.spacing))
        if reach > LONGEST_REACH:
            return Undefined(
                f"the sphere of 1 cm³ has a radius of {reach} voxels, more than {LONGEST_REACH}: "
                "resample to larger voxels"
            )
        return (Peaks(roi.intensities, sphere_means(roi, roi.surroundings)),)
