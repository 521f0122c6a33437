"""Grey level distance zone: sixteen features of how far connected areas of one grey level lie from the border."""

from collections.abc import Iterable
from dataclasses import dataclass

from gradatim.radiomics.aggregation import PLANE, ZONAL, Aggregation
from gradatim.radiomics.level_by_size import LevelBySize, sixteen
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined
from gradatim.radiomics.zones import zones_in_plane, zones_in_space

_THIBAULT = "Thibault 2014, doi:10.1109/TBME.2013.2284600"
_IBSI = "IBSI reference manual, arXiv:1612.07003"


@dataclass(frozen=True)
class Gldzm(Family):
    """Grey level distance zone matrix, family VMDZ. Source: IBSI reference manual, arXiv:1612.07003.

    n: how many zones of level i lie at distance d, N = Σ n, N_v: number of voxels with an intensity. Zones are
    those of the size zone matrix. d is the least number of steps, face to face, from one of the zone's voxels out
    of the morphological mask, so 1 at the border; voxels that re-segmentation took away are no border, the edge of
    the image is one.
    """

    id = "gldzm"
    name = "Grey level distance zone matrix"
    code = "VMDZ"
    aggregations = ZONAL
    sees_border = True
    features = sixteen(
        "d",
        (
            ("Small distance emphasis", "0GBI", _IBSI),
            ("Large distance emphasis", "MB4I", _IBSI),
            ("Low grey level emphasis", "S1RA", _IBSI),
            ("High grey level emphasis", "K26C", _IBSI),
            ("Small distance low grey level emphasis", "RUVG", _IBSI),
            ("Small distance high grey level emphasis", "DKNJ", _IBSI),
            ("Large distance low grey level emphasis", "A7WM", _IBSI),
            ("Large distance high grey level emphasis", "KLTH", _IBSI),
            ("Grey level non-uniformity", "VFT7", _IBSI),
            ("Normalised grey level non-uniformity", "7HP3", _IBSI),
            ("Zone distance non-uniformity", "V294", _THIBAULT),
            ("Normalised zone distance non-uniformity", "IATH", _IBSI),
            ("Zone percentage", "VIWW", _IBSI),
            ("Grey level variance", "QK93", _IBSI),
            ("Zone distance variance", "7WT1", _IBSI),
            ("Zone distance entropy", "GBDU", _IBSI),
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's distance zone matrices, as one batch."""
        zones = roi.once(zones_in_plane if aggregation.directions == PLANE else zones_in_space)
        return zones if isinstance(zones, Undefined) else (zones.by_distance(aggregation),)
