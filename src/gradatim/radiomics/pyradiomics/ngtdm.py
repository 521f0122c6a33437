"""Neighbouring grey tone difference: PyRadiomics' 5 features, of our matrices."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.neighbourhoods import tone_differences
from gradatim.radiomics.ngtdm import COARSEST, Ngtdm, ToneDifferences
from gradatim.radiomics.pyradiomics.forms import WITHOUT_DIRECTIONS
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


def _or_zero(record: FeatureRecord) -> FeatureRecord:
    return replace(
        record,
        formula=f"{record.formula}; 0 where the denominator is 0",
        compute=lambda m: torch.where(m.busyness.isfinite(), m.busyness, 0.0),
    )


def _unbounded(record: FeatureRecord) -> FeatureRecord:
    return replace(
        record,
        formula="1 / Σ p·s; 10⁶ where nothing differs",
        compute=lambda m: torch.where(m.weighted > 0, 1 / m.weighted, COARSEST),
    )


@dataclass(frozen=True)
class PyradiomicsNgtdm(Family):
    """Grey tone difference features of PyRadiomics: IBSI's formulas, by all voxels.

    IBSI leaves out a voxel without neighbours; here it counts, with no difference. Busyness is 0 where its
    denominator is; coarseness has no upper bound, and is 10⁶ where nothing differs.
    """

    id = "pyradiomics_ngtdm"
    name = "PyRadiomics neighbouring grey tone difference matrix"
    code = "IPET"
    aggregations = WITHOUT_DIRECTIONS
    features = in_order(
        *renamed(Ngtdm, {"Complexity": "HDEZ", "Contrast": "65HE", "Strength": "1X9X"}),
        *(_unbounded(record) for record in renamed(Ngtdm, {"Coarseness": "QCDE"})),
        *(_or_zero(record) for record in renamed(Ngtdm, {"Busyness": "NQ30"})),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[ToneDifferences] | Undefined:
        """The region's matrix."""
        levels = roi.levels
        if isinstance(levels, Undefined):
            return levels
        voxels = torch.bincount(levels.flatten())[1:].to(torch.float64)[None]
        found = list(tone_differences(levels, aggregation, n_levels=voxels.shape[1]))
        return (ToneDifferences(voxels, found[0][1] if found else torch.zeros_like(voxels)),)
