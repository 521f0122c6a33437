"""The scalar PSF of an ideal widefield microscope, paraxial."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.restore.microscopy.pupil import pupil_intensity, require_optics
from gradatim.restore.microscopy.radial_psf import Number, RadialPsf


@dataclass(frozen=True, eq=False)
class BornWolf(RadialPsf):
    """h ∝ |∫₀¹ J₀(k NA r ρ) exp(−½ i k z NA² ρ²/n) ρ dρ|², k = 2π/λ: Kirchhoff's integral for a perfect lens.

    In focus the Airy pattern (2J₁(v)/v)², v = k NA r, dark first at r = 0.61 λ/NA; on the axis sinc²,
    dark first at z = 2 n λ/NA². Paraxial: for NA above about 0.7 n the planes off focus are too slim, and
    :class:`GibsonLanni` with equal indices, which keeps the square root, is nearer to the truth. Neither knows
    polarisation. Differentiable with respect to all three.

    Args:
        numerical_aperture: NA.
        wavelength: λ of the emitted light in vacuum, m.
        refractive_index: n of immersion and sample.

    Raises:
        UsageError: GD-101 for numbers that no microscope has.

    Source:
        Born & Wolf, Principles of Optics, 7th ed., 8.8.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> psf = BornWolf(1.4, 520e-9, 1.515)(Grid((15, 15, 9), (1e-4, 1e-4, 2.5e-4)))
        >>> tuple(psf.shape), divmod(int(psf.argmax()), 9)
        ((15, 15, 9), (112, 4))
    """

    numerical_aperture: Number
    wavelength: Number
    refractive_index: Number = 1.515

    def __post_init__(self) -> None:
        require_optics(self.numerical_aperture, self.wavelength, (self.refractive_index,))

    def intensity(self, radius: Tensor, depth: Tensor) -> Tensor:
        aperture, length, index = (
            torch.as_tensor(value, dtype=torch.float64)
            for value in (self.numerical_aperture, self.wavelength, self.refractive_index)
        )
        strength = -math.pi / length * aperture.square() / index
        return pupil_intensity(
            radius,
            lambda rho: strength * rho.square()[:, None] * depth,
            numerical_aperture=aperture,
            wavelength=length,
            edge=1.0,
        )
