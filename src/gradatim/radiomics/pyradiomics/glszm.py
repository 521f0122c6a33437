"""Grey level size zone: PyRadiomics' 16 features, of our matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.level_by_size import LevelBySize
from gradatim.radiomics.pyradiomics.forms import WITHOUT_DIRECTIONS
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class PyradiomicsGlszm(Family):
    """Size zone features of PyRadiomics, all of them IBSI's; its ``force2D`` is IBSI's 62GR."""

    id = "pyradiomics_glszm"
    name = "PyRadiomics grey level size zone matrix"
    code = "9SAK"
    aggregations = WITHOUT_DIRECTIONS
    features = in_order(
        *renamed(
            Glszm,
            {
                "GrayLevelNonUniformity": "JNSA",
                "GrayLevelNonUniformityNormalized": "Y1RO",
                "GrayLevelVariance": "BYLV",
                "HighGrayLevelZoneEmphasis": "5GN9",
                "LargeAreaEmphasis": "48P8",
                "LargeAreaHighGrayLevelEmphasis": "J17V",
                "LargeAreaLowGrayLevelEmphasis": "YH51",
                "LowGrayLevelZoneEmphasis": "XMSY",
                "SizeZoneNonUniformity": "4JP3",
                "SizeZoneNonUniformityNormalized": "VB3A",
                "SmallAreaEmphasis": "5QRC",
                "SmallAreaHighGrayLevelEmphasis": "HW1V",
                "SmallAreaLowGrayLevelEmphasis": "5RAI",
                "ZoneEntropy": "GU8N",
                "ZonePercentage": "P30P",
                "ZoneVariance": "3NSA",
            },
        )
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's size zone matrices, as one batch."""
        return Glszm().measure(roi, aggregation)
