"""Nerve stimulation by the SAFE model beside pypulseq's: CPU time and agreement, on the same gradients.

Two questions of one sequence, read from its Pulseq file: the model on samples that lie ready, and all that lies
between a sequence in memory and its peak. Both use the published example hardware and one γ. The shortest of three
runs counts for pypulseq, of ten for gradatim; one thread each.
"""

import math
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pypulseq
import torch
from pypulseq.utils.safe_pns_prediction import safe_example_hw, safe_gwf_to_pns

from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq import read_pulseq
from gradatim.scanner.safety.safe import Safe
from gradatim.scanner.safety.sampling import raster_midpoints

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
COMMAND = "`python benchmarks/pns.py`"


def shortest(run: Callable[[], object], rounds: int) -> tuple[object, float]:
    """What a run gives, and the least CPU seconds of it; the first, which compiles, does not count."""
    found, least = run(), math.inf
    for _ in range(rounds):
        start = time.process_time()
        found = run()
        least = min(least, time.process_time() - start)
    return found, least


def row(file: str, figure: str, own: float, peer: float, agreement: str) -> None:
    ours = f"**{peer / own:.0f}× faster**: {1e3 * own:.2f} ms, {agreement}"
    theirs = f"pypulseq {version('pypulseq')}: {peer:.2f} s"
    print(f"| nerve stimulation | {file} | {figure} | {ours} | {theirs} | {COMMAND} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    path = SHARED / "data" / "scanner" / "generated" / "gre.seq"
    sequence, peer = read_pulseq(path), pypulseq.Sequence()
    peer.read(str(path))
    peer.system.gamma = PROTON_GAMMA_BAR_HZ_PER_T
    safe, hardware = Safe(), safe_example_hw()

    gradients = sequence.waveform.at(raster_midpoints(sequence.waveform, 1e-5))
    given = gradients.numpy()
    (found, _), theirs = shortest(lambda: safe_gwf_to_pns(given, np.ones(len(given)), 1e-5, hardware, False), 3)
    stimulation, ours = shortest(lambda: safe.of_samples(gradients), 10)
    apart = np.abs(stimulation.axes.numpy()[1:] - found).max() / found.max()
    size = f"{path.name}, {len(given):,} samples of 10 µs"
    row(size, "CPU time of the model", ours, theirs, f"figures equal to {apart:.0e} of the largest")

    def whole() -> float:
        _, total, _, _ = peer.calculate_pns(hardware, do_plots=False)
        return 100 * float(total.max())

    theirs_peak, theirs = shortest(whole, 3)

    def from_blocks() -> float:
        sequence.__dict__.pop("waveform", None)  # made anew, as pypulseq makes it
        return safe.peak(sequence).total

    ours_peak, ours = shortest(from_blocks, 10)
    agreement = f"peak {ours_peak:.3f} %, equal to {abs(ours_peak / theirs_peak - 1):.0e}"
    row(path.name, "CPU time from the sequence to its peak", ours, theirs, agreement)


if __name__ == "__main__":
    main()
