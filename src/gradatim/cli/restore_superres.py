"""gradatim restore superres: a finer image from a coarse one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class SuperRes:
    """Make an image finer, each of its pixels being the mean of a block of fine ones.

    Attributes:
        image: PNG, JPEG, TIFF or NIfTI.
        out: the file to write, of the same kind; a volume keeps its field of view.
        factor: fine pixels a coarse one along every axis, or one number an axis: rows and columns, or x, y and z.
        method: cosine (a denoiser as prior) or tv (total variation, with λ and a proof).
        noise: standard deviation of the coarse image's noise, in its unit; by default it is estimated.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    factor: tuple[int, ...] = (2,)
    method: str = "cosine"
    noise: float | None = None
    json: bool = False

    def run(self) -> int:
        """Make finer and write."""
        from gradatim.cli.restored_files import restore_file

        return restore_file(self.image, self.out, self._finer, what="refining", as_json=self.json)

    def _finer(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import chosen_prior
        from gradatim.cli.restore_size import require_finer_fits
        from gradatim.restore.super_resolution import SuperResolution

        factors = self.factor * len(image.spacing) if len(self.factor) == 1 else self.factor
        require_finer_fits(image, factors)
        prior = chosen_prior(self.method, image, weight=None)
        return SuperResolution(factors, prior, self.noise, image.spacing)(image.data)
