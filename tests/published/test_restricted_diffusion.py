"""Restricted diffusion: the sums as they were printed, the limits of long and short times, and diffraction minima.

Tanner & Stejskal, J Chem Phys 49:1768 (1968); Murday & Cotts, J Chem Phys 48:4938 (1968); Neuman, J Chem Phys 60:4508
(1974); Robertson, Phys Rev 151:273 (1966); Callaghan et al., Nature 351:467 (1991); Mitra et al., Phys Rev Lett 68:3555
(1992).
"""

import math

import pytest
import torch

from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.diffusion.restricted.attenuation import GaussianPhase, LongTime, ShortPulse
from gradatim.diffusion.restricted.pores import Cylinder, Planes, Pore, Sphere
from gradatim.diffusion.restricted.pulses import PulsePair
from gradatim.diffusion.restricted.short_times import SurfaceToVolume, apparent_diffusivity

WATER = 2.2995e-9
PORES = [Planes(10e-6), Cylinder(5e-6), Sphere(5e-6)]


def at(wavenumber: torch.Tensor, time: float) -> PulsePair:
    """Pulses of next to no length with 2πq = γGδ."""
    return PulsePair(wavenumber / (PROTON_GAMMA_RAD_PER_S_T * 1e-9), 1e-9, time)


@pytest.mark.parametrize("time", [2e-4, 2e-3, 2e-2])
def test_planes_by_tanner_and_stejskal(time: float) -> None:
    """E = 2(1 − cos p)/p² + 4p² Σ exp(−n²π²DΔ/a²)·(1 − (−1)ⁿ cos p)/(p² − n²π²)², p = 2πq·a, as printed."""
    spacing, q = 10e-6, torch.linspace(0.03, 2.4, 40, dtype=torch.float64) / 10e-6
    p = 2 * math.pi * q * spacing
    printed = 2 * (1 - p.cos()) / p**2
    for n in range(1, 300):
        decay = math.exp(-((n * math.pi / spacing) ** 2) * WATER * time)
        printed += 4 * p**2 * decay * (1 - (-1) ** n * p.cos()) / (p**2 - (n * math.pi) ** 2) ** 2
    found = ShortPulse()(Planes(spacing), at(2 * math.pi * q, time), diffusivity=WATER)
    torch.testing.assert_close(found.signal, printed, rtol=0, atol=2e-5 if time < 1e-3 else 1e-10)
    assert bool(((found.signal - printed).abs() <= found.error + 1e-10).all())


def test_spheres_by_murday_and_cotts() -> None:
    """ln E = −(2γ²g²/D) Σ α⁻⁴/(α²R² − 2)·[2δ − (2 + e⁻⁽ᐞ⁻ᵟ⁾ − 2e⁻ᵟ − 2e⁻ᐞ + e⁻⁽ᐞ⁺ᵟ⁾)/(α²D)], as printed."""
    radius, g, small, big = 5e-6, 0.2, 4e-3, 30e-3
    roots = Sphere(radius).position_modes(2048)[1] / radius
    rate = roots**2 * WATER
    inner = (
        2 * small
        - (
            2
            + torch.exp(-rate * (big - small))
            - 2 * torch.exp(-rate * small)
            - 2 * torch.exp(-rate * big)
            + torch.exp(-rate * (big + small))
        )
        / rate
    )
    printed = (
        -2 * (PROTON_GAMMA_RAD_PER_S_T * g) ** 2 / WATER * (inner / (roots**4 * ((roots * radius) ** 2 - 2))).sum()
    )
    found = GaussianPhase()(Sphere(radius), PulsePair(g, small, big), diffusivity=WATER)
    assert found.signal.log().item() == pytest.approx(printed.item(), rel=1e-9)


