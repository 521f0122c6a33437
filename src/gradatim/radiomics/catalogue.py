"""All families and all features that gradatim knows; what is listed here is tested, documented and extracted."""

from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.gldzm import Gldzm
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.histogram import IntensityHistogram
from gradatim.radiomics.local_intensity import LocalIntensity
from gradatim.radiomics.morphology import Morphology
from gradatim.radiomics.ngldm import Ngldm
from gradatim.radiomics.ngtdm import Ngtdm
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.statistics import Statistics
from gradatim.radiomics.volume_histogram import IntensityVolumeHistogram

FAMILIES: tuple[Family, ...] = (
    Morphology(),
    LocalIntensity(),
    Statistics(),
    IntensityHistogram(),
    IntensityVolumeHistogram(),
    Glcm(),
    Glrlm(),
    Glszm(),
    Gldzm(),
    Ngtdm(),
    Ngldm(),
)
"""The families, in the order of the IBSI manual."""

CATALOGUE: dict[str, FeatureRecord] = {
    f"{family.id}.{record.id}": record for family in FAMILIES for record in family.features
}
"""Family and feature, e.g. ``"glcm.contrast"`` → record."""
