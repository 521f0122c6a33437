"""Photon counts in a field and the blur that made them, judged before they are used."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.microscopy.field_blur import Border, FieldBlur


@dataclass(frozen=True, eq=False)
class PhotonCounts:
    """d ~ Poisson(A x + b), with masked data left out; made by :meth:`of`.

    Args:
        data: d ≥ 0, photons a voxel, of the field's shape, 0 where masked.
        blur: A, its PSF's sum 1.
        background: b ≥ 0, a scalar tensor or one of the field's shape, photons a voxel.
        weights: 1 where a datum counts, 0 where not; None if all count.
        border: what lies outside the field.
    """

    data: Tensor
    blur: FieldBlur
    background: Tensor
    weights: Tensor | None
    border: Border

    @classmethod
    def of(
        cls,
        image: Tensor,
        psf: Tensor,
        *,
        border: Border = Border.OPEN,
        background: float | Tensor = 0.0,
        mask: Tensor | None = None,
    ) -> "PhotonCounts":
        """Judge an image, its PSF, background and mask.

        Raises:
            UsageError: GD-103 if shapes or numbers of axes disagree; GD-101 for a background that is negative or
                not finite.
            InputError: GD-603 for data that are not finite, GD-670 for negative ones, where they count; GD-671 for
                a PSF that is negative, not finite or dark.
        """
        make = FieldBlur.periodic if border is Border.PERIODIC else FieldBlur.open
        blur = make(unit_sum(psf).to(image), tuple(image.shape))
        dark = torch.as_tensor(background).to(image)
        others = [tuple(t.shape) for t in (mask, dark if dark.ndim else None) if t is not None]
        if image.ndim not in (2, 3) or any(shape != tuple(image.shape) for shape in others):
            raise UsageError(
                "GD-103",
                given=f"an image {tuple(image.shape)}, with mask or background {others}",
                allowed="an image of two or three axes, and the same shape for what goes with it",
                do="deconvolve one channel and one time at a time",
            )
        if not bool(torch.isfinite(dark).all() & (dark >= 0).all()):
            raise UsageError(
                "GD-101",
                given=f"a background down to {float(dark.min()):g}",
                allowed="finite numbers ≥ 0",
                do="give the background in photons a voxel",
            )
        return cls(_judged(image, mask), blur, dark, None if mask is None else mask.to(image.dtype), border)

    def flat(self) -> Tensor:
        """A constant object with the light that the data hold over the background, on the support."""
        weight = 1.0 if self.weights is None else self.weights
        seen = float(self.data.numel() if self.weights is None else self.weights.sum(dtype=torch.float64))
        light = float(((self.data - self.background) * weight).sum(dtype=torch.float64)) / max(seen, 1.0)
        floor = 1e-3 * float(self.data.sum(dtype=torch.float64)) / max(seen, 1.0)
        return self.within(self.data.new_full(self.blur.support, max(light, floor)))

    def started(self, start: Tensor | None) -> Tensor:
        """The first object on the support: a given one inside the field, a flat one elsewhere."""
        x = self.flat()
        if start is not None:
            if tuple(start.shape) != self.blur.shape or not bool(torch.isfinite(start).all() & (start >= 0).all()):
                raise UsageError(
                    "GD-103",
                    given=f"a start of shape {tuple(start.shape)}",
                    allowed=f"finite values ≥ 0 of shape {self.blur.shape}",
                    do="start from another deconvolution's value, or from nothing",
                )
            x[self.blur.window] = start.to(x)
        return x

    def within(self, x: Tensor) -> Tensor:
        """x, with 0 outside the field if nothing shines there."""
        if self.border is not Border.DARK:
            return x
        inside = torch.zeros_like(x)
        inside[self.blur.window] = x[self.blur.window]
        return inside


def unit_sum(psf: Tensor) -> Tensor:
    """A PSF with its sum made 1, so that deconvolution keeps the unit and the light. Differentiable.

    Raises:
        InputError: GD-671 if it is negative somewhere, not finite or dark.

    Example:
        >>> unit_sum(torch.tensor([[1.0, 3.0]])).tolist()
        [[0.25, 0.75]]
    """
    total = psf.sum(dtype=torch.float64)
    if not (math.isfinite(float(total.detach())) and float(total.detach()) > 0 and bool((psf >= 0).all())):
        raise InputError(
            "GD-671",
            given=f"a PSF from {float(psf.detach().min()):g} with the sum {float(total.detach()):g}",
            allowed="finite values ≥ 0, not all 0",
            do="subtract a bead image's background with MeasuredPsf, which keeps what is left ≥ 0",
        )
    return psf / total.to(psf.dtype)


def _judged(image: Tensor, mask: Tensor | None) -> Tensor:
    data = image.detach() if mask is None else torch.where(mask, image.detach(), 0.0)
    if not bool(torch.isfinite(data).all()):
        raise InputError(
            "GD-603",
            given=f"{int((~torch.isfinite(data)).sum())} values that are not finite",
            allowed="finite photon counts",
            do="leave those voxels out by a mask",
        )
    if float(data.min()) < 0:
        raise InputError(
            "GD-670",
            given=f"{int((data < 0).sum())} negative values, down to {float(data.min()):g}",
            allowed="photon counts, ≥ 0",
            do="bring the image to photons first (PhotonTransfer), or leave such voxels out by a mask",
        )
    return data.contiguous()
