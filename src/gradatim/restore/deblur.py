"""Undoing a blur that is known."""

from dataclasses import dataclass, field

from torch import Tensor

from gradatim.restore.observation import observe
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.prior import Prior
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing
from gradatim.restore.white_noise import white_noise


@dataclass(frozen=True, eq=False)
class Deblurring:
    """Finds the image x of which h * x, with noise, was seen, h known.

    x is sought on a canvas that goes beyond the picture by the reach of h: light may come from outside, nothing wraps
    around, and no border rings. By default a denoiser stands for what pictures are (:class:`PlugAndPlay`);
    ``VariationPrior()`` gives the total-variation solution with λ and certificate.

    Args:
        point_spread: h, (i, j) or (i, j, k), pixels, centred at index n // 2; not normalised here. See
            :mod:`gradatim.restore.point_spread`.
        prior: how the image is thought to be.
        noise: σ of the white noise after the blur, unit of the image; None to estimate it.
        spacing: edges of a pixel or voxel, mm; their number says how many trailing axes are space.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the kernel has another number of axes.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite; GD-662 if h is no kernel.

    Source:
        Almeida & Figueiredo, IEEE Trans Image Process 22:3074-3086, 2013 (unknown borders as missing data).

    Example:
        >>> import torch
        >>> from gradatim.restore.point_spread import gaussian_spread
        >>> sharp = torch.zeros(40, 40); sharp[10:30, 12:28] = 100.0
        >>> seen = observe(sharp, spacing=(1.0, 1.0), kernel=gaussian_spread(1.5))
        >>> blurred = seen.picture(seen.blur.apply(seen.first_guess()))
        >>> found = Deblurring(gaussian_spread(1.5), noise=0.5)(blurred)
        >>> bool((found.value - sharp).square().mean() < 0.5 * (blurred - sharp).square().mean())
        True
    """

    point_spread: Tensor
    prior: Prior = field(default_factory=PlugAndPlay)
    noise: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        require_spacing(self.spacing)
        require_positive(self.noise, "noise")

    def __call__(self, image: Tensor) -> Restored:
        """Deblur an image, (..., x, y) or (..., x, y, z)."""
        require_image(image, len(self.spacing))
        noise = white_noise(image, axes=len(self.spacing)) if self.noise is None else self.noise
        seen = observe(image, spacing=self.spacing, kernel=self.point_spread.to(image.device))
        return self.prior.restored(seen, noise)
