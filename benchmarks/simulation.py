"""Simulation of whole sequences beside MRzero's stated figures: seconds, memory, and the error against convergence.

Sequences of 64×64 and a FOV of 220 mm (shared/data/scanner/generated), on a disc with three inserts of some 2,160
voxels; our phase graph at a threshold of 1e-3, as theirs. MRzero (AGPL) is not run here: its seconds and megabytes are
quoted from shared/reference/PHYSICS.md, section 3, measured on another run of this class of machine. The error is that
of all samples against a threshold of 1e-5, relative. Each sequence runs in a process of its own for its memory; the
shortest of the rounds counts, on one thread. Boxes are what isochromats come to; band-limited voxels are those of
MRzero's default.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from gradatim.base.grid import Grid
from gradatim.io.pulseq import read_pulseq
from gradatim.scanner.simulate.phase_graph import PhaseGraph
from gradatim.scanner.simulate.spins import Spins, voxel_spins
from gradatim.scanner.simulate.voxel_shape import BandLimitedVoxel, BoxVoxel

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
COMMAND = "`python benchmarks/simulation.py`"
ROUNDS, THRESHOLD, CONVERGED = 3, 1e-3, 1e-5
SHAPES = {"box": BoxVoxel(), "band-limited": BandLimitedVoxel()}
STATED: dict[str, tuple[str, float, int]] = {
    "gre": ("GRE", 35.6, 381),
    "megre": ("ME-GRE, 6 echoes", 48.8, 909),
    "epi": ("EPI", 7.3, 1171),
    "dwi_b0": ("SE-EPI", 9.1, 1171),
    "dwi": ("SE-EPI, b 442", 6.9, 1172),
    "tse": ("TSE", 12.4, 374),
}
"""Name of the file → the sequence, MRzero's seconds (the shorter where two are stated) and peak MB."""
INSERTS = (((-10, -8, 6), (0.7, 0.6, 0.05)), ((10, -8, 6), (0.9, 2.0, 0.4)), ((0, 11, 7), (0.8, 1.4, 0.12)))
"""Middle and radius in voxels; density, T1 and T2."""


def phantom() -> Spins:
    """A disc with three inserts."""
    x, y = torch.meshgrid(torch.arange(64) - 32, torch.arange(64) - 32, indexing="ij")
    density = ((x**2 + y**2) < 26.24**2).double()
    t1, t2 = torch.full_like(density, 1.0), torch.full_like(density, 0.08)
    for (left, down, reach), tissue in INSERTS:
        inside = (x - left) ** 2 + (y - down) ** 2 < reach**2
        density[inside], t1[inside], t2[inside] = tissue
    grid = Grid((64, 64, 1), (220 / 64, 220 / 64, 5.0))
    return voxel_spins(grid, density=density[..., None], t1=t1[..., None], t2=t2[..., None])


def measure(name: str, shape: str) -> None:
    """One sequence in this process."""
    torch.set_num_threads(1)
    scan, spins = read_pulseq(SHARED / f"data/scanner/generated/{name}.seq"), phantom()
    graph = PhaseGraph(THRESHOLD, SHAPES[shape])
    walls, busy = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        found = graph(scan, spins).samples
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    converged = PhaseGraph(CONVERGED, SHAPES[shape])(scan, spins).samples
    error = float((found - converged).norm() / converged.norm())
    print(json.dumps({"voxels": len(spins), "wall": min(walls), "cpu": min(busy), "peak": peak, "error": error}))


def row(name: str, shape: str) -> str:
    """A line of the table."""
    run = subprocess.run([sys.executable, __file__, name, shape], check=True, capture_output=True, text=True)
    found = json.loads(run.stdout)
    title, seconds, megabytes = STATED[name]
    ours = f"{found['wall']:.2f} | {found['cpu']:.2f} | {found['peak']:.0f} | {found['error']:.1e}"
    return f"| {title} | {shape} | {ours} | {seconds} | {megabytes} | {seconds / found['cpu']:.0f} |"


def main() -> None:
    """The table, one process a row."""
    print(f"{COMMAND}: {len(phantom())} voxels, threshold {THRESHOLD:g}; MRzero's figures as stated, not run\n")
    print("| sequence | voxel | wall s | CPU s | peak MB | error | MRzero s | MRzero MB | stated s / our CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in STATED:
        for shape in SHAPES:
            print(row(name, shape), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], sys.argv[2])
    else:
        main()
