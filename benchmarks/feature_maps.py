"""Feature maps beside PyRadiomics' voxel-based extraction: time a voxel, memory under a budget, and the stated cost.

Every run is a process of its own on one saved volume, after one that loads and compiles. PyRadiomics runs in the
interpreter that has it: ``GRADATIM_PEERS=/path/to/python:/another/python``, by default this one.
``python benchmarks/feature_maps.py [peers|families|memory]``; all three without a word.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import VOLUME, VOLUME_AVERAGED, ZONES_VOLUME
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.maps.cost import Costing
from gradatim.radiomics.maps.feature_maps import FeatureMaps
from gradatim.radiomics.maps.window import Cube
from gradatim.radiomics.preparation import Preparation

COMMAND = "`python benchmarks/feature_maps.py`"
FAMILIES = ("glcm", "statistics", "intensity_histogram", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")


def volume(side: int, count: int) -> dict[str, np.ndarray]:
    """Correlated noise in equally filled levels, all of it one region."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(side,) * 3), 0.7)
    levels = np.digitize(noise, np.quantile(noise, np.linspace(0, 1, count + 1)[1:-1])) + 1
    return {"image": levels.astype(np.float64), "mask": np.ones(levels.shape, np.uint8)}


def ours(path: str, family: str, radius: str, budget_mb: str, averaged: str) -> None:
    """Our own run, in a process of its own: prints what it took, and what was said before."""
    saved = np.load(path)
    grid = Grid(saved["image"].shape, (1.0, 1.0, 1.0))
    image = torch.from_numpy(saved["image"])
    given = QuantitativeMap(image, torch.ones(image.shape, dtype=torch.bool), grid, "levels", "")
    regions = Regions(torch.from_numpy(saved["mask"]), grid)
    ways = (VOLUME_AVERAGED, ZONES_VOLUME) if averaged == "averaged" else VOLUME
    extraction = Extraction(Preparation(NoDiscretisation()), aggregations=ways)
    maps = FeatureMaps(extraction, (family,), Cube(int(radius)), budget_bytes=int(budget_mb) << 20)
    corner = torch.zeros_like(regions.labels)
    corner[:4, :4, :4] = 1
    maps(given, Regions(corner, grid))
    before = peak()
    cost = Costing()(maps, given, regions)
    wall, cpu = time.perf_counter(), time.process_time()
    made = maps(given, regions)
    said = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "count": len(made)}
    said |= {"stated_s": cost.seconds, "stated_mb": cost.peak_bytes / 1e6, "mb": (peak() - before) * 1.048576}
    print(json.dumps(said | {"contrast": float(made["glcm.contrast"].value.mean()) if family == "glcm" else 0.0}))


def peak() -> float:
    """The most memory that this process ever held, MiB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(command: list[str], *, quiet: bool = False) -> dict | None:
    """The JSON object that a command prints last; None if it fails and may."""
    ended = subprocess.run(command, capture_output=True, text=True, check=not quiet)
    return json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None


def row(subject: str, figure: str, own: str, peer: str) -> None:
    print(f"| feature maps | {subject} | {figure} | {own} | {peer} | {COMMAND} |", flush=True)


def beside(folder: str, count: int) -> None:
    """GLCM maps in 13 directions, radius 2, on 14³ voxels, and PyRadiomics on the same."""
    path = saved(folder, 14, count)
    own = run([sys.executable, __file__, "ours", path, "glcm", "2", "256", "averaged"])
    subject = f"14³ voxels, {count} levels, GLCM in 13 directions averaged, radius 2"
    figure = f"**{1e3 * own['cpu'] / 14**3:.3f} ms** CPU a voxel, {own['count']} features"
    for python in os.environ.get("GRADATIM_PEERS", sys.executable).split(":"):
        peer = run([python, str(Path(__file__).parent / "peers" / "feature_maps.py"), path], quiet=True)
        if peer is not None:
            same = abs(peer["contrast"] / own["contrast"] - 1) < 1e-9
            theirs = f"PyRadiomics {peer['version']}: {1e3 * peer['cpu'] / 14**3:.3f} ms, {peer['count']} features"
            ratio = f"{peer['cpu'] / own['cpu']:.1f}× as fast"
            row(subject, "CPU time a voxel", f"{figure}, {ratio}", theirs + ("" if same else "; another contrast"))
            return
    row(subject, "CPU time a voxel", figure, "")


def families(folder: str) -> None:
    """Every family that is measured in many windows at a time, merged in 3-D."""
    path = saved(folder, 24, 32)
    for family in FAMILIES:
        said = run([sys.executable, __file__, "ours", path, family, "2", "256", "merged"])
        own = f"**{1e6 * said['cpu'] / 24**3:.0f} µs** CPU a voxel, {said['count']} features"
        row("24³ voxels, 32 levels, 3-D merged, radius 2", f"{family}", own, "")


def budgets(folder: str) -> None:
    """Peak memory of the call, and what was said before it, at several budgets and radii."""
    path = saved(folder, 40, 32)
    for radius, budget in ((2, 4), (2, 16), (2, 256), (4, 16)):
        said = run([sys.executable, __file__, "ours", path, "glcm", str(radius), str(budget), "averaged"])
        own = f"{said['seconds']:.1f} s (stated {said['stated_s']:.1f}); "
        own += f"peak +{said['mb']:.0f} MB (stated at most {said['stated_mb']:.0f})"
        row(f"40³ voxels, 32 levels, 25 GLCM maps, radius {radius}", f"budget {budget} MiB", own, "")


def saved(folder: str, side: int, count: int) -> str:
    """The path of a saved volume."""
    path = str(Path(folder) / f"{side}-{count}.npz")
    np.savez(path, **volume(side, count))
    return path


def main(words: list[str]) -> None:
    if words[:1] == ["ours"]:
        ours(*words[1:])
        return
    wanted = words or ["peers", "families", "memory"]
    with tempfile.TemporaryDirectory() as folder:
        for count in (8, 16, 32) if "peers" in wanted else ():
            beside(folder, count)
        if "families" in wanted:
            families(folder)
        if "memory" in wanted:
            budgets(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
