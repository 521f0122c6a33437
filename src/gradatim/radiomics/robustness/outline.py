"""Regions drawn larger, smaller or by another hand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.boxes import Box
from gradatim.radiomics.robustness.level_sets import border_distance, centre_distance, distances, relabelled
from gradatim.radiomics.robustness.perturbation import stream

_ROUNDING_MM = 1e-6


@dataclass(frozen=True)
class Dilate:
    """Draw every region larger by a distance; the image stays.

    Dilation with a ball: a voxel belongs to a region if its centre lies no further than ``distance_mm`` from the
    centre of one of the region's voxels (Euclidean, by the voxel edges). A voxel that two regions reach goes to the
    nearer one. A distance below the smallest voxel edge changes nothing.

    Args:
        distance_mm: mm, > 0.

    Raises:
        UsageError: GD-147 for another distance.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> grid = Grid((5, 1, 1), (1.0, 1.0, 1.0))
        >>> regions = Regions(torch.tensor([0, 0, 1, 0, 0]).view(5, 1, 1), grid)
        >>> image = QuantitativeMap(torch.zeros(5, 1, 1), torch.ones(5, 1, 1).bool(), grid, "a", "")
        >>> Dilate(1.0)(image, regions)[1].labels.flatten().tolist()
        [0, 1, 1, 1, 0]
    """

    distance_mm: float

    def __post_init__(self) -> None:
        _require_length(self.distance_mm, "distance")

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """The image as it is, and the larger regions."""
        return image, _moved_out(regions, self.distance_mm + _ROUNDING_MM)


@dataclass(frozen=True)
class Erode:
    """Draw every region smaller by a distance; the image stays.

    Erosion with a ball: a voxel stays in a region if the centre of each voxel outside lies further than
    ``distance_mm`` from its own; beyond the image's border a region is taken to go on. A region may vanish; its
    features are then undefined, with a reason.

    Args:
        distance_mm: mm, > 0.

    Raises:
        UsageError: GD-147 for another distance.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> grid = Grid((5, 1, 1), (1.0, 1.0, 1.0))
        >>> regions = Regions(torch.tensor([2, 2, 2, 0, 0]).view(5, 1, 1), grid)
        >>> image = QuantitativeMap(torch.zeros(5, 1, 1), torch.ones(5, 1, 1).bool(), grid, "a", "")
        >>> Erode(1.0)(image, regions)[1].labels.flatten().tolist()
        [2, 2, 0, 0, 0]
    """

    distance_mm: float

    def __post_init__(self) -> None:
        _require_length(self.distance_mm, "distance")

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """The image as it is, and the smaller regions."""
        return image, _moved_out(regions, -self.distance_mm - _ROUNDING_MM)


@dataclass(frozen=True)
class ChangeVolume:
    """Draw every region larger or smaller by a share of its volume; the image stays.

    Voxels join in the order of their distance outside of the border, or leave in the order of their distance inside
    of it, until the number of voxels is round((1 + share)·n); of one distance, by their place in the array. A region
    keeps at least one voxel. Source: Zwanenburg et al., Sci Rep 9:614 (2019), "volume adaptation".

    Args:
        share: change of the volume, above −1 and at most 10, e.g. −0.1 for a tenth less.

    Raises:
        UsageError: GD-147 for another share.
    """

    share: float

    def __post_init__(self) -> None:
        if not -1 < self.share <= 10:
            raise UsageError(
                "GD-147",
                given=f"a change of the volume by {self.share}",
                allowed="above −1 and at most 10",
                do="give the change as a share, 0.1 for a tenth more",
            )

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """The image as it is, and the other regions."""
        # A ball has the longest way to grow for its volume among compact bodies, a sheet a shorter one.
        most = max((int((regions.labels == label).sum()) for label in regions.present), default=0)
        volume = most * regions.grid.voxel_volume_mm3 * (1 + max(self.share, 0))
        margin = (3 * volume / (4 * math.pi)) ** (1 / 3) * max(self.share, 0) + 2 * max(regions.grid.spacing)
        return image, _named(regions, self._levels(regions, margin))

    def _levels(self, regions: Regions, margin: float) -> Iterator[tuple[int, Box, np.ndarray]]:
        for label, box, distance in distances(regions, margin, border_distance):
            count = max(1, round((1 + self.share) * int((distance > 0).sum())))
            ranks = np.empty(distance.size, np.int64)
            ranks[np.argsort(-distance, axis=None, kind="stable")] = np.arange(distance.size)
            taken = (ranks < count).reshape(distance.shape)
            yield label, box, np.where(taken, np.maximum(distance - distance[taken].min(), 0.0), -np.inf)


@dataclass(frozen=True)
class RandomiseContour:
    """Draw every region by another hand: its border moves in and out by a smooth random distance; the image stays.

    A voxel belongs to the region where d + σ·g ≥ 0, d the signed distance from the border in mm (positive inside)
    and g a Gaussian random field of unit variance whose covariance is exp(−r²/(4·smoothness²)). So σ is the standard
    deviation of the border's place between two readers' drawings and a mean one, and ``smoothness_mm`` says how far
    along the border a deviation reaches. Voxels beyond three σ of the border never change. The field stands for what
    supervoxels stand for in other tools, and needs no image. The stream depends on the seed and on the regions.

    Args:
        sigma_mm: standard deviation of the border's place, mm, > 0.
        smoothness_mm: standard deviation of the kernel that smooths white noise to g, mm, > 0.
        seed: an integer.

    Raises:
        UsageError: GD-147 for a length that is not positive.
    """

    sigma_mm: float
    smoothness_mm: float
    seed: int

    def __post_init__(self) -> None:
        _require_length(self.sigma_mm, "standard deviation")
        _require_length(self.smoothness_mm, "smoothness")

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """The image as it is, and the regions with moved borders."""
        return image, _named(regions, self._levels(regions))

    def _levels(self, regions: Regions) -> Iterator[tuple[int, Box, np.ndarray]]:
        draws = stream(self.seed, regions.labels)
        widths = [self.smoothness_mm / edge for edge in regions.grid.spacing]
        pads = [math.ceil(4 * width) for width in widths]
        for label, box, distance in distances(regions, 3 * self.sigma_mm, border_distance):
            shape = [n + 2 * pad for n, pad in zip(distance.shape, pads, strict=True)]
            white = torch.randn(shape, generator=draws, dtype=torch.float64).numpy()
            field = gaussian_filter(white, widths, mode="constant", truncate=4.0)
            field = field[tuple(slice(pad, pad + n) for n, pad in zip(distance.shape, pads, strict=True))]
            level = distance + self.sigma_mm * np.clip(field / _gain(widths), -3, 3)
            yield label, box, level


def _gain(widths: list[float]) -> float:
    """Standard deviation that a Gaussian filter leaves of white noise."""
    gain = 1.0
    for width in widths:
        impulse = np.zeros(2 * math.ceil(4 * width) + 3)
        impulse[len(impulse) // 2] = 1.0
        gain *= float(np.sqrt(np.square(gaussian_filter(impulse, width, mode="constant", truncate=4.0)).sum()))
    return gain


def _moved_out(regions: Regions, distance_mm: float) -> Regions:
    """Regions moved out by a distance between centres, or in by a negative one."""
    found = distances(regions, max(distance_mm, 0.0), centre_distance)
    return _named(regions, ((label, box, level + distance_mm) for label, box, level in found))


def _named(regions: Regions, levels: Iterator[tuple[int, Box, np.ndarray]]) -> Regions:
    """The new regions; one that vanished keeps its name, so that its features stay in the table with a reason."""
    names = {label: regions.name(label) for label in regions.present} | dict(regions.names)
    return replace(regions, labels=relabelled(regions, levels), names=names)


def _require_length(length: float, what: str) -> None:
    if not (math.isfinite(length) and length > 0):
        raise UsageError("GD-147", given=f"{what} {length} mm", allowed="a positive length in mm", do="give another")
