"""Grey level run length: sixteen features of how long rows of one grey level are."""

from collections.abc import Iterable
from dataclasses import dataclass

from gradatim.radiomics.aggregation import DIRECTIONAL, PLANE, Aggregation
from gradatim.radiomics.level_by_size import LevelBySize, sixteen
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.runs import runs_in_plane, runs_in_space
from gradatim.radiomics.undefined import Undefined

_GALLOWAY = "Galloway 1975, doi:10.1016/S0146-664X(75)80008-6"
_CHU = "Chu 1990, doi:10.1016/0167-8655(90)90112-F"
_DASARATHY = "Dasarathy 1991, doi:10.1016/0167-8655(91)80014-2"
_ALBREGTSEN = "Albregtsen 2000, doi:10.1109/ICPR.2000.903600"
_IBSI = "IBSI reference manual, arXiv:1612.07003"


@dataclass(frozen=True)
class Glrlm(Family):
    """Grey level run length matrix, family TP0I. Source: IBSI reference manual, arXiv:1612.07003.

    n: how many runs of level i have r voxels, N = Σ n, N_v: number of voxels with an intensity, times the number
    of directions that are merged. A voxel without an intensity ends a run.
    """

    id = "glrlm"
    name = "Grey level run length matrix"
    code = "TP0I"
    aggregations = DIRECTIONAL
    features = sixteen(
        "r",
        (
            ("Short runs emphasis", "22OV", _GALLOWAY),
            ("Long runs emphasis", "W4KF", _GALLOWAY),
            ("Low grey level run emphasis", "V3SW", _CHU),
            ("High grey level run emphasis", "G3QZ", _CHU),
            ("Short run low grey level emphasis", "HTZT", _DASARATHY),
            ("Short run high grey level emphasis", "GD3A", _DASARATHY),
            ("Long run low grey level emphasis", "IVPO", _DASARATHY),
            ("Long run high grey level emphasis", "3KUM", _DASARATHY),
            ("Grey level non-uniformity", "R5YN", _GALLOWAY),
            ("Normalised grey level non-uniformity", "OVBL", _IBSI),
            ("Run length non-uniformity", "W92Y", _GALLOWAY),
            ("Normalised run length non-uniformity", "IC23", _IBSI),
            ("Run percentage", "9ZK5", _GALLOWAY),
            ("Grey level variance", "8CE5", _IBSI),
            ("Run length variance", "SXLW", _IBSI),
            ("Run entropy", "HJ9O", _ALBREGTSEN),
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's run length matrices, as one batch."""
        runs = roi.once(runs_in_plane if aggregation.directions == PLANE else runs_in_space)
        return runs if isinstance(runs, Undefined) else (runs.matrices(aggregation),)
