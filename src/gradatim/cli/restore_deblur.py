"""gradatim restore deblur: a known blur undone."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.errors import InputError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class Deblur:
    """Undo a blur that is known: give one of --gaussian, --disk, --motion or --psf.

    Attributes:
        image: PNG, JPEG, TIFF or NIfTI.
        out: the file to write, of the same kind.
        gaussian: standard deviation of a Gaussian blur, pixels.
        disk: radius of a disk, pixels, as a lens out of focus makes it; flat images only.
        motion: length in pixels and angle in degrees, from rightwards (x) towards downwards (y), of a straight
            movement; flat images only.
        psf: image of the blur of one point, centred, of any kind; it is divided by its sum.
        method: cosine (a denoiser as prior, best on photographs) or tv (total variation, with λ and a proof).
        noise: standard deviation of the noise, in the image's unit; by default it is estimated.
        weight: λ of tv; by default the noise chooses it.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    gaussian: float | None = None
    disk: float | None = None
    motion: tuple[float, float] | None = None
    psf: Path | None = None
    method: str = "cosine"
    noise: float | None = None
    weight: float | None = None
    json: bool = False

    def run(self) -> int:
        """Deblur and write.

        Raises:
            UsageError: GD-101 for a blur larger than the image; GD-103 for a flat blur of a volume; GD-104 unless
                exactly one blur is given.
        """
        from gradatim.cli.restored_files import restore_file

        given = [name for name in ("gaussian", "disk", "motion", "psf") if getattr(self, name) is not None]
        if len(given) != 1:
            raise UsageError(
                "GD-104",
                given=f"{len(given)} blurs: {', '.join(given) or 'none'}",
                allowed="one of --gaussian, --disk, --motion, --psf",
                do="say which blur the image has",
            )
        return restore_file(self.image, self.out, self._deblurred, what="deblurring", as_json=self.json)

    def _deblurred(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import chosen_prior
        from gradatim.restore.deblur import Deblurring

        prior = chosen_prior(self.method, image, weight=self.weight)
        return Deblurring(self._point_spread(image), prior, self.noise, image.spacing)(image.data)

    def _point_spread(self, image: "AnyImage") -> "Tensor":
        from gradatim.cli.restore_size import require_blur_within
        from gradatim.io.any_image import read_any
        from gradatim.restore.point_spread import disk_spread, gaussian_spread, motion_spread

        axes = len(image.spacing)
        if self.gaussian is not None:
            require_blur_within(image, 6.0 * self.gaussian, what=f"--gaussian {self.gaussian:g}")
            return gaussian_spread(self.gaussian, axes=axes)
        if axes != 2 and (self.disk is not None or self.motion is not None):
            raise UsageError(
                "GD-103",
                given=f"--disk or --motion, which are flat, for an image with {axes} spatial axes",
                allowed="--gaussian or --psf for a volume",
                do="describe the blur by one of these, or deblur slice by slice",
            )
        if self.disk is not None:
            require_blur_within(image, 2.0 * self.disk, what=f"--disk {self.disk:g}")
            return disk_spread(self.disk)
        if self.motion is not None:
            length, angle = self.motion
            require_blur_within(image, length, what=f"--motion {length:g}")
            return motion_spread(length, angle=math.radians(angle))
        measured = read_any(self.psf or Path()).data.double()
        if measured.ndim != axes or not float(measured.sum()) > 0:
            raise InputError(
                "GD-662",
                given=f"a point-spread function of shape {tuple(measured.shape)} for {axes} axes",
                allowed="a grey image with a positive sum, with as many axes as the image",
                do="save one channel of it",
            )
        return measured / measured.sum()
