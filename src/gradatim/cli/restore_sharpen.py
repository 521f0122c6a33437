"""gradatim restore sharpen: a small blur undone, or edges exaggerated."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.choice import choose
from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored


@dataclass(frozen=True)
class Sharpen:
    """Sharpen: undo a small Gaussian blur without raising the noise, or steepen edges for the eye.

    Attributes:
        image: PNG, JPEG, TIFF or NIfTI.
        out: the file to write, of the same kind.
        width: standard deviation of the blur, pixels.
        method: cosine or tv (the blur is undone, as by deblur) or unsharp (x + amount·(x − blurred x), which raises
            noise and overshoots at edges).
        amount: of unsharp; by default 1.
        noise: standard deviation of the noise, in the image's unit; by default it is estimated.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    width: float = 1.0
    method: str = "cosine"
    amount: float | None = None
    noise: float | None = None
    json: bool = False

    def run(self) -> int:
        """Sharpen and write.

        Raises:
            UsageError: GD-101 for a blur larger than the image; GD-102 for an unknown method; GD-104 for an option
                that the method has not.
        """
        from gradatim.cli.restored_files import restore_file

        made = choose(
            self.method, {"cosine": self._undone, "tv": self._undone, "unsharp": self._unsharp}, what="method"
        )
        return restore_file(self.image, self.out, made, what="sharpening", as_json=self.json)

    def _undone(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_choice import chosen_prior
        from gradatim.cli.restore_size import require_blur_within
        from gradatim.restore.sharpen import Sharpening

        if self.amount is not None:
            raise UsageError(
                "GD-104",
                given=f"--amount with the method {self.method}, which knows of none",
                allowed="--amount with --method unsharp",
                do="leave one of them out",
            )
        require_blur_within(image, 6.0 * self.width, what=f"--width {self.width:g}")
        prior = chosen_prior(self.method, image, weight=None)
        return Sharpening(self.width, prior, self.noise, image.spacing)(image.data)

    def _unsharp(self, image: "AnyImage") -> "Restored":
        from gradatim.cli.restore_size import require_blur_within
        from gradatim.restore.restored import Restored
        from gradatim.restore.sharpen import UnsharpMask

        if self.noise is not None:
            raise UsageError(
                "GD-104",
                given="--noise with the method unsharp, which knows of none",
                allowed="--noise with --method cosine or tv",
                do="leave one of them out",
            )
        require_blur_within(image, 6.0 * self.width, what=f"--width {self.width:g}")
        mask = UnsharpMask(self.width, 1.0 if self.amount is None else self.amount, len(image.spacing))
        return Restored(mask(image.data), 0.0)
