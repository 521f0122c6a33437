"""Draws the picture of docs/hiding-the-water.md; run as ``python -m docs.build_watergate``."""

from pathlib import Path

import torch

from gradatim.base.optional import matplotlib_figure
from gradatim.scanner.pulses.binomial import THREE_NINE_NINETEEN, W5, BinomialTrain
from gradatim.scanner.pulses.spinor import pulse_spinor
from gradatim.scanner.sequences.solvent_suppression import SolventSuppression
from gradatim.scanner.system import System

PICTURE = Path(__file__).parent / "pictures" / "hiding-the-water.png"
TRAINS = (("3-9-19", THREE_NINE_NINETEEN, "#0b6b77"), ("W5", W5, "#b3541e"))


def picture() -> None:
    """What the trains refocus, how near to resonance they spare, and how far a spectrometer suppresses."""
    spectrometer = System(0.5, 5000.0, field_strength=14.1, max_b1=600e-6)
    figure = matplotlib_figure().Figure(figsize=(9.6, 3.2), facecolor="white", layout="constrained")
    whole, hole, hardware = figure.subplots(1, 3)
    wide = torch.linspace(-5500.0, 5500.0, 1101, dtype=torch.float64)
    near = torch.logspace(0.0, 3.0, 301, dtype=torch.float64)
    for name, angles, colour in TRAINS:
        pulse = BinomialTrain(angles, 200e-6)(spectrometer)
        whole.plot(wide / 1e3, pulse_spinor(pulse, offset=wide).refocused, color=colour)
        hole.loglog(near, pulse_spinor(pulse, offset=near).refocused, color=colour, label=name)
    whole.set_xlabel("offset from the water, kHz")
    whole.set_title("refocused share", fontsize=10)
    hole.legend(frameon=False)
    hole.set_xlabel("offset from the water, Hz")
    hole.set_title("the same near the water", fontsize=10)
    strengths = torch.logspace(-2.0, 0.0, 25).tolist()
    for width, dashes in ((0.0, "-"), (5.0, "--"), (20.0, ":")):
        for name, angles, colour in TRAINS:
            ask = SolventSuppression(BinomialTrain(angles), water_width=width)
            factors = [ask(System(g, 5000.0, max_b1=600e-6)).suppression for g in strengths]
            label = f"± {width:g} Hz" if name == "W5" else None
            hardware.loglog(strengths, factors, dashes, color=colour, label=label)
    hardware.axhline(1000.0, color="#888888", linewidth=0.8)
    hardware.set_xlabel("strongest gradient, T/m")
    hardware.set_title("suppression, by the water's width", fontsize=10)
    hardware.legend(frameon=False, fontsize=8)
    figure.savefig(PICTURE, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    picture()
