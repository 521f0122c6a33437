"""Any family on windows: each cut out as a region of its own and measured as any other."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.maps.windowed_region import WindowedRegion
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.tight import tight
from gradatim.radiomics.undefined import Undefined

PLACES = 64
"""Numbers that a family keeps a voxel of the window, at a guess: its sixteen features and what they share."""


@dataclass(frozen=True, eq=False)
class Given:
    """A discretisation that has happened: the levels of a window, as the whole region gave them.

    Args:
        levels: (n,), int64, in the order of the window's voxels; or why there are none.
    """

    levels: Tensor | Undefined

    def __call__(self, values: Tensor) -> Tensor | Undefined:
        """The levels."""
        return self.levels


def window_roi(region: WindowedRegion, centre: tuple[int, int, int]) -> Roi:
    """The window around one voxel of a region, as a region.

    Both masks are those of the region inside the window; grey levels are the whole region's.

    Args:
        region: the region.
        centre: a voxel of its box.
    """
    whole = region.roi
    ends = list(zip(centre, region.stencil.shape, whole.values.shape, strict=True))
    box = tuple(slice(max(c - n // 2, 0), min(c + n // 2 + 1, size)) for c, n, size in ends)
    part = tuple(slice(s.start - c + n // 2, s.stop - c + n // 2) for s, (c, n, _) in zip(box, ends, strict=True))
    inner = tight(whole.shape[box] & region.stencil[part])
    x, y, z = (slice(a.start + b.start, a.start + b.stop) for a, b in zip(box, inner, strict=True))
    inside = region.stencil[part][inner]
    intensity = whole.intensity[x, y, z] & inside
    levels, around = whole.levels, whole.surroundings
    if not isinstance(levels, Undefined):
        levels = levels[x, y, z].masked_select(intensity)
    if around is not None:
        moved = zip(around.origin, (x, y, z), strict=True)
        first, second, third = (origin + s.start for origin, s in moved)
        around = replace(around, origin=(first, second, third))
    shape = whole.shape[x, y, z] & inside
    return Roi(whole.values[x, y, z], shape, intensity, whole.spacing, Given(levels), whole.curve, around)


@dataclass(frozen=True)
class OneByOne:
    """The features of a family in every window, by its own measurement: right for any family, and slow.

    Args:
        family: the family.
    """

    family: Family

    def bytes_each(self, region: WindowedRegion, aggregation: Aggregation) -> int:
        """Memory of one window."""
        return 8 * PLACES * (region.size + max(1, region.n_levels) ** 2)

    def values(
        self, region: WindowedRegion, centres: Tensor, aggregation: Aggregation, records: tuple[FeatureRecord, ...]
    ) -> Tensor:
        """The features (record, m), float64, NaN where undefined, of the windows around centres (m, 3)."""
        found = [self._one(window_roi(region, tuple(c)), aggregation, records) for c in centres.tolist()]
        return torch.stack(found, dim=1)

    def _one(self, roi: Roi, aggregation: Aggregation, records: tuple[FeatureRecord, ...]) -> Tensor:
        nothing = torch.full((len(records), 0), torch.nan, dtype=torch.float64, device=roi.values.device)
        measured = self.family.measure(roi, aggregation)
        if isinstance(measured, Undefined):
            return finite_mean(nothing)
        batches = [torch.stack([record.compute(one).reshape(-1) for record in records]) for one in measured]
        return finite_mean(torch.cat([nothing, *batches], dim=1))


def finite_mean(values: Tensor) -> Tensor:
    """The mean over the last axis of what is finite; NaN for nothing, as in the table of features."""
    finite = values.isfinite()
    return torch.where(finite, values, 0.0).sum(-1) / finite.sum(-1)
