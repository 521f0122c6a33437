"""Draws the picture of docs/radar-for-molecules.md; run as ``python -m docs.build_diffusion``."""

import math
from pathlib import Path

import torch

from gradatim.base.optional import matplotlib_figure
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform
from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
from gradatim.diffusion.noise_models import GaussianNoise
from gradatim.diffusion.restricted.attenuation import ShortPulse
from gradatim.diffusion.restricted.pores import Cylinder, Planes, Sphere
from gradatim.diffusion.restricted.pulses import PulsePair
from gradatim.diffusion.restricted.short_times import apparent_diffusivity
from gradatim.diffusion.walks.random_walk import RandomWalk
from gradatim.diffusion.walks.spaces import ClosedPores
from gradatim.scanner.sequences.encoding_lobes import SingleLobe
from gradatim.scanner.sequences.stimulated_echo import StimulatedEcho
from gradatim.scanner.system import System

PICTURE = Path(__file__).parent / "pictures" / "radar-for-molecules.png"
WATER = 2.2995e-9
PORES = (
    ("planes", Planes(10e-6), 1, "#0b6b77"),
    ("cylinder", Cylinder(5e-6), 2, "#b3541e"),
    ("sphere", Sphere(5e-6), 3, "#5a4a8a"),
)


def picture() -> None:
    """Water's decay, echoes from pores by series and by walkers, and diffusivity over time with its first law."""
    figure = matplotlib_figure().Figure(figsize=(9.6, 3.3), facecolor="white", layout="constrained")
    water, echo, times = figure.subplots(1, 3)
    probe = System(max_gradient=0.5, max_slew=5000.0, max_b1=1e-3)
    b = StimulatedEcho(tuple(0.02 * step for step in range(1, 13)), SingleLobe(2e-3)).b(probe)
    noisy = torch.exp(-b * WATER) + 0.01 * torch.randn(12, generator=torch.Generator().manual_seed(3)).double()
    found = MonoExponentialDiffusion(GaussianNoise(0.01))(noisy, b=b)["diffusivity"]
    line = torch.linspace(0.0, float(b.max()), 100, dtype=torch.float64)
    water.plot(1e-9 * line, torch.exp(-line * found.value), color="#0b6b77")
    water.plot(1e-9 * b, noisy, "o", color="#b3541e", markersize=4)
    reach = 0.5e9 * (found.high - found.low)
    water.set_title(f"water: D = ({1e9 * found.value:.3f} ± {reach:.3f})·10⁻⁹ m²/s", fontsize=10)
    water.set_xlabel("b, 10⁹ s/m²")
    q = torch.linspace(2e3, 2.4e5, 239, dtype=torch.float64)
    for name, pore, axes, colour in PORES:
        pulses = PulsePair(2 * math.pi * q / (PROTON_GAMMA_RAD_PER_S_T * 1e-9), 1e-9, 0.05)
        echo.semilogy(1e-3 * q, ShortPulse()(pore, pulses, diffusivity=WATER).signal, color=colour, label=name)
        silence = Waveform(torch.tensor([0.0, 0.05], dtype=torch.float64), *torch.zeros(2, 1, 3, dtype=torch.float64))
        walks = RandomWalk(40_000, 400, WATER)(ClosedPores((5e-6,), axes), [silence], seed=1)
        some = 2 * math.pi * q[::12]
        seen = walks.echo(torch.stack([some, 0 * some, 0 * some], 1))
        echo.errorbar(1e-3 * q[::12], seen.value.real, seen.error, fmt="o", color=colour, markersize=3)
        t = torch.logspace(-6.0, 0.0, 121, dtype=torch.float64)
        times.semilogx(t, apparent_diffusivity(pore, t, diffusivity=WATER) / WATER, color=colour, label=name)
    law = 4 / (9 * math.sqrt(math.pi)) * 6e5 * (WATER * t).sqrt()
    times.semilogx(t[law < 1], (1 - law)[law < 1], ":", color="black", label="first law")
    times.legend(frameon=False, fontsize=8)
    echo.set_ylim(3e-4, 1.2)
    echo.legend(frameon=False, fontsize=8)
    echo.set_xlabel("q, 1/mm")
    echo.set_title("echo after 50 ms; dots: walkers", fontsize=10)
    times.set_xlabel("time, s")
    times.set_title("D(t)/D₀ between walls", fontsize=10)
    figure.savefig(PICTURE, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    picture()
