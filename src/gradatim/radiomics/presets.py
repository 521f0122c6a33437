"""Settings with a name: the strings of the command line, as objects."""

from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.discretise import FixedBinSize, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation

IBSI_DIGITAL = Extraction(Preparation(NoDiscretisation()), aggregations=EVERY_AGGREGATION)
"""What the IBSI digital phantom is measured with: its intensities are grey levels, all nine aggregations."""

QSM = Extraction(Preparation(FixedBinSize(width=0.01, origin=-2.0)))
"""For susceptibility maps in ppm.

Bins of fixed size, because χ is calibrated: a level means the same in every region and subject. Width
0.01 ppm, about the voxel noise of a good χ map at 3 T: narrower bins would count noise, much wider ones would
leave a deep nucleus, whose χ spreads over 0.1 to 0.3 ppm, only a handful of levels instead of 10 to 30. Origin
−2 ppm, below tissue, veins and most calcifications; a region that reaches lower has no texture, with that reason.
One 3-D matrix, merged over the 13 directions, so that no slice direction is preferred.
"""

PRESETS: dict[str, Extraction] = {"ibsi-digital": IBSI_DIGITAL, "qsm": QSM}
"""Name → extraction."""
