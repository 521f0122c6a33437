"""Where two preparations part: voxel counts and intensities of both, step by step."""

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.diagnostics import diagnose
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

STAGES = ("as given", "resampled", "re-segmented", "grey levels")
"""What is compared, in the order of the steps."""

_SUFFIXES = ("init_roi", "interp_roi", "reseg_roi")
_TAGS = ("morph_mask_vox_count", "int_mask_vox_count", "int_mask_min_int", "int_mask_mean_int", "int_mask_max_int")
_SAME = 1e-6


@dataclass(frozen=True)
class StepNumbers:
    """A region after one step; NaN where there is nothing.

    Args:
        shape_voxels: how many voxels the region's shape has.
        voxels: how many of them have an intensity; at the last step, a grey level.
        minimum: lowest intensity, or grey level.
        mean: mean intensity, or grey level.
        maximum: highest intensity, or grey level.
    """

    shape_voxels: float
    voxels: float
    minimum: float
    mean: float
    maximum: float

    def agrees(self, other: "StepNumbers") -> bool:
        """Whether two are the same within a relative 10⁻⁶."""
        return all(
            (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_SAME)
            for a, b in zip(astuple(self), astuple(other), strict=True)
        )


@dataclass(frozen=True)
class StepComparison:
    """One region after one step of two preparations.

    Args:
        region: its name.
        stage: which step.
        first: after the first preparation.
        second: after the second.
    """

    region: str
    stage: str
    first: StepNumbers
    second: StepNumbers

    @property
    def same(self) -> bool:
        """Whether both agree here."""
        return self.first.agrees(self.second)


def compare_steps(
    first: Preparation, second: Preparation, image: QuantitativeMap, regions: Regions
) -> tuple[StepComparison, ...]:
    """Every region step by step, up to and including the first step after which the two differ.

    Args:
        first: one preparation.
        second: the other.
        image: the map.
        regions: on the map's grid.

    Raises:
        UsageError: GD-103 if the grids of map and regions differ.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.discretise import FixedBinSize
        >>> from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
        >>> grid, one = Grid((2, 1, 1), (1.0, 1.0, 1.0)), torch.ones(2, 1, 1)
        >>> image = QuantitativeMap(torch.tensor([110.0, 190.0]).view(2, 1, 1), one.bool(), grid, "CT", "HU")
        >>> two = Preparation(FixedBinSize(25.0, origin=0.0)), Preparation(ZeroAlignedBins(25.0))
        >>> last = compare_steps(*two, image, Regions(one.long(), grid, {1: "lesion"}))[-1]
        >>> last.stage, last.first.minimum, last.second.minimum
        ('grey levels', 5.0, 1.0)
    """
    mine, theirs = _numbers(first, image, regions), _numbers(second, image, regions)
    found: list[StepComparison] = []
    for region, steps in mine.items():
        for stage, one, other in zip(STAGES, steps, theirs[region], strict=True):
            found.append(StepComparison(region, stage, one, other))
            if not found[-1].same:
                break
    return tuple(found)


def _numbers(preparation: Preparation, image: QuantitativeMap, regions: Regions) -> dict[str, tuple[StepNumbers, ...]]:
    values = {(row.region, row.tag): row.value for row in diagnose(preparation, image, regions)}
    return {
        (name := regions.name(label)): (
            *(StepNumbers(*(values.get((name, f"{tag}_{end}"), math.nan) for tag in _TAGS)) for end in _SUFFIXES),
            _levels(roi),
        )
        for label, roi in preparation(image, regions)
    }


def _levels(roi: Roi | Undefined) -> StepNumbers:
    if isinstance(roi, Undefined):
        return StepNumbers(*[math.nan] * 5)
    shape, levels = float(roi.shape.sum()), roi.levels
    if isinstance(levels, Undefined):
        return StepNumbers(shape, 0.0, *[math.nan] * 3)
    inside: Tensor = levels[levels > 0].to(torch.float64)
    return StepNumbers(shape, float(inside.numel()), float(inside.min()), float(inside.mean()), float(inside.max()))


def parted(steps: Iterable[StepComparison]) -> dict[str, str]:
    """Region → the step after which the two first differ, of the regions where they do."""
    return {step.region: step.stage for step in steps if not step.same}
