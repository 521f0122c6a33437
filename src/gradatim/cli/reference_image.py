"""An image whose signal-to-noise ratio is known, from which others are foretold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradatim.scanner.protocol.image_noise import ImageNoise


@dataclass(frozen=True)
class ReferenceImage:
    """What the noise of an image is foretold from.

    Attributes:
        reference_snr: signal-to-noise ratio of the fully relaxed signal in one real channel of a known image.
        reference_volume_mm3: of a voxel of that image, mm³.
        reference_sampling_time: that its receiver listened in all, s: encodings × samples × dwell × averages.
    """

    reference_snr: float = 100.0
    reference_volume_mm3: float = 1.0
    reference_sampling_time: float = 10.0

    def noise(self) -> "ImageNoise":
        """The rule of noise in SI units."""
        from gradatim.scanner.protocol.image_noise import ImageNoise

        return ImageNoise(self.reference_snr, self.reference_volume_mm3 * 1e-9, self.reference_sampling_time)
