"""From wrapped phase to susceptibility on the simulated head: error of field, local field and map, time and memory.

Input: the head's four noisy echoes with phase offset, shim and wraps. Scores are inside the mask that each route keeps,
and say how much of the true mask that is. A fresh process for each route, so that peak memory is its own.
"""

import json
import multiprocessing
import os
import resource
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from gradatim.base.nouns import MultiEcho
from gradatim.io.nifti import read_image, read_mask
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.qsm.score import ChallengeScore
from gradatim.qsm.shim import Shim
from gradatim.qsm.two_pass import OnePass

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
HEAD = SHARED / "data" / "qsm" / "phantom_sim1"
COMMAND = "`python benchmarks/qsm.py`"
CORE_VOXELS = 6
"""Depth of the core below the mask's surface, voxels, as the peers' figures were taken."""
VARIATIONS = (
    ("mask given", SusceptibilityRoute(), HEAD / "mask.nii.gz"),
    ("own brain mask", SusceptibilityRoute(), None),
    ("mask given, V-SHARP and TKD", SusceptibilityRoute(sources=OnePass()), HEAD / "mask.nii.gz"),
)


def measure(route: SusceptibilityRoute, given: Path | None) -> dict[str, float]:
    """One run of the route in this process."""
    torch.set_num_threads(2)
    settings = json.loads((HEAD / "params.json").read_text())
    magnitude, phase = read_image(HEAD / "mag.nii.gz"), read_image(HEAD / "phase.nii.gz")
    scan = MultiEcho(magnitude.data, phase.data, tuple(settings["TE"]), settings["B0"], magnitude.grid)
    mask = read_mask(HEAD / "mask.nii.gz").data
    chi, local, field = (read_image(HEAD / f"{name}.nii.gz").data for name in ("chi", "local", "field"))
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    result = route(scan, mask=None if given is None else read_mask(given).data)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    fit = route.refine(scan, start=route.fit(scan, unwrapped=result.unwrapped))
    inside = mask & fit.field.mask
    wanted = field - Shim(2)(field, mask=mask, grid=scan.grid)
    away = ((fit.field.ppm - wanted) * 1e3).numpy()
    core = ndimage.binary_erosion(mask.numpy(), iterations=CORE_VOXELS)
    kept = result.susceptibility.mask
    score = ChallengeScore()(result.susceptibility.value, truth=chi, mask=kept)
    labels = read_image(HEAD / "dseg.nii.gz").data.round().to(torch.int64)
    common = ChallengeScore()(result.susceptibility.value, truth=chi, mask=kept & mask, labels=labels)
    in_local = result.local.mask & mask
    error, truth = (result.local.ppm - local)[in_local], local[in_local]
    return {
        "field_whole_ppb": float((away[inside.numpy()] - np.median(away[inside.numpy()])).std()),
        "field_core_median_ppb": float(np.median(np.abs(away[core] - np.median(away[core])))),
        "slope": common.slope,
        "nuclei_slope_error": common.deep_grey_slope_error,
        "local_nrmse": 100.0 * float((error - error.mean()).norm() / (truth - truth.mean()).norm()),
        "chi_nrmse": score.nrmse,
        "chi_nrmse_inside_truth": common.nrmse,
        "kept": float((kept & mask).sum() / mask.sum()),
        "seconds": seconds,
        "peak_mb": peak / 1024,
        "before_mb": loaded / 1024,
    }


def rows(name: str, found: dict[str, float]) -> list[tuple[str, str, str]]:
    """Figure, ours and the peers' (QSM.rs 0.20.0 on the same input, as published with the head)."""
    kept = f"{100 * found['kept']:.1f} % of the true mask kept"
    return [
        ("field, whole mask, ppb", f"{found['field_whole_ppb']:.1f}", "32 (default), 48 (line fit)"),
        ("field, core median, ppb", f"{found['field_core_median_ppb']:.2f}", "5.3 (default), 1.3 (line fit)"),
        ("local field NRMSE, %", f"{found['local_nrmse']:.1f}", "25.5 at 53 % kept, from the true field"),
        (f"χ NRMSE, {name}, %", f"**{found['chi_nrmse']:.1f}**, {kept}", "73 at 75 % kept; 133 (default)"),
        ("the same where the truth has a brain, %", f"{found['chi_nrmse_inside_truth']:.1f}", ""),
        ("slope of χ against truth, all voxels", f"{found['slope']:.2f}", ""),
        ("error of the slope over six deep nuclei's means", f"{found['nuclei_slope_error']:.3f}", ""),
        ("seconds", f"{found['seconds']:.0f}", ""),
        (
            "peak memory, MB (before the run)",
            f"{found['peak_mb']:.0f} ({found['before_mb']:.0f})",
            "557 (inversion alone)",
        ),
    ]


def main() -> None:
    for name, route, given in VARIATIONS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = pool.apply(measure, (route, given))
        for figure, ours, peers in rows(name, found):
            subject = "wrapped phase to χ"
            print(f"| {subject} | phantom_sim1, {name} | {figure} | {ours} | {peers} | {COMMAND} |", flush=True)


if __name__ == "__main__":
    main()
