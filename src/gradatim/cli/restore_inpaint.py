"""gradatim restore inpaint: what is missing, filled in."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class Inpaint:
    """Fill in the pixels that a mask marks as missing.

    Attributes:
        image: PNG, JPEG, TIFF or NIfTI; what it holds where pixels are missing does not matter.
        mask: an image of the same size, of any of these kinds, not 0 where a pixel is missing.
        out: the file to write, of the kind of the image.
        method: cosine (a denoiser fills, best on photographs) or tv (least total variation, with a proof).
        noise: standard deviation of the noise of the known pixels; 0 keeps them exactly.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    mask: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MASK")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    method: str = "cosine"
    noise: float = 0.0
    json: bool = False

    def run(self) -> int:
        """Fill in and write."""
        from gradatim.cli.restored_files import restore_file

        return restore_file(self.image, self.out, self._filled, what="filling in", as_json=self.json)

    def _filled(self, image: "AnyImage") -> "Restored":
        from gradatim.base.choice import choose
        from gradatim.cli.restore_region import read_region
        from gradatim.restore.inpaint import Inpainting
        from gradatim.restore.local_cosine import LocalCosine
        from gradatim.restore.plug_and_play import PlugAndPlay
        from gradatim.restore.prior import Prior, VariationPrior

        missing = read_region(self.mask, image)
        # each colour by itself: where all three are missing, their sum knows no more than they do
        priors: dict[str, Prior] = {
            "cosine": PlugAndPlay(LocalCosine(len(image.spacing)), steps=40),
            "tv": VariationPrior(),
        }
        prior = choose(self.method, priors, what="method")
        return Inpainting(prior, self.noise, image.spacing)(image.data, known=~missing)
