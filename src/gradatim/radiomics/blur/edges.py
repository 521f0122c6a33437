"""MTF from an edge: a slanted plane, or the rim of a round insert."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.radiomics.blur.edge_fit import fit_cylinder, fit_plane, voxels
from gradatim.radiomics.blur.edge_spread import EdgeSpread
from gradatim.radiomics.blur.mtf import MeasuredMtf

FEWEST = 64
"""Voxels below which no edge is measured."""


@dataclass(frozen=True)
class SlantedEdge:
    """MTF across a plane edge that is tilted against the voxels.

    A step seen through a Gaussian is fitted to all voxels of the region, which gives the angle and the place of the
    edge; every voxel then stands at its distance from it, so that the edge is sampled more finely than the voxels.
    The MTF is that along the edge's normal: in the plane or, from an edge across the slices, axial. Source:
    ISO 12233:2017, annex D.

    Args:
        spread: how the edge spread becomes an MTF.

    Raises:
        InputError: when called, GD-724 if there is no edge, or it is not tilted enough.

    Example:
        >>> import torch
        >>> x, y = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
        >>> step = torch.special.ndtr((x - 20 + 0.1 * (y - 20)).double()).unsqueeze(-1)
        >>> mtf = SlantedEdge()(step, mask=torch.ones_like(step, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> round(mtf.frequency_at(0.5), 3)  # σ = 1/√1.01 mm
        0.188
    """

    spread: EdgeSpread = EdgeSpread()

    def __call__(self, image: Tensor, *, mask: Tensor, spacing: tuple[float, float, float]) -> MeasuredMtf:
        """MTF up to twice the Nyquist frequency, with errors.

        Args:
            image: (x, y, z), any linear unit.
            mask: (x, y, z), bool, around the edge, flat on both sides.
            spacing: voxel edges, mm.
        """
        region = voxels(image, mask, spacing, fewest=FEWEST)
        return self.spread(region, fit_plane(region))


@dataclass(frozen=True)
class CircularEdge:
    """MTF in the plane from the rim of a round insert, as phantoms have: a cylinder along the third axis.

    As :class:`SlantedEdge`, with the distance from a circle that is fitted to all slices together; averages over all
    directions of the plane. A rim of radius R bends the edge spread by about (σ/R)²: R above ten σ keeps that below
    1 %. Source: Richard 2012, doi:10.1118/1.4725171.

    Args:
        spread: how the edge spread becomes an MTF.

    Raises:
        InputError: when called, GD-724 if there is no rim.

    Example:
        >>> import torch
        >>> x, y = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
        >>> rod = torch.special.ndtr(20 - torch.hypot(x - 31.3, y - 30.8).double()).unsqueeze(-1)
        >>> mtf = CircularEdge()(rod, mask=torch.ones_like(rod, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> round(mtf.frequency_at(0.5), 3)
        0.187
    """

    spread: EdgeSpread = EdgeSpread()

    def __call__(self, image: Tensor, *, mask: Tensor, spacing: tuple[float, float, float]) -> MeasuredMtf:
        """MTF up to twice the Nyquist frequency of the plane, with errors.

        Args:
            image: (x, y, z), any linear unit.
            mask: (x, y, z), bool, around the rim, flat inside and outside of it.
            spacing: voxel edges, mm.
        """
        region = voxels(image, mask, spacing, fewest=FEWEST)
        return self.spread(region, fit_cylinder(region))
