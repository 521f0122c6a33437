"""The scalar PSF of a microscope whose layers are not those that its objective was made for."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.restore.microscopy.pupil import pupil_intensity, require_optics
from gradatim.restore.microscopy.radial_psf import Number, RadialPsf, as_float


@dataclass(frozen=True, eq=False)
class Layers:
    """What lies between the objective and the sample.

    Args:
        immersion_index: refractive index of oil, water or air.
        coverslip_index: refractive index of the glass.
        immersion_thickness: m; the working distance.
        coverslip_thickness: m.
    """

    immersion_index: Number = 1.515
    coverslip_index: Number = 1.515
    immersion_thickness: Number = 150e-6
    coverslip_thickness: Number = 170e-6


@dataclass(frozen=True, eq=False)
class GibsonLanni(RadialPsf):
    """h ∝ |∫ J₀(k NA r ρ) exp(i k Δ(ρ, z)) ρ dρ|², Δ the path that light takes beyond what the lens corrects.

    With s(n) = √(n² − NA²ρ²): Δ = d s(n_s) + (z + t_i) s(n_i) − t_i⁰ s(n_i⁰) + t_g s(n_g) − t_g⁰ s(n_g⁰), where 0
    marks the design. With all layers as designed and d = 0 only z s(n_i) is left, Debye's integral. Light that
    is totally reflected (NA ρ above an index) is left out. Where a source at depth d under the coverslip lies in a
    sample of another index, the brightest plane is not z = 0; deconvolution then puts the object at its true
    depth. The PSF holds for that depth alone. Differentiable with respect to all tensors.

    Args:
        numerical_aperture: NA.
        wavelength: λ of the emitted light in vacuum, m.
        sample_index: n_s.
        depth: d of the source under the coverslip, m, ≥ 0.
        design: the layers that the objective corrects.
        actual: those that are there; None if as designed.

    Raises:
        UsageError: GD-101 for numbers that no microscope has.

    Source:
        Gibson & Lanni, J Opt Soc Am A 8:1601-1613, 1991.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> deep = GibsonLanni(1.4, 610e-9, sample_index=1.33, depth=5e-6)
        >>> psf = deep(Grid((9, 9, 65), (1e-4, 1e-4, 2.5e-4)))
        >>> int(psf[4, 4].argmax())
        7
    """

    numerical_aperture: Number
    wavelength: Number
    sample_index: Number = 1.33
    depth: Number = 0.0
    design: Layers = Layers()
    actual: Layers | None = None

    def __post_init__(self) -> None:
        there = self.actual or self.design
        immersion = (there.immersion_index, self.design.immersion_index)
        require_optics(self.numerical_aperture, self.wavelength, immersion)
        glass = (there.coverslip_index, self.design.coverslip_index)
        require_optics(self.numerical_aperture, self.wavelength, (*immersion, *glass, self.sample_index))

    def intensity(self, radius: Tensor, depth: Tensor) -> Tensor:
        there, made = self.actual or self.design, self.design
        aperture = torch.as_tensor(self.numerical_aperture, dtype=torch.float64)
        length = torch.as_tensor(self.wavelength, dtype=torch.float64)
        indices = (there.immersion_index, there.coverslip_index, made.immersion_index, made.coverslip_index)
        edge = min(1.0, *(as_float(index) / as_float(aperture) for index in (*indices, self.sample_index)))

        def phase(rho: Tensor) -> Tensor:
            def along(index: Number) -> Tensor:
                """Cosine of the angle in a layer, times its index."""
                squared = torch.as_tensor(index, dtype=torch.float64).square() - (aperture * rho).square()
                return squared.clamp_min(1e-30).sqrt()

            fixed = (
                self.depth * along(self.sample_index)
                + there.immersion_thickness * along(there.immersion_index)
                - made.immersion_thickness * along(made.immersion_index)
                + there.coverslip_thickness * along(there.coverslip_index)
                - made.coverslip_thickness * along(made.coverslip_index)
            )
            return 2.0 * math.pi / length * (fixed[:, None] + along(there.immersion_index)[:, None] * depth)

        return pupil_intensity(radius, phase, numerical_aperture=aperture, wavelength=length, edge=edge)
