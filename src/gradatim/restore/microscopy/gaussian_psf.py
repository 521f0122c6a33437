"""A Gaussian in place of a diffraction pattern: the main lobe alone, by its curvature at the peak."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.microscopy.radial_psf import Number, RadialPsf, as_float


@dataclass(frozen=True, eq=False)
class GaussianPsf(RadialPsf):
    """h ∝ exp(−r²/2σ_r² − z²/2σ_z²). An approximation: it has no rings, and its light fades off focus.

    A widefield microscope keeps all light in every plane, which this does not; use it for confocal data,
    for speed, or to start a fit.

    Args:
        lateral: σ_r, m.
        axial: σ_z, m.

    Raises:
        UsageError: GD-101 if a width is not positive.

    Example:
        >>> wide = GaussianPsf.widefield(1.4, 520e-9, 1.515)
        >>> [round(1e9 * width, 1) for width in (wide.lateral, wide.axial)]
        [83.6, 313.4]
    """

    lateral: Number
    axial: Number

    def __post_init__(self) -> None:
        if not (as_float(self.lateral) > 0 and as_float(self.axial) > 0):
            raise UsageError(
                "GD-101",
                given=f"widths of {as_float(self.lateral):g} and {as_float(self.axial):g} m",
                allowed="above 0",
                do="give standard deviations in m",
            )

    @classmethod
    def widefield(cls, numerical_aperture: Number, wavelength: Number, refractive_index: Number) -> "GaussianPsf":
        """With the curvature of :class:`BornWolf` at its peak: σ_r = √2/(k NA), σ_z = 2√6 n/(k NA²).

        Source:
            Zhang, Zerubia & Olivo-Marin, Appl Opt 46:1819-1829, 2007, table 1, paraxial widefield.
        """
        wavenumber = 2.0 * math.pi / wavelength
        axial = 2.0 * math.sqrt(6.0) * refractive_index / (wavenumber * numerical_aperture**2)
        return cls(math.sqrt(2.0) / (wavenumber * numerical_aperture), axial)

    def intensity(self, radius: Tensor, depth: Tensor) -> Tensor:
        lateral = torch.as_tensor(self.lateral, dtype=torch.float64)
        axial = torch.as_tensor(self.axial, dtype=torch.float64)
        across = torch.exp(-0.5 * (radius / lateral).square()) / (2.0 * math.pi * lateral.square())
        return across[:, None] * torch.exp(-0.5 * (depth / axial).square())
