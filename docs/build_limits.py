"""Draws the pictures of docs/carving-with-fields.md; run as ``python -m docs.build_limits``."""

from pathlib import Path
from typing import Any

import torch

from gradatim.base.optional import matplotlib_figure
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.limits.epi_sampling import FlatTopSampled
from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing
from gradatim.scanner.limits.slice_selection import SliceSelection
from gradatim.scanner.named_system import named_systems
from gradatim.scanner.system import System

PICTURES = Path(__file__).parent / "pictures"
COLOURS = ("#0b6b77", "#b3541e", "#5b4b8a", "#7a7f35")
TRAIN = RefocusingTrainSpacing(fov=0.22, matrix=256, thickness=3e-3, cycles=4.0, pulse=1.5e-3, dwell=5e-6)
LABELS = {
    "SIGNA MAGNUS": (-30, -13),
    "MAGNETOM Cima X": (-30, -13),
    "MAGNETOM Free Max": (-20, 7),
    "SIGNA Premier": (2, -13),
}
STAGES = ((40, 150), (80, 200), (300, 750))


def four_chisels() -> None:
    """A slice, a readout lobe, EPI's echo spacing and RARE's, each with what binds it."""
    figure = matplotlib_figure().Figure(figsize=(9, 6.6), facecolor="white", layout="constrained")
    axes = figure.subplots(2, 2)
    _slices(axes[0, 0])
    _lobes(axes[0, 1])
    _spacings(axes[1, 0])
    _trains(axes[1, 1])
    figure.savefig(PICTURES / "carving-four-chisels.png", dpi=90, metadata={"Software": None})


def _slices(axis: Any) -> None:
    gradients = torch.linspace(0.004, 0.1, 200, dtype=torch.float64)
    for colour, hertz in zip(COLOURS, (1000.0, 2000.0, 4000.0), strict=False):
        thickness = SliceSelection(bandwidth=hertz).continuous(gradients, 200.0)
        axis.loglog(1e3 * gradients, 1e3 * thickness, color=colour, label=f"{hertz / 1e3:g} kHz")
    axis.set_title("slice: BW = γ̄·G·Δz", fontsize=10)
    axis.set_xlabel("gradient (mT/m)")
    axis.set_ylabel("thickness (mm)")
    axis.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    axis.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
    axis.minorticks_off()
    axis.legend(frameon=False, title="bandwidth", fontsize=8)


def _lobes(axis: Any) -> None:
    system = System(0.040, 150.0)
    for colour, matrix in zip(COLOURS, (64, 128), strict=False):
        for style, design in (
            ("-", EpiEchoSpacing(fov=0.22, matrix=matrix)),
            (":", EpiEchoSpacing(fov=0.22, matrix=matrix, sampling=FlatTopSampled())),
        ):
            limit = design(system)
            peak = limit.details["peak_gradient"].value.item()
            total, ramp = limit.value.item(), peak / system.max_slew
            called = f"N = {matrix}, {'ramps sampled' if style == '-' else 'flat top only'}"
            times = [0, 1e6 * ramp, 1e6 * (total - ramp), 1e6 * total]
            axis.plot(times, [0, 1e3 * peak, 1e3 * peak, 0], style, color=colour, label=called)
    axis.axhline(40, color="#999999", linewidth=0.8)
    axis.set_title("EPI's readout lobe at 40 mT/m and 150 T/(m·s)", fontsize=10)
    axis.set_xlabel("time (µs)")
    axis.set_ylabel("gradient (mT/m)")
    axis.set_ylim(0, 58)
    axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")


def _spacings(axis: Any) -> None:
    gradients = torch.linspace(0.01, 0.12, 300, dtype=torch.float64)
    design = EpiEchoSpacing(fov=0.22, matrix=128)
    for colour, slew in zip(COLOURS, (100.0, 150.0, 200.0, 600.0), strict=True):
        spacing = 1e6 * design.continuous(gradients, slew)
        axis.plot(1e3 * gradients, spacing, color=colour, label=f"{slew:g} T/(m·s)")
        first = int(design.slew_bound(gradients, slew).int().argmax())
        axis.plot(1e3 * gradients[first], spacing[first], "o", color=colour)
    axis.set_title("EPI's echo spacing, N = 128", fontsize=10)
    axis.set_xlabel("strongest gradient (mT/m)")
    axis.set_ylabel("echo spacing (µs)")
    axis.set_ylim(0, 1600)
    axis.legend(frameon=False, fontsize=8)


def _trains(axis: Any) -> None:
    limits = [TRAIN(System(strength / 1e3, float(slew))) for strength, slew in STAGES]
    parts = {
        "pulse": [1.5] * len(limits),
        "acquisition": [1e3 * limit.details["acquisition"].value.item() for limit in limits],
        "crushers": [2e3 * limit.details["crusher"].value.item() for limit in limits],
    }
    names, base = [f"{strength} / {slew}" for strength, slew in STAGES], [0.0] * len(limits)
    for colour, (called, heights) in zip(COLOURS, parts.items(), strict=False):
        axis.bar(names, heights, bottom=base, color=colour, width=0.55, label=called)
        base = [low + height for low, height in zip(base, heights, strict=True)]
    axis.set_title("RARE's echo spacing, N = 256, 3 mm", fontsize=10)
    axis.set_xlabel("gradient (mT/m) / slew rate (T/(m·s))")
    axis.set_ylabel("ms")
    axis.set_ylim(0, 6.4)
    axis.legend(frameon=False, fontsize=8, ncols=3, loc="upper center")


def scanners() -> None:
    """Vendors' systems on the map of EPI's echo spacing."""
    figure = matplotlib_figure().Figure(figsize=(7.4, 4.8), facecolor="white", layout="constrained")
    axis = figure.add_subplot()
    gradients = torch.logspace(-2, -0.4, 200, dtype=torch.float64)
    slews = torch.linspace(40.0, 800.0, 200, dtype=torch.float64)
    levels = (270, 300, 350, 400, 500, 600, 800)
    design = EpiEchoSpacing(fov=0.22, matrix=128)
    grid = (gradients.expand(200, 200), slews[:, None].expand(200, 200))
    values, bound = 1e6 * design.continuous(*grid), design.slew_bound(*grid).double()
    axis.contourf(1e3 * gradients, slews, bound, levels=[0.5, 1.5], colors=[COLOURS[1]], alpha=0.12)
    lines = axis.contour(1e3 * gradients, slews, values, levels=levels, colors=COLOURS[0], linewidths=1.2)
    along = 4 * 128 / (PROTON_GAMMA_BAR_HZ_PER_T * 0.22)
    axis.clabel(lines, fmt="%g µs", fontsize=8, manual=[(150, along / (1e-6 * level) ** 2) for level in levels])
    for each in named_systems():
        axis.plot(1e3 * each.system.max_gradient, each.system.max_slew, "o", color="#1d2b2e", markersize=4, alpha=0.6)
        if each.name in LABELS:
            at = (1e3 * each.system.max_gradient, each.system.max_slew)
            axis.annotate(each.name, at, LABELS[each.name], textcoords="offset points", fontsize=8)
    axis.set_xscale("log")
    axis.set_xticks([10, 20, 40, 80, 160, 320], ["10", "20", "40", "80", "160", "320"])
    axis.minorticks_off()
    axis.set_xlabel("strongest gradient on one axis (mT/m)")
    axis.set_ylabel("slew rate on one axis (T/(m·s))")
    figure.savefig(PICTURES / "carving-scanners.png", dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    four_chisels()
    scanners()
