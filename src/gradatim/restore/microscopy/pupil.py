"""Diffraction by a round pupil: the scalar integral that Born-Wolf and Gibson-Lanni share."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.microscopy.bessel import bessel_j0
from gradatim.restore.microscopy.radial_psf import Number, as_float

NODES = 32
"""Gauss-Legendre points a panel; exact to rounding while the phase turns by less than ``PANEL_PHASE`` in it."""

PANEL_PHASE = 20.0


def pupil_intensity(
    radius: Tensor, phase: Callable[[Tensor], Tensor], *, numerical_aperture: Number, wavelength: Number, edge: float
) -> Tensor:
    """h(r, z) = (k NA)²/(π e²) · |∫₀ᵉ J₀(k NA r ρ) exp(i W(ρ, z)) ρ dρ|², with 2π∫ h r dr = 1 for each z.

    k = 2π/λ. The unit light of each plane is Parseval's theorem for the Hankel transform. The integral is a sum
    over panels of Gauss-Legendre points, as many as the phase and the Bessel function turn.

    Args:
        radius: (R,), m.
        phase: ρ (N,) → W (N, Z), rad.
        numerical_aperture: NA.
        wavelength: λ in vacuum, m.
        edge: e ≤ 1, share of the pupil's radius through which light passes.

    Returns:
        (R, Z), 1/m², float64.
    """
    wavenumber = 2.0 * math.pi / torch.as_tensor(wavelength, dtype=torch.float64)
    scale = wavenumber * torch.as_tensor(numerical_aperture, dtype=torch.float64)
    probe = phase(torch.linspace(0.0, edge, 257, dtype=torch.float64)).detach()
    turning = float(probe.diff(dim=0).abs().sum(dim=0).max()) + float((scale.detach() * radius.max()) * edge)
    rho, weights = _panels(1 + math.ceil(turning / PANEL_PHASE), edge)
    wave = phase(rho)
    waves = torch.complex(torch.cos(wave), torch.sin(wave)) * (weights * rho)[:, None]
    bessel = bessel_j0(scale * radius[:, None] * rho)
    field = torch.complex(bessel @ waves.real, bessel @ waves.imag)
    return (field.real.square() + field.imag.square()) * (scale.square() / (math.pi * edge**2))


def require_optics(numerical_aperture: Number, wavelength: Number, indices: tuple[Number, ...]) -> None:
    """Refuse numbers that no microscope has.

    Raises:
        UsageError: GD-101 for a wavelength outside 100 nm to 2 µm (it is in m), an index outside 1 to 3, or an
            aperture that is not between 0 and the largest index.
    """
    aperture, length = as_float(numerical_aperture), as_float(wavelength)
    values = [as_float(index) for index in indices]
    if not all(1.0 <= value <= 3.0 for value in values):
        raise UsageError(
            "GD-101", given=f"refractive indices {values}", allowed="1 to 3", do="1.33 is water, 1.515 oil and glass"
        )
    if not 1e-7 <= length <= 2e-6:
        raise UsageError(
            "GD-101", given=f"a wavelength of {length:g} m", allowed="1e-7 to 2e-6 m", do="520 nm are 520e-9"
        )
    if not 0.0 < aperture < max(values):
        raise UsageError(
            "GD-101",
            given=f"a numerical aperture of {aperture:g} with indices {values}",
            allowed="above 0 and below the refractive index",
            do="look at the objective's engraving, e.g. 100×/1.4 oil",
        )


def _panels(count: int, edge: float) -> tuple[Tensor, Tensor]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    width = edge / count
    starts = torch.arange(count, dtype=torch.float64) * width
    rho = starts[:, None] + width * (torch.from_numpy(nodes) + 1.0) / 2.0
    return rho.flatten(), (torch.from_numpy(weights) * width / 2.0).repeat(count)
