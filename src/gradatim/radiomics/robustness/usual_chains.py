"""The perturbations to take where nobody has chosen any."""

from gradatim.radiomics.robustness.move import Rotate
from gradatim.radiomics.robustness.outline import ChangeVolume, RandomiseContour
from gradatim.radiomics.robustness.perturbation import every_chain

ROTATION_VOLUME_CONTOUR = (
    (),
    *every_chain(
        (Rotate(-4.0), Rotate(4.0)),
        (ChangeVolume(-0.1), ChangeVolume(0.1)),
        (
            RandomiseContour(sigma_mm=1.0, smoothness_mm=3.0, seed=1),
            RandomiseContour(sigma_mm=1.0, smoothness_mm=3.0, seed=2),
        ),
    ),
)
"""The image as it is, and eight chains: turned by 4° either way, the volume a tenth less or more, the contour by one
or another hand. Rotation, volume and contour together came nearest to repeated scans in Zwanenburg et al., Sci Rep
9:614 (2019)."""
