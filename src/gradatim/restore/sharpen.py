"""Sharpening: the honest kind, which undoes a stated blur, and the photographer's, which exaggerates edges."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.gaussian import smooth
from gradatim.restore.deblur import Deblurring
from gradatim.restore.local_cosine import mirrored
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.point_spread import gaussian_spread
from gradatim.restore.prior import Prior
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing


@dataclass(frozen=True, eq=False)
class Sharpening:
    """Undoes a small Gaussian blur of stated width, as that of a lens or of a resampling, without raising the noise.

    The same as :class:`Deblurring` with :func:`~gradatim.restore.point_spread.gaussian_spread`: values stay in their
    unit, and where the stated width is right they are nearer to the truth. A width that is too large makes halos.

    Args:
        width: standard deviation of the blur, pixels, > 0.
        prior: how the image is thought to be.
        noise: σ of the white noise, unit of the image; None to estimate it.
        spacing: edges of a pixel or voxel, mm.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the image has too few axes.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Example:
        >>> Sharpening(0.8).width
        0.8
    """

    width: float = 1.0
    prior: Prior = field(default_factory=PlugAndPlay)
    noise: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        require_positive(self.width, "width", do="give the width of the blur in pixels, e.g. 1")
        require_positive(self.noise, "noise")
        require_spacing(self.spacing)

    def __call__(self, image: Tensor) -> Restored:
        """Sharpen an image, (..., x, y) or (..., x, y, z)."""
        kernel = gaussian_spread(self.width, axes=len(self.spacing))
        return Deblurring(kernel, self.prior, self.noise, self.spacing)(image)


@dataclass(frozen=True)
class UnsharpMask:
    """x + amount·(x − g * x): edges steeper for the eye. Not a restoration: it raises noise and overshoots at edges.

    Local: a pixel depends on those within ``reach``. Borders are mirrored. Differentiable.

    Args:
        width: standard deviation of the Gaussian g, pixels, > 0.
        amount: ≥ 0; 1 doubles what the Gaussian takes away.
        axes: 2 or 3 trailing axes of space.

    Raises:
        UsageError: GD-101 if a parameter is out of range.

    Example:
        >>> UnsharpMask(amount=1.0)(torch.full((8, 8), 3.0)).max().item()
        3.0
    """

    width: float = 1.0
    amount: float = 1.0
    axes: int = 2

    def __post_init__(self) -> None:
        require_positive(self.width, "width", do="give the width of the blur in pixels, e.g. 1")
        if not (math.isfinite(self.amount) and self.amount >= 0) or self.axes not in (2, 3):
            raise UsageError(
                "GD-101",
                given=f"amount {self.amount}, axes {self.axes}",
                allowed="an amount of 0 or more, 2 or 3 axes",
                do="see the defaults",
            )

    @property
    def reach(self) -> int:
        """How far, in pixels, a pixel can feel another."""
        return math.ceil(3.0 * self.width)

    def __call__(self, image: Tensor) -> Tensor:
        """Sharpen an image, (..., x, y) or (..., x, y, z)."""
        require_image(image, self.axes)
        space = image.shape[image.ndim - self.axes :]
        flat = image.reshape(-1, *space)
        blurred = torch.stack([self._blurred(each) for each in flat]).reshape(image.shape)
        return image + self.amount * (image - blurred)

    def _blurred(self, image: Tensor) -> Tensor:
        wide = mirrored(image, self.reach)
        out = smooth(wide, (self.width,) * self.axes)
        return out[tuple(slice(self.reach, self.reach + n) for n in image.shape)]
