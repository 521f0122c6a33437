"""Filling in what is missing."""

from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.observation import observe
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.prior import Prior
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing
from gradatim.restore.white_noise import white_noise


@dataclass(frozen=True)
class Inpainting:
    """Finds the values of missing pixels, which count as nothing: not as 0, not as their neighbours.

    Without noise the known pixels come back exactly as they were. With noise they are denoised as well. By default
    holes are filled by a denoiser (:class:`PlugAndPlay`); ``VariationPrior()`` fills them with the least total
    variation, with a certificate, which continues edges straight and leaves texture out.

    Args:
        prior: how the image is thought to be.
        noise: σ of the known pixels, unit of the image; 0 keeps them, None estimates it.
        spacing: edges of a pixel or voxel, mm; their number says how many trailing axes are space.

    Raises:
        UsageError: GD-101 if a parameter is out of range; GD-103 if mask and image disagree.
        InputError: GD-661 if no pixel is known or none is missing; GD-640 if the noise cannot be told; GD-660.

    Source:
        Bertalmio et al., SIGGRAPH 2000; Chan & Shen, SIAM J Appl Math 62:1019-1043, 2002 (total variation).

    Example:
        >>> import torch
        >>> ramp = torch.arange(24.0).expand(24, 24).clone()
        >>> known = torch.ones(24, 24, dtype=torch.bool); known[8:12, 8:12] = False
        >>> found = Inpainting()(torch.where(known, ramp, -999.0), known=known)
        >>> float((found.value - ramp).abs().max()) < 1.0
        True
    """

    prior: Prior = field(default_factory=lambda: PlugAndPlay(steps=40))
    noise: float | None = 0.0
    spacing: tuple[float, ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        require_spacing(self.spacing)
        if self.noise != 0:
            require_positive(self.noise, "noise", do="give 0 where known pixels are exact")

    def __call__(self, image: Tensor, *, known: Tensor) -> Restored:
        """Fill in.

        Args:
            image: (..., x, y) or (..., x, y, z), any unit; missing pixels may hold anything, NaN too.
            known: bool, broadcasts to the image, False where a pixel is missing.
        """
        if known.dtype.is_floating_point or known.shape[-len(self.spacing) :] != image.shape[-len(self.spacing) :]:
            raise UsageError(
                "GD-103",
                given=f"a mask of shape {tuple(known.shape)} ({known.dtype}) for an image {tuple(image.shape)}",
                allowed="a bool mask of the image's shape",
                do="give True where the image is known",
            )
        if bool(known.all()):
            raise InputError(
                "GD-661", given="no missing pixel", allowed="at least one", do="denoise, if that is what is meant"
            )
        whole = image.masked_fill(~known.expand(image.shape), 0.0)
        require_image(whole, len(self.spacing))
        seen = observe(whole, spacing=self.spacing, known=known)
        noise = white_noise(whole, axes=len(self.spacing), known=known) if self.noise is None else self.noise
        return self.prior.restored(seen, noise)
