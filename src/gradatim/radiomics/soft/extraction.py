"""Features of a region as tensors that can be differentiated in the image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.aggregation import VOLUME_MERGED, WHOLE, ZONES_VOLUME, Aggregation
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.soft.assignment import SoftAssignment
from gradatim.radiomics.soft.families import (
    SoftFamily,
    SoftGlcm,
    SoftGlrlm,
    SoftIntensityHistogram,
    SoftNgldm,
    SoftNgtdm,
    SoftStatistics,
)
from gradatim.radiomics.soft.region import SoftRegion
from gradatim.radiomics.undefined import Undefined

SOFT_FAMILIES: tuple[SoftFamily, ...] = (
    SoftStatistics(),
    SoftIntensityHistogram(),
    SoftGlcm(),
    SoftGlrlm(),
    SoftNgtdm(),
    SoftNgldm(),
)
"""Every family that has a soft counterpart, in the order of the IBSI manual."""

COUNTERPARTS: dict[str, SoftFamily] = {soft.family.id: soft for soft in SOFT_FAMILIES}
"""Family's id → its soft counterpart."""

DEFAULT: tuple[Family, ...] = tuple(soft.family for soft in SOFT_FAMILIES)
"""The families themselves, as the catalogue has them."""


@dataclass(frozen=True)
class SoftExtraction:
    """Region → features as float64 tensors, differentiable in the region's values by autograd.

    The records are those of the catalogue; the matrices they take are counted from soft grey levels
    (:class:`~gradatim.radiomics.soft.assignment.SoftAssignment`). Where IBSI's value is the mean over several
    matrices, so is this one. A feature that a formula leaves undefined is NaN.

    Zones (GLSZM, GLDZM) are not differentiable here: whether two areas are one zone depends on every voxel of a
    path between them, and no local sum gives its expectation. Shape depends on the region's outline, not on the
    intensities: :class:`~gradatim.radiomics.soft.surface.LevelSurface`.

    Args:
        temperature: of the soft levels, bin widths, in (0, 1]; 1 splits linearly, small values tend to IBSI's.
        families: which families, as the catalogue has them.
        directional: how matrices with a direction are combined.
        zonal: how neighbourhoods are combined, in the plane or in space.

    Raises:
        UsageError: GD-101 for another temperature; GD-143 for a family without a derivative; GD-104 for an
            aggregation that the families do not have; when called, GD-144 for a discretisation without a ruler.
        InputError: when called, GD-725 if the region gives a family nothing to measure.

    Example:
        >>> from gradatim.radiomics.discretise import FixedBinSize
        >>> values = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64).view(3, 1, 1).requires_grad_()
        >>> mask = torch.ones(3, 1, 1).bool()
        >>> roi = Roi(values, mask, mask, (1.0, 1.0, 1.0), FixedBinSize(width=1.0, origin=0.5))
        >>> features = SoftExtraction()(roi)
        >>> float(features["glcm.contrast"].detach())  # at bin centres, IBSI's: (2² + 1²)/2
        2.5
        >>> (gradient,) = torch.autograd.grad(features["statistics.mean"], values)
        >>> [round(float(g), 3) for g in gradient.flatten()]
        [0.333, 0.333, 0.333]
    """

    temperature: float = 1.0
    families: tuple[Family, ...] = DEFAULT
    directional: Aggregation = VOLUME_MERGED
    zonal: Aggregation = ZONES_VOLUME

    def __post_init__(self) -> None:
        SoftAssignment(self.temperature)
        for family in self.families:
            if family.id not in COUNTERPARTS:
                raise UsageError(
                    "GD-143",
                    given=f"the derivative of family {family.id}",
                    allowed=", ".join(COUNTERPARTS),
                    do="leave the family out; ReplicatedErrors gives its standard error without one",
                )
            if self._combined(family) is None:
                raise UsageError(
                    "GD-104",
                    given=f"family {family.id} with {self.directional.code} and {self.zonal.code}",
                    allowed=", ".join(f"{a.code} ({a.name})" for a in family.aggregations),
                    do="give one of these, or leave the family out",
                )

    def _combined(self, family: Family) -> Aggregation | None:
        wanted = (WHOLE, self.directional, self.zonal)
        return next((aggregation for aggregation in family.aggregations if aggregation in wanted), None)

    def __call__(self, roi: Roi) -> dict[str, Tensor]:
        """Family and feature, e.g. ``"glcm.contrast"`` → value (), float64.

        Args:
            roi: the region; its values carry the graph, as they do when
                :class:`~gradatim.radiomics.preparation.Preparation` cuts them out of a map that does.
        """
        region = SoftRegion(roi, SoftAssignment(self.temperature))
        found: dict[str, Tensor] = {}
        for family in self.families:
            aggregation = self._combined(family) or WHOLE
            measured = COUNTERPARTS[family.id].measure(region, aggregation)
            if isinstance(measured, Undefined):
                raise _nothing(family, measured.reason)
            batches = list(measured)
            if not batches:
                raise _nothing(family, family.nothing)
            for record in family.features:
                values = torch.cat([record.compute(batch).reshape(-1) for batch in batches])
                defined = values[values.isfinite()]
                found[f"{family.id}.{record.id}"] = defined.mean() if len(defined) else values[:1].squeeze(0)
        return found


def _nothing(family: Family, reason: str) -> InputError:
    return InputError(
        "GD-725",
        given=f"a region without soft features of family {family.id}: {reason}",
        allowed="intensities inside the bins, and neighbours among them",
        do="look at the region, its re-segmentation and its discretisation",
    )
