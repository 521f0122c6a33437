"""Grey level dependence: PyRadiomics' 14 features, of our neighbouring grey level dependence matrices."""

from collections.abc import Iterator
from dataclasses import dataclass

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.ngldm import Dependence, Ngldm
from gradatim.radiomics.pyradiomics.forms import WITHOUT_DIRECTIONS
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class PyradiomicsGldm(Family):
    """Grey level dependence features of PyRadiomics: 14 of IBSI's 17, under other names."""

    id = "pyradiomics_gldm"
    name = "PyRadiomics grey level dependence matrix"
    code = "REK0"
    aggregations = WITHOUT_DIRECTIONS
    features = in_order(
        *renamed(
            Ngldm,
            {
                "DependenceEntropy": "FCBV",
                "DependenceNonUniformity": "Z87G",
                "DependenceNonUniformityNormalized": "OKJI",
                "DependenceVariance": "DNX2",
                "GrayLevelNonUniformity": "FP8K",
                "GrayLevelVariance": "1PFV",
                "HighGrayLevelEmphasis": "OAE7",
                "LargeDependenceEmphasis": "IMOQ",
                "LargeDependenceHighGrayLevelEmphasis": "9QMG",
                "LargeDependenceLowGrayLevelEmphasis": "NBZI",
                "LowGrayLevelEmphasis": "TL9H",
                "SmallDependenceEmphasis": "SODN",
                "SmallDependenceHighGrayLevelEmphasis": "JA6D",
                "SmallDependenceLowGrayLevelEmphasis": "EQ3F",
            },
        )
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterator[Dependence] | Undefined:
        """The region's dependence matrices, as batches."""
        return Ngldm().measure(roi, aggregation)
