"""Morphology: size and shape of a region, from its voxels and from the mesh around them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi

_MM, _MM2, _MM3, _PURE = Unit(length=1), Unit(length=2), Unit(length=3), Unit()
_IBSI = "IBSI manual, arXiv:1612.07003"
_MESH = "Zhang 2001, doi:10.1109/ICIP.2001.958278; mesh: Lewiner 2003, doi:10.1080/10867651.2003.10487582"
_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"
_ONE_VOXEL = "one voxel has no axes"


@dataclass(frozen=True, eq=False)
class Shape:
    """A region's voxels and its surface, a marching-cubes mesh half-way between inside and outside.

    The mesh is made on the mask as 0 and 1, padded with 0 and cut at 0.5, in mm. On the CPU and not
    differentiable: a voxel is in the region or not.

    Args:
        roi: the region.
    """

    roi: Roi

    @cached_property
    def _mesh(self) -> tuple[Tensor, Tensor]:
        mask = torch.nn.functional.pad(self.roi.shape.cpu().to(torch.float32), (1,) * 6)
        # Cut on the unit grid, where vertices lie at exact halves, and scaled here in float64.
        vertices, faces, _, _ = marching_cubes(mask.numpy(), level=0.5)
        return torch.from_numpy(vertices.astype("float64", order="C")) * self._spacing, torch.from_numpy(
            faces.astype("int64", order="C")
        )

    @cached_property
    def _spacing(self) -> Tensor:
        return torch.tensor(self.roi.spacing, dtype=torch.float64)

    @property
    def vertices(self) -> Tensor:
        """Corners of the mesh (v, 3), mm."""
        return self._mesh[0]

    @cached_property
    def _corners(self) -> tuple[Tensor, Tensor, Tensor]:
        vertices, faces = self._mesh
        a, b, c = (vertices - vertices.mean(0))[faces].unbind(1)
        return a, b, c

    @cached_property
    def voxel_volume(self) -> Tensor:
        """Number of voxels times a voxel's volume (), mm³."""
        return self.roi.shape.sum().cpu() * self._spacing.prod()

    @cached_property
    def volume(self) -> Tensor:
        """Volume inside the mesh, |Σ a·(b × c)|/6 over its triangles (), mm³."""
        a, b, c = self._corners
        return (a * torch.linalg.cross(b, c)).sum().abs() / 6

    @cached_property
    def area(self) -> Tensor:
        """Area of the mesh, Σ |(b − a) × (c − a)|/2 over its triangles (), mm²."""
        a, b, c = self._corners
        return torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2

    @cached_property
    def disproportion(self) -> Tensor:
        """The area over that of a sphere of the same volume (), 1 for a sphere."""
        return self.area / (36 * math.pi * self.volume**2) ** (1 / 3)

    @cached_property
    def axes(self) -> Tensor:
        """Full axes of the ellipsoid that has the voxel centres' covariance, 4√λ, longest first (3,), mm."""
        places = self.roi.shape.nonzero().cpu().to(torch.float64) * self._spacing
        if len(places) == 1:
            return torch.full((3,), torch.nan, dtype=torch.float64)
        return 4 * torch.linalg.eigvalsh(places.T.cov()).clamp(min=0).sqrt().flip(0)

    @cached_property
    def diameter(self) -> Tensor:
        """Largest distance between two corners of the mesh (), mm; they are corners of its convex hull."""
        points = self.vertices.numpy()
        return torch.tensor(pdist(points[ConvexHull(points).vertices]).max())

    @cached_property
    def shift(self) -> Tensor:
        """From the region's centre to the centre of its intensities (), mm."""
        weights = self.roi.intensities.cpu()
        centre = self.roi.shape.nonzero().cpu().to(torch.float64).mean(0)
        arms = self.roi.intensity.nonzero().cpu() - centre
        return ((weights[:, None] * arms).sum(0) / weights.sum() * self._spacing).norm()


