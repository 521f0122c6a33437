"""Grey level size zone: sixteen features of how large connected areas of one grey level are."""

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
class Glszm(Family):
    """Grey level size zone matrix, family 9SAK. Source: IBSI reference manual, arXiv:1612.07003.

    n: how many zones of level i have s voxels, N = Σ n, N_v: number of voxels with an intensity. Voxels of one
    level are in one zone where a path of neighbours joins them: 26 of them in space, 8 in a slice.
    """

    id = "glszm"
    name = "Grey level size zone matrix"
    code = "9SAK"
    aggregations = ZONAL
    features = sixteen(
        "s",
        (
            ("Small zone emphasis", "5QRC", _THIBAULT),
            ("Large zone emphasis", "48P8", _THIBAULT),
            ("Low grey level emphasis", "XMSY", _THIBAULT),
            ("High grey level emphasis", "5GN9", _THIBAULT),
            ("Small zone low grey level emphasis", "5RAI", _THIBAULT),
            ("Small zone high grey level emphasis", "HW1V", _THIBAULT),
            ("Large zone low grey level emphasis", "YH51", _THIBAULT),
            ("Large zone high grey level emphasis", "J17V", _THIBAULT),
            ("Grey level non-uniformity", "JNSA", _THIBAULT),
            ("Normalised grey level non-uniformity", "Y1RO", _IBSI),
            ("Zone size non-uniformity", "4JP3", _THIBAULT),
            ("Normalised zone size non-uniformity", "VB3A", _IBSI),
            ("Zone percentage", "P30P", _THIBAULT),
            ("Grey level variance", "BYLV", _IBSI),
            ("Zone size variance", "3NSA", _IBSI),
            ("Zone size entropy", "GU8N", _IBSI),
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's size zone matrices, as one batch."""
        zones = roi.once(zones_in_plane if aggregation.directions == PLANE else zones_in_space)
        return zones if isinstance(zones, Undefined) else (zones.by_size(aggregation),)
