"""Draws the picture of docs/planning-a-protocol.md; run as ``python -m docs.build_protocol``."""

import math
from pathlib import Path

import torch

from gradatim.base.optional import matplotlib_figure
from gradatim.scanner.protocol.best_echoes import BestEchoes
from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan
from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan
from gradatim.scanner.protocol.targets import SusceptibilityTarget
from gradatim.scanner.system import System

PICTURE = Path(__file__).parent / "pictures" / "planning-a-protocol.png"
TEAL, RUST, GREY = "#0b6b77", "#b3541e", "#888888"
SCAN = GradientEchoScan((96, 96, 16), (0.1, 0.1, 0.032), echoes=4, scan_time=40.0)
BRAIN = DiffusionScan((96, 96), (0.22, 0.22, 0.002), slices=30, scan_time=60.0)


def picture() -> None:
    """Error of susceptibility over the spacing, of D over b for three gradients, of D over the voxel."""
    figure = matplotlib_figure().Figure(figsize=(9.6, 3.2), facecolor="white", layout="constrained")
    spacing, weighting, voxel = figure.subplots(1, 3)
    target, limits = SusceptibilityTarget(0.030, 3.0), {"max_gradient": 0.040, "max_slew": 150.0}
    best = BestEchoes(SCAN, target)(System(**limits))
    apart, errors = [], []
    for dwell in torch.linspace(0.1, 1.0, 46, dtype=torch.float64) * best.timing.dwell:
        timing = SCAN.timing(torch.stack([dwell, dwell * 0, dwell * 0]), averages=best.timing.averages, **limits)
        if float(timing.needed) <= float(timing.repetition) + 1e-6:
            apart.append(1e3 * float(timing.echo_times[1] - timing.echo_times[0]))
            errors.append(1e3 * float(target.error(timing.echo_times, snr=timing.snr)))
    spacing.semilogy(apart, errors, color=TEAL)
    spacing.plot(
        1e3 * float(best.timing.echo_times.diff()[0]), 1e3 * best.error, "o", color=RUST, label="best, where TR ends"
    )
    spacing.axvline(1e3 * 0.5 / 127.7, color=GREY, linewidth=0.8, linestyle="--", label="1 ppm unwraps up to here")
    spacing.set_xlabel("spacing of readouts without a pause, ms")
    spacing.set_ylabel("error of χ, ppb")
    spacing.legend(frameon=False, fontsize=8)
    weights = torch.linspace(200.0, 3000.0, 57, dtype=torch.float64) * 1e6
    for strength, colour in ((0.040, RUST), (0.080, "#4d9aa3"), (0.300, TEAL)):
        hardware = {"max_gradient": strength, "max_slew": 200.0}
        course = [BRAIN.error(torch.stack([b, b * 0 + 0.25]), **hardware) for b in weights]
        weighting.plot(1e-6 * weights, 1e9 * torch.stack(course), color=colour, label=f"{1e3 * strength:.0f} mT/m")
    weighting.set_xlabel("b, s/mm²")
    weighting.set_ylabel("error of D, µm²/ms")
    weighting.set_ylim(bottom=0.0)
    weighting.legend(frameon=False, fontsize=8)
    for strength, colour in ((0.040, RUST), (0.300, TEAL)):
        searches = [BestDiffusion(BRAIN.with_readout(n)) for n in (64, 80, 96, 112, 128, 160)]
        found = [1e9 * search.delivered_error(System(strength, 200.0)) for search in searches]
        edges = [1e3 * math.prod(search.scan.voxel) ** (1 / 3) for search in searches]
        voxel.semilogy(edges, found, ".-", color=colour, label=f"{1e3 * strength:.0f} mT/m")
    voxel.axhline(0.05, color=GREY, linewidth=0.8, linestyle="--", label="target")
    voxel.set_xlabel("edge of a voxel, mm")
    voxel.set_ylabel("error of D, µm²/ms")
    voxel.legend(frameon=False, fontsize=8)
    figure.savefig(PICTURE, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    picture()
