"""Morphology: size and shape of a region, from its voxels and from the mesh around them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord, Unit
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.shape.box import Box
from gradatim.radiomics.shape.ellipsoid import Ellipsoid
from gradatim.radiomics.shape.hull import Hull
from gradatim.radiomics.shape.measured import Shape

_MM, _MM2, _MM3, _PURE = Unit(length=1), Unit(length=2), Unit(length=3), Unit()
_IBSI = "IBSI manual, arXiv:1612.07003"
_MESH = "Zhang 2001, doi:10.1109/ICIP.2001.958278; mesh: Lewiner 2003, doi:10.1080/10867651.2003.10487582"
_AERTS = "Aerts 2014, doi:10.1038/ncomms5006"
_BOX = "O'Rourke 1985, doi:10.1007/BF00991005"
_KHACHIYAN = "Khachiyan 1996, doi:10.1287/moor.21.2.307"
_HULL = "Barber 1996, doi:10.1145/235815.235821"
_ONE_VOXEL = "one voxel has no axes"
_FLAT = "the voxels' centres lie in one plane"
_LINE = "the voxels' centres lie on one line"
_NOTHING_TO_COMPARE = "fewer than two intensities, or all are equal"
_CODES = {
    "aabb": ("PBX1", "R59B"),
    "ombb": ("ZH1A", "IQYR"),
    "aee": ("6BDE", "RDD2"),
    "mvee": ("SWZ1", "BRI8"),
    "convex_hull": ("R3ER", "7T7F"),
}


def _densities(
    key: str,
    name: str,
    body: str,
    around: Callable[[Shape], Box | Ellipsoid | Hull],
    source: str,
    *,
    undefined: tuple[str, str] = (NOT_FINITE, NOT_FINITE),
) -> tuple[FeatureRecord, FeatureRecord]:
    # The region's volume and area against those of a body around it.
    def area(shape: Shape) -> float:
        found = around(shape)
        return found.ibsi_area if isinstance(found, Ellipsoid) else found.area

    series = " by IBSI's series of Legendre polynomials" if "ellipsoid" in body else ""
    return (
        FeatureRecord(
            f"volume_density_{key}",
            f"Volume density ({name})",
            _CODES[key][0],
            _PURE,
            f"V / volume of the {body}",
            lambda s: s.volume / around(s).volume,
            source,
            undefined[0],
        ),
        FeatureRecord(
            f"area_density_{key}",
            f"Area density ({name})",
            _CODES[key][1],
            _PURE,
            f"A / area of the {body}{series}",
            lambda s: s.area / area(s),
            source,
            undefined[1],
        ),
    )


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
        *_densities("aabb", "AABB", "axis-aligned bounding box", lambda s: s.aligned_box, _IBSI),
        *_densities("ombb", "OMBB", "oriented minimum bounding box", lambda s: s.oriented_box, _BOX),
        *_densities(
            "aee", "AEE", "ellipsoid of axes 4√λ", lambda s: s.approximate_ellipsoid, _IBSI, undefined=(_FLAT, _LINE)
        ),
        *_densities("mvee", "MVEE", "minimum-volume enclosing ellipsoid", lambda s: s.enclosing_ellipsoid, _KHACHIYAN),
        *_densities("convex_hull", "convex hull", "convex hull of the mesh", lambda s: s.hull, _HULL),
        FeatureRecord(
            "integrated_intensity",
            "Integrated intensity",
            "99N0",
            Unit(intensity=1, length=3),
            "V × mean intensity",
            lambda s: s.integrated_intensity,
            _IBSI,
            "the region has no intensities",
        ),
        FeatureRecord(
            "moran_i",
            "Moran's I index",
            "N365",
            _PURE,
            "n/Σwᵢⱼ · Σ wᵢⱼ (xᵢ − μ)(xⱼ − μ) / Σ (xᵢ − μ)², w = 1/distance, all pairs",
            lambda s: s.autocorrelation.moran.cpu(),
            "Moran 1950, doi:10.2307/2332142",
            _NOTHING_TO_COMPARE,
        ),
        FeatureRecord(
            "geary_c",
            "Geary's C measure",
            "NPT7",
            _PURE,
            "(n − 1)/(2Σwᵢⱼ) · Σ wᵢⱼ (xᵢ − xⱼ)² / Σ (xᵢ − μ)², w = 1/distance, all pairs",
            lambda s: s.autocorrelation.geary.cpu(),
            "Geary 1954, doi:10.2307/2986645",
            _NOTHING_TO_COMPARE,
        ),
    )

    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Shape]:
        """The region as one :class:`~gradatim.radiomics.shape.measured.Shape`."""
        return (roi.once(Shape),)
