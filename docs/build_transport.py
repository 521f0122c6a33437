"""Draws the pictures of docs/the-pulse-of-life.md and a-microdomain.md; run as ``python -m docs.build_transport``."""

import math
from pathlib import Path

import torch

from gradatim.base.optional import matplotlib_figure
from gradatim.transport.calcium.approximations import ExcessBuffer, Linearised, RapidBuffer, SteadyApproximation
from gradatim.transport.calcium.full import FullSolution
from gradatim.transport.calcium.microdomain import Buffer, Microdomain
from gradatim.transport.calcium.transient import Transient
from gradatim.transport.series import PressureGradient, harmonics_of, series_of
from gradatim.transport.vessel import Vessel
from gradatim.transport.womersley import Womersley

PICTURES = Path(__file__).parent / "pictures"
TEAL, RUST, GREY = "#0b6b77", "#b3541e", "#888888"
SHADES = ("#0b6b77", "#4d9aa3", "#9cc7cb", "#e0b592", "#cb7d47", "#b3541e")


def pulse() -> None:
    """Flow and gradient over a beat, profiles at six times, and a gradient found from a noisy flow."""
    aorta = Vessel(0.0125)
    flow = Womersley(aorta, 1.2)
    coarse = torch.arange(40, dtype=torch.float64) / 40 / 1.2
    ejected = 70e-6 * math.pi / 0.6 * torch.where(coarse < 0.3, (math.pi * coarse / 0.3).sin(), 0.0)
    beat = harmonics_of(ejected)[:8]
    gradient = flow.gradient_of_flow(beat)
    time = torch.arange(240, dtype=torch.float64) / 240 / 1.2
    rate, driving = series_of(beat, samples=240), series_of(gradient, samples=240)
    figure = matplotlib_figure().Figure(figsize=(9.6, 3.2), facecolor="white", layout="constrained")
    over, across, back = figure.subplots(1, 3)
    over.plot(1e3 * time, 1e6 * rate, color=RUST)
    over.set_ylabel("flow, mL/s", color=RUST)
    over.set_xlabel("time, ms")
    beside = over.twinx()
    beside.plot(1e3 * time, driving / 1e3, color=TEAL)
    beside.set_ylabel("gradient, kPa/m", color=TEAL)
    over.set_title("an aorta over a beat", fontsize=10)
    share = torch.linspace(-1.0, 1.0, 201, dtype=torch.float64)
    amplitudes = flow.velocity(gradient, radius=share.abs() * aorta.radius)
    profiles = torch.stack([series_of(row, samples=240) for row in amplitudes])
    for milliseconds, colour in zip((50, 100, 150, 200, 250, 300), SHADES, strict=True):
        at = round(milliseconds / 1e3 * 1.2 * 240)
        across.plot(12.5 * share, profiles[:, at], color=colour, label=f"{milliseconds} ms")
    across.axhline(0.0, color=GREY, linewidth=0.8)
    across.set_xlabel("across the vessel, mm")
    across.set_ylabel("velocity, m/s")
    across.set_title("profiles", fontsize=10)
    across.set_ylim(-0.3, 1.7)
    across.legend(frameon=False, fontsize=7, ncols=2, loc="upper center")
    noise = torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = PressureGradient(flow, harmonics=7)(series_of(beat, samples=40) + 10e-6 * noise)
    back.plot(1e3 * time, driving / 1e3, color=TEAL, label="true")
    back.errorbar(1e3 * coarse, found.series / 1e3, found.error / 1e3, fmt=".", color=RUST, label="from a noisy flow")
    back.set_xlabel("time, ms")
    back.set_ylabel("gradient, kPa/m")
    back.set_title("found again, with its error", fontsize=10)
    back.legend(frameon=False, fontsize=8)
    figure.savefig(PICTURES / "pulse-of-life.png", dpi=90, metadata={"Software": None})


def microdomain() -> None:
    """The way to the steady state, the profiles of three buffers, and three approximations where they hold."""
    rest = 1e-4
    bapta, egta = Buffer(1.0, 4e5, 1.76e-4, 95e-12), Buffer(10.0, 1e4, 1.5e-4, 220e-12)
    figure = matplotlib_figure().Figure(figsize=(9.6, 3.2), facecolor="white", layout="constrained")
    approach, steady, close = figure.subplots(1, 3)
    times = torch.logspace(-6.0, -0.7, 60, dtype=torch.float64)
    ball = Transient()
    shell = int((ball.radius - 100e-9).abs().argmin())
    for name, total, colour in (("no buffer", 0.0, TEAL), ("0.5 mM, fixed", 0.5, RUST)):
        domain = Microdomain(0.1e-12, Buffer(total, 1e5, 1e-2))
        excess = ball(domain, times=times).calcium[:, shell] - rest
        approach.semilogx(1e3 * times, 1e3 * excess, color=colour, label=name)
    approach.set_xlabel("time since the channel opened, ms")
    approach.set_ylabel("excess calcium at 100 nm, µM")
    approach.set_title("a fixed buffer delays, no more", fontsize=10)
    approach.legend(frameon=False, fontsize=8)
    radius = torch.logspace(-8.7, -6.3, 80, dtype=torch.float64)
    free = Microdomain(0.1e-12, Buffer(0.0, 1e5, 1e-2))
    steady.loglog(1e9 * radius, 1e3 * free.free_diffusion(radius), color=GREY, label="free, or any fixed buffer")
    for name, buffer, colour in (("EGTA 10 mM", egta, RUST), ("BAPTA 1 mM", bapta, TEAL)):
        found = FullSolution()(Microdomain(0.1e-12, buffer), radius=radius)
        steady.loglog(1e9 * radius, 1e3 * found, color=colour, label=name)
    steady.axhline(1e3 * rest, color=GREY, linewidth=0.8, linestyle=":")
    steady.set_xlabel("distance from the mouth, nm")
    steady.set_ylabel("calcium, µM")
    steady.set_title("mobile buffers carry it away", fontsize=10)
    steady.legend(frameon=False, fontsize=8)
    domain = Microdomain(0.1e-12, bapta)
    full = FullSolution()(domain, radius=radius)
    methods: tuple[tuple[str, SteadyApproximation, str], ...] = (
        ("EBA", ExcessBuffer(), TEAL),
        ("LIN", Linearised(), RUST),
        ("RBA", RapidBuffer(), GREY),
    )
    for name, method, colour in methods:
        guess = method(domain, radius=radius)
        wrong = (guess.calcium / full - 1).abs().clamp(min=1e-6)
        close.loglog(1e9 * radius, 100 * wrong, ":", color=colour)
        held = torch.where(guess.holds, wrong, torch.nan)
        close.loglog(1e9 * radius, 100 * held, color=colour, linewidth=2.2, label=name)
    close.axhline(5.0, color="black", linewidth=0.6)
    close.set_ylim(1e-2, 200)
    close.set_ylabel("true relative error, %")
    close.set_xlabel("distance from the mouth, nm")
    close.set_title("error in BAPTA, bold: said to hold", fontsize=10)
    close.legend(frameon=False, fontsize=8)
    figure.savefig(PICTURES / "microdomain.png", dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    pulse()
    microdomain()
