"""Magnetic and relaxation properties of the tissues of a head at 3 T.

Susceptibility is relative to water, ppm. Sources: Marques et al., Magn Reson Med 86:526-542, 2021, table 1
(air, bone, cerebrospinal fluid, grey and white matter, fat, muscle, blood, deep nuclei, calcification; the
table's calcification, −3.3, is dense stone, ours is half of it). Outside air enters cavities, so both are 9.2.

R2* at 3 T: Peters et al., Magn Reson Imaging 25:748-753, 2007 (cortex T2* 66 ms, white matter 53 ms);
Gelman et al., Radiology 210:759-767, 1999 (R2 + R2': pallidum 37.8, frontal white matter 21.9, prefrontal
cortex 17.8 1/s). The other nuclei are interpolated between cortex and pallidum by their susceptibility,
because both follow iron. Bone is out of reach of gradient echoes.

Proton density is relative to cerebrospinal fluid, as in Marques et al.
"""

from typing import NamedTuple


class Tissue(NamedTuple):
    """One kind of tissue.

    Attributes:
        susceptibility: relative to water, ppm.
        r2_star: transverse relaxation rate of a gradient echo at 3 T, 1/s.
        proton_density: relative to cerebrospinal fluid.
    """

    susceptibility: float
    r2_star: float
    proton_density: float


AIR = Tissue(9.2, 0.0, 0.0)
AIR_CELLS = Tissue(4.0, 300.0, 0.10)  # mastoid: air and thin bone in turn
BONE = Tissue(-2.1, 400.0, 0.10)
FAT = Tissue(0.019, 35.0, 0.90)
MUSCLE = Tissue(0.0, 33.0, 0.77)
CSF = Tissue(0.019, 1.5, 1.00)
EYE = Tissue(0.0, 2.0, 0.98)
GREY_MATTER = Tissue(0.020, 16.0, 0.83)
WHITE_MATTER = Tissue(-0.030, 20.0, 0.70)
BRAIN_STEM = Tissue(-0.015, 20.0, 0.72)
CAUDATE = Tissue(0.044, 22.0, 0.80)
PUTAMEN = Tissue(0.038, 22.0, 0.80)
PALLIDUM = Tissue(0.131, 37.8, 0.73)
THALAMUS = Tissue(0.020, 20.0, 0.76)
RED_NUCLEUS = Tissue(0.100, 32.0, 0.75)
SUBSTANTIA_NIGRA = Tissue(0.111, 34.0, 0.75)
DENTATE = Tissue(0.152, 34.0, 0.76)
VENOUS_BLOOD = Tissue(0.190, 40.0, 0.86)
CALCIFICATION = Tissue(-1.65, 90.0, 0.45)
