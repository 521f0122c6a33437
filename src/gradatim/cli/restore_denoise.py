"""gradatim restore denoise: white noise taken out of an image."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.choice import choose

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class Denoise:
    """Take white noise out of a picture, a stack or a volume.

    Attributes:
        image: PNG, JPEG, TIFF or NIfTI.
        out: the file to write, of the same kind.
        method: cosine (overlapping blocks, best on photographs), tv (total variation, flat regions and sharp edges,
            with a proof), tgv (the same with smooth slopes) or wavelet (soft thresholds).
        noise: standard deviation of the noise in the image's unit; by default it is estimated.
        weight: λ of tv and tgv, image unit times mm (pixels for a picture); by default the noise chooses it.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    method: str = "cosine"
    noise: float | None = None
    weight: float | None = None
    json: bool = False

    def run(self) -> int:
        """Denoise and write.

        Raises:
            UsageError: GD-102 for an unknown method; GD-104 for a λ that the method has not.
        """
        from gradatim.cli.restored_files import restore_file

        made = choose(
            self.method,
            {"cosine": self._cosine, "wavelet": self._wavelet, "tv": self._tv, "tgv": self._tgv},
            what="method",
        )
        return restore_file(self.image, self.out, made, what="denoising", as_json=self.json)

    def _cosine(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import local_cosines
        from gradatim.restore.denoise import Denoising

        self._without_weight()
        return Denoising(local_cosines(image), self.noise, len(image.spacing))(image.data)

    def _wavelet(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import colour
        from gradatim.restore.denoise import AcrossChannels, Denoising
        from gradatim.restore.wavelet_shrinkage import WaveletShrinkage

        self._without_weight()
        axes = len(image.spacing)
        shrinkage = WaveletShrinkage(axes)
        return Denoising(AcrossChannels(shrinkage, axes) if colour(image) else shrinkage, self.noise, axes)(image.data)

    def _tv(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import colour
        from gradatim.restore.total_variation import ColourTotalVariationDenoising, TotalVariationDenoising

        method = ColourTotalVariationDenoising if colour(image) else TotalVariationDenoising
        return method(self.noise, self.weight, image.spacing)(image.data)

    def _tgv(self, image: "AnyImage") -> "Restored":
        from gradatim.restore.generalised_variation import GeneralisedVariationDenoising

        return GeneralisedVariationDenoising(self.noise, self.weight, image.spacing)(image.data)

    def _without_weight(self) -> None:
        from gradatim.base.errors import UsageError

        if self.weight is not None:
            raise UsageError(
                "GD-104",
                given=f"a λ with the method {self.method}",
                allowed="λ with --method tv or tgv",
                do="leave one of them out",
            )
