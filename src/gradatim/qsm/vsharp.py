"""Background removal by spherical means of varying radius."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import FieldMap
from gradatim.base.soundness import require_sound
from gradatim.linop.crop import Pad
from gradatim.linop.fft import fast_shape, irfftn, rfftn
from gradatim.linop.sphere import spherical_mean
from gradatim.qsm.boundary_value import LocalField

INSIDE = 0.999
"""A sphere counts as inside the mask when this much of it is; the rest is rounding of the transform."""


@dataclass(frozen=True)
class VSharp:
    """Removes the background by subtracting spherical means: V-SHARP.

    A harmonic field equals its mean over any sphere inside the mask, so (δ − s_r) ∗ f keeps only the local
    field. Each voxel takes the largest radius r whose sphere fits into the mask; the convolution with the
    largest radius is then undone in Fourier space, where |1 − ŝ| exceeds ``threshold``; other frequencies,
    the lowest, are lost.

    The standard error is passed on as it is. Differentiable in the field.

    Args:
        radii_mm: radii to try, mm, > 0; the order does not matter. Those below the longest voxel edge are left
            out: a mean over hardly more than the voxel itself tells nothing of its surroundings.
        threshold: truncation, between 0 and 1.

    Raises:
        UsageError: GD-101 if there is no radius, one is not positive, all are below the voxel edge, or the
            threshold is out of range.
        InputError: GD-601 if not even the smallest sphere fits into the mask; GD-603 if the field is not finite
            inside it.

    Source:
        Li, Wu & Liu, NeuroImage 55:1645 (2011); Schweser et al., NeuroImage 54:2789 (2011); threshold 0.05
        from Wu et al., Magn Reson Med 67:137 (2012).

    Example:
        >>> VSharp(radii_mm=(9.0, 3.0))
        VSharp(radii_mm=(9.0, 3.0), threshold=0.05)
    """

    radii_mm: tuple[float, ...] = (12.0, 10.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0)
    threshold: float = 0.05

    def __post_init__(self) -> None:
        possible = all(math.isfinite(radius) and radius > 0 for radius in self.radii_mm)
        if not self.radii_mm or not possible or not 0.0 < self.threshold < 1.0:
            raise UsageError(
                "GD-101",
                given=f"radii_mm {self.radii_mm}, threshold {self.threshold}",
                allowed="at least one radius > 0 mm and a threshold between 0 and 1",
                do="use 12 to 1 mm and 0.05",
            )

    def __call__(self, total: FieldMap) -> LocalField:
        """Remove the background.

        Args:
            total: field in Hz.

        Returns:
            The local field on the voxels around which a sphere fitted.
        """
        spacing, mask = total.grid.spacing, total.mask
        require_sound(mask, total.field)
        radii = self._radii(max(spacing))
        reach = [radii[0] / edge for edge in spacing]
        x, y, z = (int(max(n, r) + r) + 2 for n, r in zip(total.grid.shape, reach, strict=True))
        pad = Pad.centred(total.grid.shape, fast_shape((x, y, z)))
        field = rfftn(pad.apply(torch.where(mask, total.field, 0.0)))
        inside = rfftn(pad.apply(mask.to(total.field.dtype)))
        kept = torch.zeros(pad.padded, dtype=torch.bool, device=mask.device)
        filtered = torch.zeros(pad.padded, dtype=total.field.dtype, device=mask.device)
        inverse = None
        for radius in radii:
            mean = spherical_mean(pad.padded, spacing, radius_mm=radius).symbol.to(field.real)
            fits = irfftn(inside * mean, pad.padded) > INSIDE
            filtered = torch.where(fits & ~kept, irfftn(field * (1.0 - mean), pad.padded), filtered)
            kept = kept | fits
            if inverse is None:
                sharpness = 1.0 - mean
                inverse = torch.where(sharpness.abs() > self.threshold, 1.0 / sharpness, 0.0)
        if inverse is None or not bool(kept.any()):
            raise InputError(
                "GD-601",
                given=f"a mask into which no sphere of {radii[-1]} mm fits",
                allowed="a mask thicker than the smallest radius",
                do="give a larger mask or a smaller radius",
            )
        within = pad.adjoint(kept.to(total.field.dtype)) > 0.5
        local = torch.where(within, pad.adjoint(irfftn(rfftn(filtered) * inverse, pad.padded)), 0.0)
        error = torch.where(within, total.error, 0.0)
        return LocalField(FieldMap(local, error, within, total.field_strength, total.grid))

    def _radii(self, edge: float) -> list[float]:
        """The radii that reach beyond a voxel, largest first."""
        radii = sorted((radius for radius in self.radii_mm if radius >= edge), reverse=True)
        if not radii:
            raise UsageError(
                "GD-101",
                given=f"radii_mm {self.radii_mm} for voxels of {edge:g} mm",
                allowed="a radius of at least the longest voxel edge",
                do="add larger radii",
            )
        return radii
