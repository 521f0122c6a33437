"""Unwrapping beside scikit-image on the simulated head: voxels off by a turn, and the ratio of times.

Input: one echo of 28 ms made from the true field without its second-order shim, SNR 50, seed 3, and the head's own four
noisy echoes with a phase offset. Each method runs three times in turn; the shortest counts.
"""

import json
import math
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
import torch
from skimage.restoration import unwrap_phase as unwrap_by_skimage

from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.base.units import hz_per_ppm
from gradatim.qsm.laplacian import Laplacian
from gradatim.qsm.residual_wraps import ResidualWraps
from gradatim.qsm.unwrap import Romeo
from gradatim.qsm.unwrap_space import unwrap_phase
from gradatim.qsm.wrapping import wrap

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
HEAD = SHARED / "data" / "qsm" / "phantom_sim1"
COMMAND = "`python benchmarks/unwrap.py`"
TURN = 2.0 * math.pi


def load(name: str) -> np.ndarray:
    return nibabel.load(HEAD / f"{name}.nii.gz").get_fdata()


def without_shim(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The field without its best second-order shim over the mask."""
    x, y, z = np.indices(field.shape).reshape(3, -1) - np.array(field.shape)[:, None] / 2
    terms = np.stack([np.ones_like(x), x, y, z, x * x - y * y, x * y, 2 * z * z - x * x - y * y, y * z, x * z], 1)
    fitted = np.linalg.lstsq(terms[mask.ravel()], field.ravel()[mask.ravel()], rcond=None)[0]
    return (field.ravel() - terms @ fitted).reshape(field.shape) * mask


def off_by_a_turn(found: np.ndarray, true: np.ndarray) -> float:
    """Per cent of voxels more than half a turn from truth, after the best global turn and the median."""
    difference = found - true
    difference = difference - TURN * np.round(np.median(difference) / TURN)
    return 100 * float((np.abs(difference - np.median(difference)) > np.pi).mean())


def race(runners: dict[str, Callable[[], np.ndarray]], rounds: int = 3) -> dict[str, tuple[np.ndarray, float]]:
    """What each returns, and its shortest time, one after the other so that the machine's noise is shared."""
    answers, times = {}, dict.fromkeys(runners, math.inf)
    for turn in range(rounds + 1):
        for name, run in runners.items():
            start = time.perf_counter()
            answers[name] = run()
            if turn > 0:  # the first round warms caches and the compiler
                times[name] = min(times[name], time.perf_counter() - start)
    return {name: (answers[name], times[name]) for name in runners}


def row(figure: str, ours: str, peer: str, data: str) -> None:
    print(f"| unwrapping | {data} | {figure} | {ours} | {peer} | {COMMAND} |")


def main() -> None:
    settings = json.loads((HEAD / "params.json").read_text())
    mask = load("mask") > 0
    inside, field = torch.from_numpy(mask), without_shim(load("field"), mask)
    magnitude, phase = (np.moveaxis(load(name), -1, 0).astype(np.float32) for name in ("mag", "phase"))
    peer = f"scikit-image {version('scikit-image')}"

    true = TURN * hz_per_ppm(settings["B0"]) * 0.028 * field
    noise = np.random.default_rng(3)
    first = magnitude[0].astype(np.float64) / magnitude[0][mask].max()
    signal = first * np.exp(1j * true)
    signal = signal + (noise.standard_normal(mask.shape) + 1j * noise.standard_normal(mask.shape)) / 50
    wrapped = torch.from_numpy(np.angle(signal)).float()
    strength = torch.from_numpy(np.abs(signal)).float()
    one = MultiEcho(strength[None], wrapped[None], (0.028,), 3.0, Grid(mask.shape, tuple(settings["voxel_size"])))
    results = race(
        {
            "ours": lambda: unwrap_phase(wrapped, magnitude=strength, mask=inside).numpy(),
            "peer": lambda: unwrap_by_skimage(np.ma.array(wrapped.numpy(), mask=~mask), rng=0).filled(0),
            "laplacian": lambda: Laplacian()(one, mask=inside).phase[0].numpy(),
        }
    )
    share = {name: off_by_a_turn(found[mask], true[mask]) for name, (found, _) in results.items()}
    ratio = {name: seconds / results["peer"][1] for name, (_, seconds) in results.items()}
    data = "phantom_sim1, one echo 28 ms, SNR 50"
    row("voxels off by a turn, %", f"{share['ours']:.3f}", f"{share['peer']:.3f} ({peer}); 0.29 (ROMEO)", data)
    row("time, ratio to the peer", f"{ratio['ours']:.2f}", f"1 ({peer}, {results['peer'][1]:.2f} s)", data)
    row("Laplacian (not exact), %; time", f"{share['laplacian']:.1f}; {ratio['laplacian']:.2f}", "25.4 (QSM.rs)", data)

    times = tuple(settings["TE"])
    scan = MultiEcho(torch.from_numpy(magnitude), torch.from_numpy(phase), times, settings["B0"], one.grid)
    difference = wrap(scan.phase - scan.phase[:1]).numpy()
    results = race(
        {
            "ours": lambda: Romeo()(scan, mask=inside).phase.numpy(),
            "peer": lambda: np.stack(
                [unwrap_by_skimage(np.ma.array(echo, mask=~mask), rng=0).filled(0) for echo in difference[1:]]
            ),
        },
        rounds=2,
    )
    ours, theirs = results["ours"][0], results["peer"][0]
    data = "phantom_sim1, its own 4 echoes"
    for echo in range(1, len(times)):
        true = TURN * hz_per_ppm(settings["B0"]) * (times[echo] - times[0]) * field
        shares = [off_by_a_turn(each[mask], true[mask]) for each in (ours[echo] - ours[0], theirs[echo - 1])]
        name = f"echo {echo + 1} − echo 1 off by a turn, %"
        row(name, f"{shares[0]:.3f}", f"{shares[1]:.3f} ({peer}, each difference alone)", data)
    ratio_all = results["ours"][1] / results["peer"][1]
    row("time of all echoes, ratio", f"{ratio_all:.2f}", f"1 ({peer}, {results['peer'][1]:.2f} s)", data)
    verdict = ResidualWraps()(Romeo()(scan, mask=inside)).fraction
    row("suspect share without truth, %", ", ".join(f"{100 * each:.3f}" for each in verdict), "", data)


if __name__ == "__main__":
    main()
