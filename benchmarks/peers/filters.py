"""Runs Pictologics' filters on a saved volume, in the interpreter that has it, and prints what they took.

``PYTHON benchmarks/peers/filters.py VOLUME.npy`` prints one JSON object: the version, and for each filter the
processor's seconds and wall-clock seconds of the better of two runs after one to compile, and the response's mean
absolute value, by which it is seen to be the same work.
"""

import json
import math
import sys
import time
from importlib.metadata import version

import numpy as np


def main(path: str) -> None:
    from pictologics import filters
    from pictologics.filters import BoundaryCondition

    x, mirror = np.load(path), BoundaryCondition.MIRROR
    ways = {
        "mean": lambda: filters.mean_filter(x, 5, mirror),
        "LoG": lambda: filters.laplacian_of_gaussian(x, 1.5, 1.0, 4.0, mirror),
        "Laws": lambda: filters.laws_filter(x, "L5E5E5", mirror, True, "max", True, 7),
        "Gabor": lambda: filters.gabor_filter(x, 5.0, 2.0, 1.5, 0.0, 1.0, mirror, True, math.pi / 8, "average", True),
        "db3": lambda: filters.wavelet_transform(x, "db3", 1, "LLH", mirror, True, "average"),
        "Simoncelli": lambda: filters.simoncelli_wavelet(x, 1),
        "Riesz of LoG": lambda: filters.riesz_log(x, 1.5, 1.0, (1, 0, 0)),
    }
    found: dict[str, object] = {"version": version("pictologics")}
    for name, way in ways.items():
        taken = []
        for _ in range(3):
            cpu, wall = time.process_time(), time.perf_counter()
            response = way()
            taken.append((time.process_time() - cpu, time.perf_counter() - wall))
        values = response[0] if isinstance(response, tuple) else response
        found[name] = [*min(taken[1:]), float(np.abs(values).mean())]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
