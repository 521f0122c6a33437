"""Features of every region of a map, as rows of the tidy table."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.aggregation import VOLUME, WHOLE, Aggregation
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class Extraction:
    """Map + regions → features, by the IBSI definitions.

    A feature that is undefined in a region is NaN with its reason. Where an aggregation leaves several
    matrices, a feature is the mean over those in which it is defined. Sums are float64; statistics and
    GLCM run on the map's device, morphology on the CPU. Source: IBSI reference manual, arXiv:1612.07003.

    Args:
        preparation: the steps from the map to what is measured.
        families: which families of features.
        aggregations: for families of matrices, how to combine them; one row each.

    Raises:
        UsageError: GD-104 if a family has matrices but no aggregation is given for it; when called,
            GD-103 if map and regions lie on different grids.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> from gradatim.radiomics.statistics import Statistics
        >>> grid = Grid((2, 1, 1), (1.0, 1.0, 1.0))
        >>> chi = QuantitativeMap(torch.tensor([0.1, 0.3]).view(2, 1, 1), torch.ones(2, 1, 1).bool(), grid, "χ", "ppm")
        >>> regions = Regions(torch.ones(2, 1, 1, dtype=torch.int64), grid, {1: "vein"})
        >>> extraction = Extraction(Preparation(FixedBinNumber(32)), families=(Statistics(),))
        >>> mean, *_ = extraction(chi, regions, case="01", image="Chimap")
        >>> mean.region, mean.feature, mean.ibsi_code, round(mean.value, 6), mean.unit
        ('vein', 'mean', 'Q4LE', 0.2, 'ppm')
    """

    preparation: Preparation
    families: tuple[Family, ...] = FAMILIES
    aggregations: tuple[Aggregation, ...] = VOLUME

    def __post_init__(self) -> None:
        for family in self.families:
            if not self._combined(family):
                allowed = ", ".join(f"{a.code} ({a.name})" for a in family.aggregations)
                raise UsageError(
                    "GD-104",
                    given=f"family {family.id} without an aggregation of its matrices",
                    allowed=allowed,
                    do="give one or more of these, or leave the family out",
                )

    def _combined(self, family: Family) -> tuple[Aggregation, ...]:
        return tuple(a for a in family.aggregations if a is WHOLE or a in self.aggregations)

    def __call__(
        self, image_map: QuantitativeMap, regions: Regions, *, case: str = "", image: str = ""
    ) -> tuple[Feature, ...]:
        """Features of all regions, labels increasing, then in the order of the catalogue.

        Args:
            image_map: the map (x, y, z).
            regions: labels on the same grid; a label with a name but no voxel gives NaN with its reason.
            case: whose image, for the table.
            image: which image, for the table.
        """
        settings = self.settings
        return tuple(
            Feature(
                case=case,
                image=image,
                region=regions.name(label),
                family=family.id,
                feature=record.id,
                ibsi_code=record.code,
                aggregation=aggregation.code,
                value=value,
                unit=record.unit.text(image_map.unit),
                reason=reason,
                settings=settings,
            )
            for label, roi in self.preparation(image_map, regions)
            for family in self.families
            for aggregation in self._combined(family)
            for record, (value, reason) in zip(family.features, _measured(family, roi, aggregation), strict=True)
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data, for sidecars and for the hash."""
        return {
            "families": [family.id for family in self.families],
            "aggregations": [aggregation.code for aggregation in self.aggregations],
        } | self.preparation.parameters

    @property
    def settings(self) -> str:
        """Short hash of the parameters: the first 12 hexadecimal digits of the sha256 of their sorted JSON."""
        canonical = json.dumps(self.parameters, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _measured(family: Family, roi: Roi | Undefined, aggregation: Aggregation) -> Iterator[tuple[float, str]]:
    measured = roi if isinstance(roi, Undefined) else family.measure(roi, aggregation)
    if isinstance(measured, Undefined):
        yield from [(math.nan, measured.reason)] * len(family.features)
        return
    batches = [torch.stack([record.compute(one).reshape(-1) for record in family.features]) for one in measured]
    if not batches:
        yield from [(math.nan, family.nothing)] * len(family.features)
        return
    for record, values in zip(family.features, torch.cat(batches, dim=1), strict=True):
        defined = values[values.isfinite()]
        yield (float(defined.mean()), "") if len(defined) else (math.nan, record.undefined)