@pytest.mark.parametrize(
    ("pore", "constant"), [(Planes(2e-6), 1 / 120), (Cylinder(1e-6), 7 / 96), (Sphere(1e-6), 8 / 175)]
)
def test_long_pulses_in_small_pores_narrow_motionally(pore: Pore, constant: float) -> None:
    """ln E = −c·γ²g²·size⁴·2δ/D; c = 1/120 (Robertson), 7/96 and 8/175 (Neuman)."""
    found = GaussianPhase()(pore, PulsePair(0.1, 10.0, 20.0), diffusivity=WATER).signal.log().item()
    expected = -constant * (PROTON_GAMMA_RAD_PER_S_T * 0.1) ** 2 * pore.size**4 * 20.0 / WATER
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("pore", "first", "digits"), [(Planes(10e-6), 1.0, 3), (Cylinder(5e-6), 0.61, 2), (Sphere(5e-6), 0.715, 3)]
)
def test_the_first_diffraction_minimum(pore: Pore, first: float, digits: int) -> None:
    q = torch.linspace(0.3, 1.04, 1481, dtype=torch.float64)
    found = LongTime()(pore, at(2 * math.pi * q / pore.size, 1.0), diffusivity=WATER)
    assert round(q[found.signal.argmin()].item(), digits) == first
    found, series = (
        method(pore, at(2 * math.pi * q[::50] / pore.size, 1.0), diffusivity=WATER).signal
        for method in (LongTime(), ShortPulse())
    )
    torch.testing.assert_close(found, series, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pore", PORES, ids=lambda pore: type(pore).__name__)
def test_mitras_law_at_short_times(pore: Pore) -> None:
    """1 − D(t)/D₀ = 4/(3d√π)·(S/V)·√(D₀t), in three dimensions 4/(9√π)."""
    time = torch.tensor([1e-6, 1e-7], dtype=torch.float64)
    lost = 1 - apparent_diffusivity(pore, time, diffusivity=WATER) / WATER
    law = 4 / (3 * pore.dimensions * math.sqrt(math.pi)) * pore.surface_to_volume * (WATER * time).sqrt()
    ratio = (lost / law).tolist()
    assert ratio[1] == pytest.approx(1, abs=5e-3)
    assert abs(ratio[1] - 1) <= abs(ratio[0] - 1) + 1e-7


@pytest.mark.parametrize("pore", PORES, ids=lambda pore: type(pore).__name__)
def test_surface_to_volume_from_exact_short_times(pore: Pore) -> None:
    time = torch.linspace(1e-6, 1e-4, 25, dtype=torch.float64)
    measured = apparent_diffusivity(pore, time, diffusivity=WATER)
    found = SurfaceToVolume(dimensions=pore.dimensions)(measured, time=time)
    assert found.holds
    assert found.surface_to_volume == pytest.approx(pore.surface_to_volume, rel=5e-3)
    assert found.diffusivity == pytest.approx(WATER, rel=1e-3)


def test_the_law_alone_is_biased_by_curvature_and_the_next_term_mends_it() -> None:
    time = torch.linspace(1e-5, 4e-4, 25, dtype=torch.float64)
    measured = apparent_diffusivity(Sphere(5e-6), time, diffusivity=WATER)
    alone, mended = (SurfaceToVolume(terms=terms)(measured, time=time).surface_to_volume for terms in (2, 3))
    assert abs(mended - 6e5) < 0.35 * abs(alone - 6e5)


def test_intervals_of_surface_to_volume_cover_as_often_as_they_say() -> None:
    draw = torch.Generator().manual_seed(4)
    time = torch.linspace(1e-5, 3e-4, 12, dtype=torch.float64)
    law = WATER * (1 - 4 / (9 * math.sqrt(math.pi)) * 6e5 * (WATER * time).sqrt())
    inside = 0
    for _ in range(400):
        noisy = law + 0.01 * WATER * torch.randn(12, generator=draw, dtype=torch.float64)
        found = SurfaceToVolume(terms=2)(noisy, time=time)
        inside += found.low <= 6e5 <= found.high
    assert 0.95 - 4 * math.sqrt(0.95 * 0.05 / 400) < inside / 400 < 0.95 + 4 * math.sqrt(0.95 * 0.05 / 400)
