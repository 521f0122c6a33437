"""All seven three-dimensional feature classes of PyRadiomics, and the names of its columns."""

from gradatim.base.nouns import Feature
from gradatim.radiomics.pyradiomics.firstorder import PyradiomicsFirstOrder
from gradatim.radiomics.pyradiomics.glcm import PyradiomicsGlcm
from gradatim.radiomics.pyradiomics.gldm import PyradiomicsGldm
from gradatim.radiomics.pyradiomics.glrlm import PyradiomicsGlrlm
from gradatim.radiomics.pyradiomics.glszm import PyradiomicsGlszm
from gradatim.radiomics.pyradiomics.ngtdm import PyradiomicsNgtdm
from gradatim.radiomics.pyradiomics.shape import PyradiomicsShape
from gradatim.radiomics.record import Family

PYRADIOMICS: tuple[Family, ...] = (
    PyradiomicsShape(),
    PyradiomicsFirstOrder(),
    PyradiomicsGlcm(),
    PyradiomicsGldm(),
    PyradiomicsGlrlm(),
    PyradiomicsGlszm(),
    PyradiomicsNgtdm(),
)
"""The classes, in the order in which PyRadiomics writes them."""

_PREFIX = "pyradiomics_"

DEVIATING = {
    "pyradiomics_firstorder.Kurtosis": "IPH6",
    "pyradiomics_shape.MeshVolume": "RNU0",
    "pyradiomics_shape.SurfaceArea": "C0JK",
    "pyradiomics_shape.SurfaceVolumeRatio": "2PR5",
    "pyradiomics_shape.Sphericity": "QCFX",
    "pyradiomics_shape.MajorAxisLength": "TDIC",
    "pyradiomics_shape.MinorAxisLength": "P9VJ",
    "pyradiomics_shape.LeastAxisLength": "7J51",
}
"""Features that are an IBSI feature by another definition, and its code; the others without a code are not IBSI's."""


def column_name(feature: Feature) -> str:
    """What PyRadiomics calls a feature of the image as it is, in its output.

    Args:
        feature: a row of one of the families here.

    Example:
        >>> column_name(Feature("", "", "", "pyradiomics_glcm", "Idm", "WF0Z", "ITBB", 0.5, "", "", ""))
        'original_glcm_Idm'
    """
    return f"original_{feature.family.removeprefix(_PREFIX)}_{feature.feature}"
