"""A finer image from a coarse one whose pixels are means."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.observation import observe
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.prior import Prior
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing
from gradatim.restore.white_noise import white_noise


@dataclass(frozen=True)
class SuperResolution:
    """Finds the finer image x of which every coarse pixel is the mean of a block, with noise.

    For intensive quantities (brightness, concentration, ppm): a flat image stays flat. The block means of the result
    agree with the data up to the noise. What the data do not say is the prior's: edges may become sharp, but texture
    finer than the coarse pixel is not brought back.

    Args:
        factors: fine pixels a coarse one, one an axis, ≥ 1.
        prior: how the image is thought to be.
        noise: σ of the coarse image, its unit; None to estimate it.
        spacing: edges of a *coarse* pixel or voxel, mm; those of the result are ``factors`` times smaller.

    Raises:
        UsageError: GD-101 if a parameter is out of range; GD-103 if factors and spacing differ in length.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Source:
        Marquina & Osher, J Sci Comput 37:367-382, 2008 (with total variation).

    Example:
        >>> coarse = torch.zeros(16, 16); coarse[4:12, 4:12] = 100.0
        >>> tuple(SuperResolution((2, 2), noise=1.0)(coarse).value.shape)
        (32, 32)
    """

    factors: tuple[int, ...] = (2, 2)
    prior: Prior = field(default_factory=PlugAndPlay)
    noise: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        require_spacing(self.spacing)
        require_positive(self.noise, "noise")
        if len(self.factors) != len(self.spacing):
            raise UsageError(
                "GD-103",
                given=f"factors {self.factors} with spacing {self.spacing}",
                allowed="one factor and one edge an axis",
                do="give as many",
            )
        if any(factor < 1 for factor in self.factors):
            raise UsageError("GD-101", given=f"factors {self.factors}", allowed="1 or more", do="choose 2 or 3")

    def __call__(self, image: Tensor) -> Restored:
        """Make an image, (..., x, y) or (..., x, y, z), finer."""
        axes = len(self.spacing)
        require_image(image, axes)
        noise = white_noise(image, axes=axes) if self.noise is None else self.noise
        fine = tuple(n * f for n, f in zip(image.shape[image.ndim - axes :], self.factors, strict=True))
        # a centred mean over f pixels is that of a block at the pixel f − 1 − f // 2 of the block
        places: tuple = (..., *(slice(f - 1 - f // 2, None, f) for f in self.factors))
        data = image.new_zeros((*image.shape[: image.ndim - axes], *fine))
        data[places] = image
        known = torch.zeros(fine, dtype=torch.bool, device=image.device)
        known[places] = True
        kernel = torch.ones(self.factors, dtype=torch.float64)
        spacing = tuple(h / f for h, f in zip(self.spacing, self.factors, strict=True))
        seen = observe(data, spacing=spacing, kernel=(kernel / kernel.sum()).to(image.device), known=known)
        return self.prior.restored(seen, noise)
