"""Neighbouring grey tone difference: PyRadiomics' 5 features, of our matrices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from gradatim.radiomics.aggregation import ZONAL, Aggregation
from gradatim.radiomics.ngtdm import Ngtdm, ToneDifferences
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


@dataclass(frozen=True)
class PyradiomicsNgtdm(Family):
    """Grey tone difference features of PyRadiomics: IBSI's; busyness is 0 where its denominator is."""

    id = "pyradiomics_ngtdm"
    name = "PyRadiomics neighbouring grey tone difference matrix"
    code = "IPET"
    aggregations = ZONAL
    nothing = Ngtdm.nothing
    features = in_order(
        *renamed(Ngtdm, {"Coarseness": "QCDE", "Complexity": "HDEZ", "Contrast": "65HE", "Strength": "1X9X"}),
        *(_or_zero(record) for record in renamed(Ngtdm, {"Busyness": "NQ30"})),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[ToneDifferences] | Undefined:
        """The region's matrices, as batches."""
        return Ngtdm().measure(roi, aggregation)
