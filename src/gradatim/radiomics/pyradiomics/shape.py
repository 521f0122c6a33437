"""Shape: PyRadiomics' 14 features of a region in space."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.morphology import Morphology
from gradatim.radiomics.pyradiomics.diameters import plane_diameters
from gradatim.radiomics.pyradiomics.mesh import unclosed_surface
from gradatim.radiomics.pyradiomics.renamed import in_order, renamed
from gradatim.radiomics.record import Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.shape.measured import Shape
from gradatim.radiomics.shape.surface import Surface

_SOURCE = "PyRadiomics documentation, shape; van Griethuysen 2017, doi:10.1158/0008-5472.CAN-17-0339"
_MESH = "Lorensen 1987, doi:10.1145/37401.37422; van Griethuysen 2017"
_MM = Unit(length=1)
_PLANES = (("Row", "sagittal", 0), ("Column", "coronal", 1), ("Slice", "axial", 2))


@dataclass(frozen=True, eq=False)
class PlanarShape:
    """A region's shape, with axes by the population's covariance and with diameters in planes.

    Args:
        shape: as IBSI has it.
    """

    shape: Shape

    @cached_property
    def population_axes(self) -> Tensor:
        """4√λ of the covariance with n in the denominator, longest first (3,), mm; IBSI has n − 1."""
        n = int(self.shape.roi.shape.sum())
        return self.shape.axes * math.sqrt((n - 1) / n)

    @cached_property
    def surface(self) -> Surface:
        """Volume and area of the mesh."""
        return unclosed_surface(self.shape.roi.shape, spacing=self.shape.roi.spacing)

    @cached_property
    def planes(self) -> tuple[float, float, float]:
        """Largest distance between mesh corners of one plane across x, y and z, mm."""
        return plane_diameters(self.shape.roi.shape, spacing=self.shape.roi.spacing)


def _measured(roi: Roi) -> PlanarShape:
    return PlanarShape(roi.once(Shape))


def _axis(name: str, rank: int) -> FeatureRecord:
    return FeatureRecord(
        f"{name}AxisLength",
        f"{name} axis length by n",
        "",
        _MM,
        f"4√λ{'₁₂₃'[rank]}, covariance of the voxel centres with n, not n − 1",
        lambda s: s.population_axes[rank],
        _SOURCE,
        "one voxel has no axes",
    )


def _diameter(name: str, plane: str, axis: int) -> FeatureRecord:
    return FeatureRecord(
        f"Maximum2DDiameter{name}",
        f"Maximum diameter in a plane across {'xyz'[axis]}",
        "",
        _MM,
        f"largest distance between two corners of the mesh in one {plane} plane",
        lambda s: torch.tensor(s.planes[axis], dtype=torch.float64),
        _SOURCE,
    )


@dataclass(frozen=True)
class PyradiomicsShape(Family):
    """Shape features of PyRadiomics.

    Axis lengths are √((n − 1)/n) of IBSI's; volume and area are those of its own mesh, equal to IBSI's where no cell
    is ambiguous; the diameters in planes are its own. Source: PyRadiomics documentation, shape.
    """

    id = "pyradiomics_shape"
    name = "PyRadiomics shape"
    code = "HCUG"
    sees_border = True
    features = in_order(
        *renamed(
            Morphology,
            {
                "Elongation": "Q3CK",
                "Flatness": "N17B",
                "Maximum3DDiameter": "L0JK",
                "VoxelVolume": "YEKZ",
            },
            part=lambda s: s.shape,
        ),
        FeatureRecord(
            "MeshVolume",
            "Volume of its own mesh",
            "",
            Unit(length=3),
            "V = Σ a·(b × c)/6 of its own mesh, whose ambiguous cells are those of their complements",
            lambda s: s.surface.volume,
            _MESH,
        ),
        FeatureRecord(
            "SurfaceArea",
            "Area of its own mesh",
            "",
            Unit(length=2),
            "A = Σ |(b − a) × (c − a)|/2 of its own mesh",
            lambda s: s.surface.area,
            _MESH,
        ),
        FeatureRecord(
            "SurfaceVolumeRatio",
            "Surface to volume ratio of its own mesh",
            "",
            Unit(length=-1),
            "A / V of its own mesh",
            lambda s: s.surface.area / s.surface.volume,
            _MESH,
        ),
        FeatureRecord(
            "Sphericity",
            "Sphericity of its own mesh",
            "",
            Unit(),
            "(36π·V²)^(1/3) / A of its own mesh",
            lambda s: (36 * math.pi * s.surface.volume**2) ** (1 / 3) / s.surface.area,
            _MESH,
        ),
        *(_axis(name, rank) for rank, name in enumerate(("Major", "Minor", "Least"))),
        *(_diameter(*plane) for plane in _PLANES),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[PlanarShape]:
        """The region as one :class:`PlanarShape`."""
        return (roi.once(_measured),)
