"""A filter of slices, averaged over the three planes of a volume."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.radiomics.filters.arguments import floating
from gradatim.radiomics.filters.pooling import Average
from gradatim.radiomics.filters.rotations import Triple, Turn
from gradatim.radiomics.preparation import Response

PLANES = (Turn((0, 1, 2), ()), Turn((0, 2, 1), ()), Turn((1, 2, 0), ()))
"""Slices along the third, the second and the first axis; the axes within them keep their order."""


@dataclass(frozen=True)
class OrthogonalPlanes:
    """A filter of slices in three dimensions: the mean of its responses in the three planes of the axes.

    h = (f along the third axis + f along the second + f along the first)/3. In each plane the earlier axis is
    the filter's first. Source: IBSI 2 reference manual, arXiv:2006.05470, "Gabor filters".

    Args:
        filter: in two dimensions, slice by slice along the third axis.

    Example:
        >>> import torch
        >>> from gradatim.radiomics.filters.mean import MeanFilter
        >>> planes = OrthogonalPlanes(MeanFilter(3, dimensions=2))
        >>> planes(torch.ones(3, 4, 5), spacing=(1.0, 1.0, 1.0)).shape
        torch.Size([3, 4, 5])
    """

    filter: Response

    def __call__(self, values: Tensor, *, spacing: Triple) -> Tensor:
        """The response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        image = floating(values)
        return Average()(turn.undo(self.filter(turn.apply(image), spacing=turn.spacing(spacing))) for turn in PLANES)
