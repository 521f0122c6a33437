"""What morphology measures of a region, each part when it is first asked for."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.roi import Roi
from gradatim.radiomics.shape.autocorrelation import Autocorrelation, autocorrelation
from gradatim.radiomics.shape.box import Box, aligned_box, oriented_box
from gradatim.radiomics.shape.columns import Columns, columns
from gradatim.radiomics.shape.ellipsoid import Ellipsoid, enclosing_ellipsoid
from gradatim.radiomics.shape.hull import Hull, hull
from gradatim.radiomics.shape.surface import Surface, surface


@dataclass(frozen=True, eq=False)
class Shape:
    """A region's size and shape: of its voxels, of the mesh around them, of what encloses it.

    The mesh is the marching-cubes mesh of the mask as 0 and 1, padded with 0 and cut at 0.5, in mm. Geometry runs on
    the CPU and is not differentiable, a voxel is in the region or not; what depends on intensities runs on the
    map's device. Values are float64.

    Args:
        roi: the region.

    Example:
        >>> from gradatim.radiomics.discretise import NoDiscretisation
        >>> whole = torch.ones(4, 3, 2, dtype=torch.bool)
        >>> box = Shape(Roi(torch.ones(4, 3, 2).double(), whole, whole, (1.0, 1.0, 1.0), NoDiscretisation()))
        >>> float(box.voxel_volume), box.aligned_box.volume, round(box.enclosing_ellipsoid.volume, 3)
        (24.0, 24.0, 33.719)
    """

    roi: Roi

    @cached_property
    def _spacing(self) -> Tensor:
        return torch.tensor(self.roi.spacing, dtype=torch.float64)

    @cached_property
    def _columns(self) -> Columns:
        return columns(self.roi.shape)

    @cached_property
    def _surface(self) -> Surface:
        return surface(self.roi.shape, spacing=self.roi.spacing)

    @cached_property
    def hull(self) -> Hull:
        """The convex hull of the mesh."""
        return hull(self._columns, spacing=self.roi.spacing)

    @cached_property
    def aligned_box(self) -> Box:
        """The axis-aligned bounding box of the mesh."""
        return aligned_box(self.hull)

    @cached_property
    def oriented_box(self) -> Box:
        """The oriented minimum bounding box of the mesh."""
        return oriented_box(self.hull)

    @cached_property
    def enclosing_ellipsoid(self) -> Ellipsoid:
        """The minimum-volume ellipsoid around the mesh."""
        return enclosing_ellipsoid(self.hull.corners)

    @cached_property
    def approximate_ellipsoid(self) -> Ellipsoid:
        """The ellipsoid whose axes are :attr:`axes`; not finite for one voxel."""
        a, b, c = (self.axes / 2).tolist()
        return Ellipsoid((a, b, c))

    @property
    def voxel_volume(self) -> Tensor:
        """Number of voxels times a voxel's volume (), mm³."""
        return self._columns.count * self._spacing.prod()

    @property
    def volume(self) -> Tensor:
        """Volume inside the mesh (), mm³."""
        return self._surface.volume

    @property
    def area(self) -> Tensor:
        """Area of the mesh (), mm²."""
        return self._surface.area

    @cached_property
    def disproportion(self) -> Tensor:
        """The area over that of a sphere of the same volume (), 1 for a sphere."""
        return self.area / (36 * math.pi * self.volume**2) ** (1 / 3)

    @cached_property
    def axes(self) -> Tensor:
        """Full axes of the ellipsoid that has the voxel centres' covariance, 4√λ, longest first (3,), mm.

        An axis along which all centres lie on one plane or line is zero, not almost zero: that is told in integers.
        """
        n, rank = self._columns.count, self._columns.rank
        if n == 1:
            return torch.full((3,), torch.nan, dtype=torch.float64)
        covariance = torch.tensor(self._columns.scatter, dtype=torch.float64) / (n * (n - 1))
        eigenvalues = torch.linalg.eigvalsh(covariance * self._spacing * self._spacing[:, None]).flip(0)
        eigenvalues[rank:] = 0
        return 4 * eigenvalues.clamp(min=0).sqrt()

    @cached_property
    def diameter(self) -> Tensor:
        """Largest distance between two corners of the mesh (), mm; they are corners of its convex hull."""
        return torch.tensor(self.hull.diameter, dtype=torch.float64)

    @cached_property
    def shift(self) -> Tensor:
        """From the region's centre to the centre of its intensities (), mm."""
        weights = torch.where(self.roi.intensity, self.roi.values, 0.0)
        along = [weights.sum([other for other in range(3) if other != axis]).cpu() for axis in range(3)]
        arms = [torch.arange(len(part)) - centre for part, centre in zip(along, self._columns.centre, strict=True)]
        moments = torch.stack([part @ arm for part, arm in zip(along, arms, strict=True)])
        return (moments / along[0].sum() * self._spacing).norm()

    @cached_property
    def integrated_intensity(self) -> Tensor:
        """Mean of the intensities times the volume inside the mesh (), the image's unit times mm³."""
        return self.roi.intensities.mean().cpu() * self.volume

    @cached_property
    def autocorrelation(self) -> Autocorrelation:
        """Moran's I and Geary's C of the intensities."""
        return autocorrelation(self.roi.values, self.roi.intensity, spacing=self.roi.spacing)
