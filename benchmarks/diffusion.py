"""Tensor and kurtosis beside DIPY on real volumes: agreement, and the ratio of processor times.

Input: small_64D (65 volumes, b ~ 987 s/mm²) four times over, 4000 voxels, and small_101D (102 volumes, b up to
4065 s/mm²), 600 voxels; values ≤ 0 raised to the least positive one, for both. Each runs three times in turn; the
shortest processor time counts, of one thread each. Ours includes the covariance and the standard errors.
"""

import math
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import dipy.reconst.dki as dki
import dipy.reconst.dti as dti
import numpy as np
import torch
from dipy.core.gradients import gradient_table

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.grid import Grid
from gradatim.diffusion.kurtosis import WeightedKurtosis
from gradatim.diffusion.kurtosis_maps import KurtosisMaps
from gradatim.diffusion.tensor import WeightedTensor
from gradatim.diffusion.tensor_maps import TensorMaps
from gradatim.diffusion.tensor_positive import PositiveTensor
from gradatim.io.diffusion import read_diffusion

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
PLACE = SHARED / "data" / "scanner" / "dipy"
COMMAND = "`python benchmarks/diffusion.py`"
PEER = f"DIPY {version('dipy')}"
PER_SQUARE_MM = 1e-6

Maps = dict[str, np.ndarray]


def load(name: str, ending: str, times: int) -> tuple[DiffusionSeries, np.ndarray, np.ndarray, np.ndarray]:
    """A series tiled along x, and the same for DIPY: data, b in s/mm², directions."""
    series = read_diffusion(PLACE / f"{name}{ending}", PLACE / f"{name}.bval", PLACE / f"{name}.bvec")
    signal = series.signal.clamp_min(float(series.signal[series.signal > 0].min())).repeat(1, times, 1, 1).double()
    shape = tuple(signal.shape[1:])
    whole = DiffusionSeries(signal, series.b, torch.ones(shape).bool(), Grid(shape, series.grid.spacing))
    values, vectors = np.linalg.eigh(series.b.numpy())
    directions = vectors[:, :, 2] * (values[:, 2:] > 0)
    return whole, np.ascontiguousarray(np.moveaxis(signal.numpy(), 0, -1)), values[:, 2] * PER_SQUARE_MM, directions


def race(runners: dict[str, Callable[[], Maps]], rounds: int = 3) -> dict[str, tuple[Maps, float]]:
    """What each returns and its shortest processor time, one after the other; the first round warms."""
    answers, times = {}, dict.fromkeys(runners, math.inf)
    for turn in range(rounds + 1):
        for name, run in runners.items():
            start = time.process_time()
            answers[name] = run()
            if turn > 0:
                times[name] = min(times[name], time.process_time() - start)
    return {name: (answers[name], times[name]) for name in runners}


def row(figure: str, ours: str, peer: str, data: str) -> None:
    print(f"| diffusion | {data} | {figure} | {ours} | {peer} | {COMMAND} |")


def ours(maps: dict) -> Maps:
    return {name: one.value.numpy() for name, one in maps.items()}


def tensor(name: str, ending: str, times: int) -> None:
    series, data, b, directions = load(name, ending, times)
    table = gradient_table(b, bvecs=directions)

    def peer(method: str) -> Maps:
        fit = dti.TensorModel(table, fit_method=method).fit(data)
        return {"FA": fit.fa, "MD": fit.md * PER_SQUARE_MM, "AD": fit.ad, "RD": fit.rd}

    results = race(
        {"ours": lambda: ours(TensorMaps()(WeightedTensor()(series))), "peer": lambda: peer("WLS")},
    )
    (mine, here), (theirs, there) = results["ours"], results["peer"]
    said = f"{name}, {series.mask.numel()} voxels"
    row("FA, largest difference", f"{np.abs(mine['FA'] - theirs['FA']).max():.1e}", PEER, said)
    row("MD, largest difference, m²/s", f"{np.abs(mine['MD'] - theirs['MD']).max():.1e}", PEER, said)
    row("mean FA; mean MD, m²/s", *(f"{m['FA'].mean():.4f}; {m['MD'].mean():.4e}" for m in (mine, theirs)), said)
    row("weighted tensor, processor time, ratio", f"{here / there:.2f}", f"1 ({PEER}, {there:.2f} s)", said)
    results = race(
        {"ours": lambda: ours(TensorMaps()(PositiveTensor()(series))), "peer": lambda: peer("NLLS")}, rounds=1
    )
    (mine, here), (theirs, there) = results["ours"], results["peer"]
    apart = np.median(np.abs(mine["FA"] - theirs["FA"]))
    row("fit of the signal: FA, median difference", f"{apart:.1e}", f"{PEER}, NLLS", said)
    row("fit of the signal, processor time, ratio", f"{here / there:.3f}", f"1 ({PEER}, {there:.2f} s)", said)


def kurtosis(name: str, ending: str) -> None:
    series, data, b, directions = load(name, ending, 1)
    table = gradient_table(b, bvecs=directions)

    def peer() -> Maps:
        fit = dki.DiffusionKurtosisModel(table).fit(data)
        return {"MK": fit.mk(), "AK": fit.ak(), "RK": fit.rk()}

    results = race({"ours": lambda: ours(KurtosisMaps()(WeightedKurtosis()(series))), "peer": peer})
    (mine, here), (theirs, there) = results["ours"], results["peer"]
    said = f"{name}, {series.mask.numel()} voxels"
    for one in ("AK", "MK", "RK"):
        within = (theirs[one] > -3 / 7 + 1e-6) & (theirs[one] < 10 - 1e-6)
        apart = np.abs(mine[one] - theirs[one])[within]
        row(f"{one}, median and largest difference", f"{np.median(apart):.1e}, {apart.max():.1e}", PEER, said)
    row("kurtosis, processor time, ratio", f"{here / there:.3f}", f"1 ({PEER}, {there:.2f} s)", said)


def main() -> None:
    torch.set_num_threads(1)
    tensor("small_64D", ".nii", 4)
    tensor("small_101D", ".nii.gz", 1)
    kurtosis("small_101D", ".nii.gz")


if __name__ == "__main__":
    main()
