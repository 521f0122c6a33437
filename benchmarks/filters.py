"""Time and memory of IBSI 2's filters on a volume of 7.1 million voxels of 1 mm, float32, beside Pictologics'.

The peer runs in an interpreter of ``GRADATIM_PEERS=/path/to/python:/another/python``, by default this one; where none
of them has it, its columns stay empty. Both use one thread; the ratio is one of processor time, ours over the peer's.
``same`` is our mean absolute response over the peer's, less 1; for the Riesz transform the peer takes other
frequencies at the edge of the spectrum.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.gabor import Gabor, evenly
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.rotations import SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.preparation import Response

COMMAND = "`python benchmarks/filters.py`"
SHAPE = (200, 197, 180)
CUBES = (1.0, 1.0, 1.0)

FILTERS: dict[str, Response] = {
    "mean": MeanFilter(5),
    "LoG": LaplacianOfGaussian(1.5),
    "Laws": EnergyMap(Pooled(LawsKernels("L5E5E5"), over=SpaceRotations(), by=Maximum()), distance=7),
    "Gabor": OrthogonalPlanes(Gabor(5.0, 2.0, 1.5, angles=evenly(math.pi / 8))),
    "db3": Pooled(SeparableWavelet(WAVELETS["db3"], "LLH"), over=SpaceRotations(), by=Average()),
    "Simoncelli": NonseparableWavelet(1),
    "Riesz of LoG": Riesz(LaplacianOfGaussian(1.5), order=(1, 0, 0)),
}


def volume() -> np.ndarray:
    """White noise, standard deviation 100."""
    return np.random.default_rng(0).normal(0.0, 100.0, SHAPE).astype(np.float32)


def ours(x: torch.Tensor, run: Response) -> tuple[float, float, float]:
    """Processor and wall-clock seconds, the better of two after one more, and the mean absolute response."""
    taken = []
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        response = run(x, spacing=CUBES)
        taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    return *min(taken[1:]), float(response.abs().mean())


def peer(path: Path) -> dict:
    """What Pictologics took; empty where no interpreter has it."""
    script = str(Path(__file__).parent / "peers" / "filters.py")
    threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    for python in os.environ.get("GRADATIM_PEERS", sys.executable).split(":"):
        said = subprocess.run(
            [python, script, str(path)], capture_output=True, text=True, check=False, env=os.environ | threads
        )
        if said.returncode == 0:
            return json.loads(said.stdout.splitlines()[-1])
    return {}


def main() -> None:
    """Print the table's rows."""
    torch.set_num_threads(1)
    values = volume()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.npy"
        np.save(path, values)
        theirs = peer(path)
    x = torch.from_numpy(values)
    version = theirs.get("version", "not installed")
    print(
        f"| filter | ours, s | ratio to Pictologics {version} | same | peak, MB | command |\n|---|---|---|---|---|---|"
    )
    for name, run in FILTERS.items():
        cpu, _, size = ours(x, run)
        its = theirs.get(name)
        ratio, same = (f"{cpu / its[0]:.2f}", f"{size / its[2] - 1:+.1e}") if its else ("", "")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {name} | {cpu:.2f} | {ratio} | {same} | {peak:.0f} | {COMMAND} |", flush=True)


if __name__ == "__main__":
    main()
