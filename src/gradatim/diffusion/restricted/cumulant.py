"""The variance of the phase that a pair of pulses gives to spins in a pore: all that weak gradients see."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.diffusion.restricted.pores import Pore
from gradatim.diffusion.restricted.pulses import PulsePair

_LEAST, _MOST = 128, 16384


def half_variance(pore: Pore, pulses: PulsePair, diffusivity: Tensor | float) -> tuple[Tensor, Tensor]:
    """½⟨φ²⟩ for rectangular pulses, and a bound of what the modes left out would add; differentiable.

    ½⟨φ²⟩ = γ²G²·size²·Σ B_n/k_n²·[2k_nδ − 2 + 2e^(−k_nδ) + 2e^(−k_nΔ) − e^(−k_n(Δ−δ)) − e^(−k_n(Δ+δ))],
    k_n = α_n²·D/size².

    Args:
        pore: between whose walls.
        pulses: (...).
        diffusivity: D, m²/s, broadcast to the pulses.

    Returns:
        Two tensors (...).

    Raises:
        UsageError: GD-194 unless the diffusivity is positive.

    Source:
        Murday & Cotts, J Chem Phys 48:4938-4945, 1968; Neuman, J Chem Phys 60:4508-4511, 1974.
    """
    gradient, duration, separation = pulses.terms
    free = checked(diffusivity)
    shares, roots = pore.position_modes(_cutoff(pore, free, duration))
    rates = free[..., None] * (roots / pore.size) ** 2
    apart, x = rates * (separation - duration)[..., None], rates * duration[..., None]
    bracket = 2.0 * _beyond_linear(x) - torch.expm1(-x).square() * torch.exp(-apart)
    scale = (PROTON_GAMMA_RAD_PER_S_T * gradient * pore.size) ** 2
    left = (pore.mean_square - shares.sum()).clamp_min(0.0)
    return scale * (shares * bracket / rates**2).sum(-1), scale * left * 2.0 * duration / rates[..., -1]


def half_variance_of_short_pulses(pore: Pore, pulses: PulsePair, diffusivity: Tensor | float) -> Tensor:
    """½⟨φ²⟩ = (γGδ)²·½⟨(x(Δ) − x(0))²⟩, as if the pulses had no length; (...).

    Args:
        pore: between whose walls.
        pulses: (...).
        diffusivity: D, m²/s.
    """
    _, _, separation = pulses.terms
    return pulses.wavenumber**2 * half_displacement(pore, separation, diffusivity)


def half_displacement(pore: Pore, time: Tensor, diffusivity: Tensor | float) -> Tensor:
    """½⟨(x(t) − x(0))²⟩ = size²·(⟨x²⟩ − Σ B_n·exp(−α_n²Dt/size²)), (...), m².

    Args:
        pore: between whose walls.
        time: t, (...), s.
        diffusivity: D, m²/s.
    """
    free = checked(diffusivity)
    shares, roots = pore.position_modes(_cutoff(pore, free, time))
    gone = -torch.expm1(-(free * time)[..., None] * (roots / pore.size) ** 2)
    left = (pore.mean_square - shares.sum()).clamp_min(0.0)
    return pore.size**2 * ((shares * gone).sum(-1) + left)


def checked(diffusivity: Tensor | float) -> Tensor:
    """A diffusivity as float64, refused unless positive and finite.

    Args:
        diffusivity: m²/s.

    Raises:
        UsageError: GD-194.
    """
    free = torch.as_tensor(diffusivity, dtype=torch.float64)
    if not bool(((free > 0) & (free < 1.0)).all()):
        raise UsageError(
            "GD-194",
            given=f"a diffusivity of {free.flatten()[:3].tolist()} m²/s",
            allowed="a positive number below 1",
            do="give m²/s: water at 25 °C has 2.3e-9",
        )
    return free


def _cutoff(pore: Pore, free: Tensor, time: Tensor) -> int:
    """So many modes that the next has decayed within the time, a power of 2."""
    reach = float((free * time).detach().min().sqrt())
    wanted = 6.0 * pore.size / max(reach, 1e-300)
    return int(2 ** math.ceil(math.log2(min(max(wanted, _LEAST), _MOST))))


def _beyond_linear(x: Tensor) -> Tensor:
    """x − 1 + exp(−x), also where x is small."""
    small = x.clamp_max(0.05)
    series = small**2 / 2 * (1 - small / 3 * (1 - small / 4 * (1 - small / 5 * (1 - small / 6 * (1 - small / 7)))))
    return torch.where(x < 0.05, series, x + torch.expm1(-x))
