"""Clusters that stand out of a map: the simplest automatic regions."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import QuantitativeMap, Regions

_GAUSSIAN_MAD = 1.482602218505602
"""Standard deviation of a Gaussian over its median absolute deviation, 1/Φ⁻¹(3/4)."""

_TOUCHING = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class OutstandingClusters:
    """Connected voxels whose smoothed value lies far from the map's median, the largest first.

    A simple segmentation, and not an anatomical one: it finds whatever stands out, be it a deep nucleus, a
    vein, a bleeding, a calcification or an artefact, and does not know which. A nucleus may come in pieces, two
    neighbours may come as one, and what stands out strongly reaches about one smoothing length too far. Use it
    to look at a map, and a label image to compare subjects.

    Rule: s = G*(m·χ) / G*m inside the mask m, G a Gaussian; the threshold is
    t = max(strength · 1.4826·median|s − median s|, least_contrast); voxels with s − median s > t are
    "paramagnetic", those below −t "diamagnetic"; connected over faces, edges and corners; components smaller
    than the least volume are dropped. Labels 1, 2, … are the paramagnetic clusters by falling volume, then the
    diamagnetic ones; names ``paramagnetic-1``, ``diamagnetic-1``, …. On the CPU, not differentiable.

    Source: median absolute deviation as scale, Rousseeuw and Croux 1993, doi:10.1080/01621459.1993.10476408.

    Args:
        strength: how many robust standard deviations away counts as far, > 0.
        least_contrast: but never less than this, in the map's unit, ≥ 0; what a map without noise needs.
        smoothing_mm: standard deviation of the Gaussian, ≥ 0.
        least_volume_mm3: smallest cluster that is kept, ≥ 0.

    Raises:
        UsageError: GD-101 if a parameter lies outside its range.
        InputError: when called, GD-601 if no voxel of the mask has a finite value.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> value = torch.zeros(12, 12, 12)
        >>> value[4:8, 4:8, 4:8] = 0.2
        >>> chi = QuantitativeMap(value, torch.ones(12, 12, 12).bool(), Grid((12, 12, 12), (1, 1, 1)), "χ", "ppm")
        >>> regions = OutstandingClusters()(chi)
        >>> [regions.name(label) for label in regions.present]
        ['paramagnetic-1']
    """

    strength: float = 4.0
    least_contrast: float = 0.05
    smoothing_mm: float = 1.0
    least_volume_mm3: float = 20.0

    def __post_init__(self) -> None:
        for name in ("strength", "least_contrast", "smoothing_mm", "least_volume_mm3"):
            number = getattr(self, name)
            if not (math.isfinite(number) and number >= 0) or (name == "strength" and number == 0):
                raise UsageError(
                    "GD-101",
                    given=f"{name} {number}",
                    allowed="a positive number" if name == "strength" else "a number from 0 upwards",
                    do="give another value",
                )

    def __call__(self, image_map: QuantitativeMap) -> Regions:
        """The clusters of a map (x, y, z)."""
        values = image_map.value.detach().cpu().numpy().astype(np.float64)
        mask = image_map.mask.cpu().numpy() & np.isfinite(values)
        if not mask.any():
            raise InputError(
                "GD-601",
                given="a map without a finite value inside its mask",
                allowed="at least one voxel",
                do="give another mask",
            )
        smooth = self._smooth(np.where(mask, values, 0.0), mask, image_map.grid.spacing)
        departure = np.where(mask, smooth - np.median(smooth[mask]), 0.0)
        threshold = max(self.strength * _GAUSSIAN_MAD * float(np.median(np.abs(departure[mask]))), self.least_contrast)
        labels = np.zeros(values.shape, dtype=np.int32)
        names: dict[int, str] = {}
        for kind, beyond in (("paramagnetic", departure > threshold), ("diamagnetic", departure < -threshold)):
            ranks = _by_size(beyond, least=self.least_volume_mm3 / image_map.grid.voxel_volume_mm3)
            labels[ranks > 0] = ranks[ranks > 0] + len(names)
            names |= {len(names) + rank: f"{kind}-{rank}" for rank in range(1, int(ranks.max()) + 1)}
        return Regions(torch.from_numpy(labels).to(image_map.value.device), image_map.grid, names)

    def _smooth(self, values: np.ndarray, mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
        sigma = [self.smoothing_mm / edge for edge in spacing]
        weight = ndimage.gaussian_filter(mask.astype(np.float64), sigma, mode="constant")
        total = ndimage.gaussian_filter(values, sigma, mode="constant")
        return np.divide(total, weight, out=np.zeros_like(total), where=mask & (weight > 0))


def _by_size(mask: np.ndarray, *, least: float) -> np.ndarray:
    """Connected components numbered 1, 2, … by falling size, those of fewer than ``least`` voxels left out."""
    components, _ = ndimage.label(mask, structure=_TOUCHING)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    ranks = np.zeros(len(sizes), dtype=np.int32)
    kept = order[(sizes[order] >= least) & (sizes[order] > 0)]
    ranks[kept] = np.arange(1, len(kept) + 1)
    return ranks[components]
