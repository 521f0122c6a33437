"""Grey level run length: PyRadiomics' 16 features, of our matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import PLANE, Aggregation, Offset
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.level_by_size import LevelBySize
from gradatim.radiomics.pyradiomics.forms import WITH_DIRECTIONS
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.runs import Runs, runs_in_plane, runs_in_space
from gradatim.radiomics.undefined import Undefined


@dataclass(frozen=True)
class PyradiomicsGlrlm(Family):
    """Run length features of PyRadiomics: IBSI's formulas; a direction in which no line meets two voxels is left out.

    In a region of one slice, IBSI's 13 directions hold nine in which every run is one voxel long; PyRadiomics
    averages over the other four.
    """

    id = "pyradiomics_glrlm"
    name = "PyRadiomics grey level run length matrix"
    code = "TP0I"
    aggregations = WITH_DIRECTIONS
    nothing = "no two voxels lie on one line along a direction"
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
        longest = torch.zeros(len(aggregation.directions), dtype=torch.int64, device=runs.length.device)
        lengths = longest.scatter_reduce(0, runs.direction, runs.length, "amax").tolist()
        places = roi.intensity.nonzero()
        counts = [
            long > 1 or shares_line(places, way) for long, way in zip(lengths, aggregation.directions, strict=True)
        ]
        keep = torch.tensor(counts, device=runs.direction.device)[runs.direction]
        if not bool(keep.any()):
            return ()
        parts = (runs.slice, runs.direction, runs.level, runs.length, runs.count)
        return (Runs(*(part[keep] for part in parts)).matrices(aggregation),)


def shares_line(places: Tensor, direction: Offset) -> bool:
    """Whether two voxels lie on one line along a direction, with or without others between them.

    Args:
        places: (n, 3), int64, indices of the voxels.
        direction: voxel offset, each part −1, 0 or 1.

    Example:
        >>> places = torch.tensor([[0, 0, 0], [2, 0, 2]])
        >>> shares_line(places, (1, 0, 1)), shares_line(places, (1, 0, 0))
        (True, False)
    """
    axis = next(axis for axis, step in enumerate(direction) if step)
    steps = places[:, axis : axis + 1] * direction[axis]
    starts = places - steps * torch.tensor(direction, device=places.device)
    return len(torch.unique(starts, dim=0)) < len(starts)
