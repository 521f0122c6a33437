"""All families and all features that gradatim knows; what is listed here is tested, documented and extracted."""

from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.gldzm import Gldzm
from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.morphology import Morphology
from gradatim.radiomics.record import Family, FeatureRecord
from gradatim.radiomics.statistics import Statistics

FAMILIES: tuple[Family, ...] = (Morphology(), Statistics(), Glcm(), Glrlm(), Glszm(), Gldzm())
"""The families, in the order of the IBSI manual."""

CATALOGUE: dict[str, FeatureRecord] = {
    f"{family.id}.{record.id}": record for family in FAMILIES for record in family.features
}
"""Family and feature, e.g. ``"glcm.contrast"`` → record."""
