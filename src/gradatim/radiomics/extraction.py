"""Features of every region of a map, as rows of the tidy table."""

import hashlib
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import torch

from gradatim.base.choice import choose
from gradatim.base.errors import UsageError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.aggregation import VOLUME, WHOLE, Aggregation
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined, reasoned


@dataclass(frozen=True)
class Extraction:
    """Map + regions → features, by the IBSI definitions.

    A feature that is undefined in a region is NaN with its reason, GD-750 to GD-754; a finite value has a remark,
    GD-755, where the region's shape may be cut off by the image's border. Where an aggregation leaves several
    matrices, a feature is the mean over those in which it is defined. Families are measured side by side, each on one
    thread, so that values do not depend on the number of threads to the last bit, unless a filter's response does.
    Morphology runs on the CPU, all else on the map's device. Source: IBSI reference manual, arXiv:1612.07003.

    Args:
        preparation: the steps from the map to what is measured.
        families: which families of features.
        aggregations: for families of matrices, how to combine them; one row each.
        leave_out: features that are not wanted, as ``family.feature``, e.g. ``("morphology.moran_i",)``, which costs
            as much as all others together.

    Raises:
        UsageError: GD-101 for no family, or one twice; GD-104 if a family has matrices but no aggregation is given for
            it; GD-102 if a feature to leave out is in none of the families; when called, GD-103 if map and regions lie
            on different grids.

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
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [family.id for family in self.families]
        if not names or len(set(names)) < len(names):
            raise UsageError(
                "GD-101",
                given=f"the families {', '.join(names) or 'of an empty list'}",
                allowed="one or more, each once",
                do="leave the families out for all of them" if not names else "name each once",
            )
        for family in self.families:
            if not self.combined(family):
                allowed = ", ".join(f"{a.code} ({a.name})" for a in family.aggregations)
                raise UsageError(
                    "GD-104",
                    given=f"family {family.id} without an aggregation of its matrices",
                    allowed=allowed,
                    do="give one or more of these, or leave the family out",
                )

        known = {f"{family.id}.{record.id}": record for family in self.families for record in family.features}
        for name in self.leave_out:
            choose(name, known, what="feature to leave out")

    def combined(self, family: Family) -> tuple[Aggregation, ...]:
        """The aggregations by which a family is measured; the whole for one without matrices.

        Args:
            family: one of the families.
        """
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
        jobs = [
            (family, aggregation, records)
            for family in self.families
            if (records := tuple(r for r in family.features if f"{family.id}.{r.id}" not in self.leave_out))
            for aggregation in self.combined(family)
        ]
        found: list[Feature] = []
        with _side_by_side() as pool:
            for label, roi in self.preparation(image_map, regions):
                measured = list(pool.map(partial(_measured, roi), jobs))
                if isinstance(roi, Roi):
                    roi.release()
                for (family, aggregation, records), values in zip(jobs, measured, strict=True):
                    found += [
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
                        for record, (value, reason) in zip(records, values, strict=True)
                    ]
        return tuple(found)

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain data, for sidecars and for the hash."""
        left_out = {"leave_out": list(self.leave_out)} if self.leave_out else {}
        return {
            "families": [family.id for family in self.families],
            "aggregations": [aggregation.code for aggregation in self.aggregations],
        } | (left_out | self.preparation.parameters)

    @property
    def settings(self) -> str:
        """Which program and which parameters: version, and 12 hexadecimal digits of the parameters' sha256."""
        canonical = json.dumps(self.parameters, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return f"gradatim-{version('gradatim')}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


@contextmanager
def _side_by_side() -> Iterator[ThreadPoolExecutor]:
    """As many families at a time as torch has threads; each on one, so that no sum depends on their number."""
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # a thread that sets its own number also sets that of threads to come


def _measured(
    roi: Roi | Undefined, job: tuple[Family, Aggregation, tuple[FeatureRecord, ...]]
) -> list[tuple[float, str]]:
    """Value and reason of features of one family."""
    family, aggregation, records = job
    if isinstance(roi, Undefined):
        return [(math.nan, reasoned("GD-750", roi.reason))] * len(records)
    measured = family.measure(roi, aggregation)
    if isinstance(measured, Undefined):
        code = "GD-751" if measured.reason == NO_INTENSITIES else "GD-752"
        return [(math.nan, reasoned(code, measured.reason))] * len(records)
    batches = [torch.stack([record.compute(one).reshape(-1) for record in records]) for one in measured]
    if not batches:
        return [(math.nan, reasoned("GD-753", family.nothing))] * len(records)
    values = torch.cat(batches, dim=1)
    defined = values.isfinite()
    means = (torch.where(defined, values, 0.0).sum(1) / defined.sum(1)).tolist()
    doubt = family.sees_border and roi.touches_border
    remark = reasoned("GD-755", "the region touches the image's border and may be cut off") if doubt else ""
    return [
        (value, remark) if math.isfinite(value) else (math.nan, reasoned("GD-754", record.undefined))
        for record, value in zip(records, means, strict=True)
    ]
