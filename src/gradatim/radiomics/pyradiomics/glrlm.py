"""Grey level run length: PyRadiomics' 16 features, of our matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from gradatim.radiomics.aggregation import DIRECTIONAL, PLANE, Aggregation
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.level_by_size import LevelBySize
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.runs import Runs, runs_in_plane, runs_in_space
from gradatim.radiomics.tight import tight
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class PyradiomicsGlrlm(Family):
    """Run length features of PyRadiomics: IBSI's formulas; directions that leave a flat region are not counted.

    In a region of one slice, IBSI's 13 directions hold nine in which every run is one voxel long; PyRadiomics
    averages over the other four.
    """

    id = "pyradiomics_glrlm"
    name = "PyRadiomics grey level run length matrix"
    code = "TP0I"
    aggregations = DIRECTIONAL
    nothing = "the region is one voxel"
    features = in_order(
        *renamed(
            Glrlm,
            {
                "GrayLevelNonUniformity": "R5YN",
                "GrayLevelNonUniformityNormalized": "OVBL",
                "GrayLevelVariance": "8CE5",
                "HighGrayLevelRunEmphasis": "G3QZ",
                "LongRunEmphasis": "W4KF",
                "LongRunHighGrayLevelEmphasis": "3KUM",
                "LongRunLowGrayLevelEmphasis": "IVPO",
                "LowGrayLevelRunEmphasis": "V3SW",
                "RunEntropy": "HJ9O",
                "RunLengthNonUniformity": "W92Y",
                "RunLengthNonUniformityNormalized": "IC23",
                "RunPercentage": "9ZK5",
                "RunVariance": "SXLW",
                "ShortRunEmphasis": "22OV",
                "ShortRunHighGrayLevelEmphasis": "GD3A",
                "ShortRunLowGrayLevelEmphasis": "HTZT",
            },
        )
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[LevelBySize] | Undefined:
        """The region's run length matrices, as one batch."""
        runs = roi.once(runs_in_plane if aggregation.directions == PLANE else runs_in_space)
        if isinstance(runs, Undefined):
            return runs
        thick = [part.stop - part.start > 1 for part in tight(roi.intensity)]
        stays = [all(t or not m for t, m in zip(thick, move, strict=True)) for move in aggregation.directions]
        keep = torch.tensor(stays, device=runs.direction.device)[runs.direction]
        if not bool(keep.any()):
            return ()
        parts = (runs.slice, runs.direction, runs.level, runs.length, runs.count)
        return (Runs(*(part[keep] for part in parts)).matrices(aggregation),)
