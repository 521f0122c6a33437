"""Grey level co-occurrence: PyRadiomics' 24 features, of our matrices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.glcm import CoOccurrence, Glcm
from gradatim.radiomics.pyradiomics.forms import WITH_DIRECTIONS
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

_HARALICK = "Haralick 1973, doi:10.1109/TSMC.1973.4309314"


def maximal_correlation(matrices: CoOccurrence) -> Tensor:
    """Maximal correlation coefficient (batch,): √ of the second largest eigenvalue of Q; 1 for one grey level.

    Q(i, j) = Σₖ p(i, k)·p(j, k) / (pᵢ·pₖ). For symmetric p it is similar to the square of the symmetric matrix
    p(i, j)/√(pᵢ·pⱼ), whose eigenvalues are real.

    Args:
        matrices: symmetric matrices of probabilities.

    Example:
        >>> alternating = CoOccurrence(torch.tensor([[[0.0, 0.5], [0.5, 0.0]]], dtype=torch.float64))
        >>> round(maximal_correlation(alternating).item(), 9)
        1.0
    """
    row = matrices.row
    if int((row > 0).any(0).sum()) < 2:
        return torch.ones_like(row[:, 0])
    scale = torch.where(row > 0, row, torch.inf).rsqrt()
    eigenvalues: Tensor = torch.linalg.eigvalsh(scale[:, :, None] * matrices.p * scale[:, None, :])
    return eigenvalues.abs().sort(-1).values[:, -2]


def _or_one(record: FeatureRecord) -> FeatureRecord:
    return replace(
        record,
        formula=f"{record.formula}; 1 for one grey level",
        compute=lambda m: torch.where(m.variance > 0, record.compute(m), 1.0),
    )


def _or_zero(record: FeatureRecord) -> FeatureRecord:
    return replace(
        record,
        formula=f"{record.formula}; 0 for one grey level",
        compute=lambda m: torch.where(m.variance > 0, record.compute(m), 0.0),
    )


@dataclass(frozen=True)
class PyradiomicsGlcm(Family):
    """Co-occurrence features of PyRadiomics: IBSI's, and the maximal correlation coefficient (MCC).

    By default it averages over directions (IBSI's ITBB), its ``no_weighting`` merges them (IAZD), its ``force2D``
    stays in the slice (JJUI, all slices in one matrix). A region of one grey level has correlation 1, not none.
    """

    id = "pyradiomics_glcm"
    name = "PyRadiomics grey level co-occurrence matrix"
    code = "LFYI"
    aggregations = WITH_DIRECTIONS
    nothing = Glcm.nothing
    features = in_order(
        *renamed(
            Glcm,
            {
                "Autocorrelation": "QWB0",
                "ClusterProminence": "AE86",
                "ClusterShade": "7NFM",
                "ClusterTendency": "DG8W",
                "Contrast": "ACUI",
                "DifferenceAverage": "TF7R",
                "DifferenceEntropy": "NTRS",
                "DifferenceVariance": "D3YU",
                "Id": "IB1Z",
                "Idm": "WF0Z",
                "Idmn": "1QCO",
                "Idn": "NDRX",
                "Imc2": "JN9H",
                "InverseVariance": "E8JP",
                "JointAverage": "60VM",
                "JointEnergy": "8ZQL",
                "JointEntropy": "TU9B",
                "MaximumProbability": "GYBY",
                "SumAverage": "ZGXS",
                "SumEntropy": "P6QZ",
                "SumSquares": "UR99",
            },
        ),
        *(_or_one(record) for record in renamed(Glcm, {"Correlation": "NI2N"})),
        *(_or_zero(record) for record in renamed(Glcm, {"Imc1": "R8DG"})),
        FeatureRecord(
            "MCC",
            "Maximal correlation coefficient",
            "",
            Unit(),
            "√ of the second largest eigenvalue of Q(i, j) = Σₖ p(i, k)·p(j, k)/(pᵢ·pₖ); 1 for one grey level",
            maximal_correlation,
            _HARALICK,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[CoOccurrence] | Undefined:
        """The region's co-occurrence matrices, as :class:`~gradatim.radiomics.glcm.CoOccurrence` batches."""
        return Glcm().measure(roi, aggregation)