@dataclass(frozen=True)
class Morphology(Family):
    """Morphological features, family HCUG. Source: IBSI reference manual, arXiv:1612.07003.

    V: volume and A: area of the mesh, λ: eigenvalues of the covariance of the voxel centres (n − 1).
    """

    id = "morphology"
    name = "Morphological features"
    code = "HCUG"
    sees_border = True
    features = (
        FeatureRecord("volume_mesh", "Volume (mesh)", "RNU0", _MM3, "V = |Σ a·(b × c)|/6", lambda s: s.volume, _MESH),
        FeatureRecord(
            "volume_voxel_counting",
            "Volume (voxel counting)",
            "YEKZ",
            _MM3,
            "number of voxels × volume of a voxel",
            lambda s: s.voxel_volume,
            _IBSI,
        ),
        FeatureRecord(
            "surface_area", "Surface area (mesh)", "C0JK", _MM2, "A = Σ |(b − a) × (c − a)|/2", lambda s: s.area, _MESH
        ),
        FeatureRecord(
            "surface_to_volume_ratio",
            "Surface to volume ratio",
            "2PR5",
            Unit(length=-1),
            "A / V",
            lambda s: s.area / s.volume,
            _AERTS,
        ),
        FeatureRecord(
            "compactness_1",
            "Compactness 1",
            "SKGS",
            _PURE,
            "V / (√π·A^(3/2))",
            lambda s: s.volume / (math.sqrt(math.pi) * s.area**1.5),
            _AERTS,
        ),
        FeatureRecord(
            "compactness_2", "Compactness 2", "BQWJ", _PURE, "36π·V²/A³", lambda s: s.disproportion**-3, _AERTS
        ),
        FeatureRecord(
            "spherical_disproportion",
            "Spherical disproportion",
            "KRCK",
            _PURE,
            "A / (36π·V²)^(1/3)",
            lambda s: s.disproportion,
            _AERTS,
        ),
        FeatureRecord(
            "sphericity", "Sphericity", "QCFX", _PURE, "(36π·V²)^(1/3) / A", lambda s: 1 / s.disproportion, _AERTS
        ),
        FeatureRecord(
            "asphericity",
            "Asphericity",
            "25C7",
            _PURE,
            "(A³ / (36π·V²))^(1/3) − 1",
            lambda s: s.disproportion - 1,
            "Apostolova 2014, Eur Radiol 24:2077",
        ),
        FeatureRecord(
            "centre_of_mass_shift",
            "Centre of mass shift",
            "KLMA",
            _MM,
            "|mean place − mean place weighted by intensity|",
            lambda s: s.shift,
            _IBSI,
            "the region has no intensities, or they add up to zero",
        ),
        FeatureRecord(
            "maximum_3d_diameter",
            "Maximum 3D diameter",
            "L0JK",
            _MM,
            "largest distance between two corners of the mesh",
            lambda s: s.diameter,
            _AERTS,
        ),
        FeatureRecord(
            "major_axis_length", "Major axis length", "TDIC", _MM, "4√λ₁", lambda s: s.axes[0], _IBSI, _ONE_VOXEL
        ),
        FeatureRecord(
            "minor_axis_length", "Minor axis length", "P9VJ", _MM, "4√λ₂", lambda s: s.axes[1], _IBSI, _ONE_VOXEL
        ),
        FeatureRecord(
            "least_axis_length", "Least axis length", "7J51", _MM, "4√λ₃", lambda s: s.axes[2], _IBSI, _ONE_VOXEL
        ),
        FeatureRecord(
            "elongation", "Elongation", "Q3CK", _PURE, "√(λ₂/λ₁)", lambda s: s.axes[1] / s.axes[0], _IBSI, _ONE_VOXEL
        ),
        FeatureRecord(
            "flatness", "Flatness", "N17B", _PURE, "√(λ₃/λ₁)", lambda s: s.axes[2] / s.axes[0], _IBSI, _ONE_VOXEL
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Shape]:
        """The region as one :class:`Shape`."""
        return (Shape(roi),)
