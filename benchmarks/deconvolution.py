"""Richardson-Lucy beside scikit-image: ratio of times, memory, the FFT floor, and quality where truth is known.

Speed: 256×256×64 photons in float32, 20 iterations, a Gibson-Lanni PSF of 31×31×25 with spherical aberration, a
scene that goes on outside the field. Methods run in turn, each in a process of its own for its memory; the
shortest of the rounds counts. The floor is what 80 real transforms of the same size take by scipy.

Quality: pollen of sdeconv (256×256×32, truth known, not pure Poisson noise), bars of DeconvolutionLab2 in flowdec's
reduction (64×64×32). NRMSE after the best scale. scikit-image has no right
centre for a PSF of even size, whose mirror image it moves by a voxel; it is given the PSF without its first planes.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy.fft
import torch
from skimage.restoration import richardson_lucy as by_skimage
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.io.tiff import read_tiff
from gradatim.restore.microscopy.accelerated_richardson_lucy import AcceleratedRichardsonLucy
from gradatim.restore.microscopy.field_blur import Border, FieldBlur
from gradatim.restore.microscopy.gibson_lanni import GibsonLanni
from gradatim.restore.microscopy.photon_transfer import PhotonTransfer
from gradatim.restore.microscopy.richardson_lucy import RichardsonLucy
from gradatim.solve.stopping import Discrepancy, IterationBound

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
COMMAND = "`python benchmarks/deconvolution.py`"
FIELD, ITERATIONS, ROUNDS = (256, 256, 64), 20, 2
PEER = f"scikit-image {version('scikit-image')}"


def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Truth in the field, PSF, photon counts."""
    psf = GibsonLanni(1.4, 520e-9, 1.38, 3e-6)(Grid((31, 31, 25), (8e-5, 8e-5, 2.5e-4)), centre=(15.0, 15.0, 16.0))
    blur, seed = FieldBlur.open(psf.float(), FIELD), torch.Generator().manual_seed(1)
    truth = torch.full(blur.support, 2.0)
    for size, light, count in ((1, 3000.0, 400), (6, 150.0, 150), (20, 30.0, 40)):
        for corner in (torch.rand(count, 3, generator=seed) * (torch.tensor(blur.support) - size)).long().tolist():
            truth[tuple(slice(i, i + size) for i in corner)] += light * float(torch.rand(1, generator=seed))
    return truth[blur.window], psf.float(), torch.poisson(blur.apply(truth).clamp_min(0), generator=seed)


def ours(image: Tensor, psf: Tensor) -> Tensor:
    return RichardsonLucy(IterationBound(ITERATIONS))(image, psf=psf).value


def accelerated(image: Tensor, psf: Tensor) -> Tensor:
    return AcceleratedRichardsonLucy(IterationBound(ITERATIONS))(image, psf=psf).value


def peer(image: Tensor, psf: Tensor) -> Tensor:
    return torch.from_numpy(by_skimage(image.numpy(), psf.numpy(), num_iter=ITERATIONS, clip=False))


def floor(image: Tensor, psf: Tensor) -> Tensor:
    """The transforms alone, without what is done between them."""
    shape = FieldBlur.open(psf, FIELD).support
    values, threads = np.zeros(shape, np.float32), torch.get_num_threads()
    for _ in range(2 * ITERATIONS):
        values = scipy.fft.irfftn(scipy.fft.rfftn(values, workers=threads), s=shape, workers=threads)
    return image


RUNNERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ours": ours,
    "accelerated": accelerated,
    "peer": peer,
    "floor": floor,
}


def measure(name: str) -> None:
    """One run in this process: seconds, CPU seconds, memory over that before, and how good it is."""
    truth, psf, image = scene()
    before, peak, running = _memory(), [0.0], threading.Event()
    running.set()
    watch = threading.Thread(target=_watch, args=(peak, running))
    watch.start()
    start, cpu = time.perf_counter(), time.process_time()
    found = RUNNERS[name](image, psf)
    seconds, busy = time.perf_counter() - start, time.process_time() - cpu
    running.clear()
    watch.join()
    memory = peak[0] - before
    edge = torch.ones(FIELD, dtype=torch.bool)
    edge[16:-16, 16:-16, 8:-8] = False
    smooth = FieldBlur.periodic(_gaussian(), FIELD)
    error = smooth.apply(found) - smooth.apply(truth)
    scores = {k: float(error[m].norm() / smooth.apply(truth)[m].norm()) for k, m in (("edge", edge), ("inner", ~edge))}
    light = float(found.double().sum() / image.double().sum())
    print(json.dumps({"seconds": seconds, "cpu": busy, "memory": memory, "light": light, **scores}))


def _watch(peak: list[float], running: threading.Event) -> None:
    while running.is_set():
        peak[0] = max(peak[0], _memory())
        time.sleep(0.003)


def _memory() -> float:
    """Megabytes that this process holds, as Linux counts them."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _gaussian() -> Tensor:
    line = torch.exp(-0.5 * (torch.arange(9.0) - 4) ** 2)
    return line[:, None, None] * line[:, None] * line / line.sum() ** 3


def speed() -> None:
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name in RUNNERS:
            command = [sys.executable, __file__, name]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            if name not in best or found["seconds"] < best[name]["seconds"]:
                best[name] = found
    data, reference = "256×256×64, PSF 31×31×25, float32, 20 iterations", best["peer"]["seconds"]
    shape = FieldBlur.open(torch.ones(31, 31, 25), FIELD).support
    volume = 4 * float(np.prod(shape)) / 2**20
    for name in ("ours", "accelerated", "floor"):
        row(
            f"{name}: time, ratio to the peer ({torch.get_num_threads()} threads; the peer uses one)",
            f"{best[name]['seconds'] / reference:.2f}",
            f"1 ({PEER}, {reference:.1f} s)",
            data,
        )
        row(f"{name}: CPU time, ratio", f"{best[name]['cpu'] / best['peer']['cpu']:.2f}", "1", data)
    for name in ("ours", "accelerated"):
        row(
            f"{name}: peak memory, volumes of the support ({volume:.0f} MB each)",
            f"{best[name]['memory'] / volume:.1f}",
            f"{best['peer']['memory'] / volume:.1f} ({PEER})",
            data,
        )
        for place in ("inner", "edge"):
            row(
                f"{name}: NRMSE of smoothed light, {place}",
                f"{best[name][place]:.3f}",
                f"{best['peer'][place]:.3f}",
                data,
            )


def nrmse(found: Tensor, truth: Tensor) -> float:
    x, t = found.double(), truth.double()
    scale = (x * t).sum() / (x * x).sum()
    return float((scale * x - t).norm() / t.norm())


def pollen() -> None:
    folder = SHARED / "data" / "learn" / "sdeconv"
    names = ("pollen", "pollen_poisson_noise_blurred", "pollen_psf")
    truth, image, psf = (read_tiff(folder / f"{name}.tif").data for name in names)
    camera = PhotonTransfer.of(image)
    photons = camera.photons(image)
    below = int((photons < 0).sum())
    background, counts = camera.background(0.0), photons.clamp_min(0.0)
    data = f"pollen, 256×256×32, {below} values below 0 photons set to 0"
    stopped = RichardsonLucy(IterationBound(60) | Discrepancy(), Border.PERIODIC)(
        counts, psf=psf, background=background
    )
    k = stopped.iterations
    theirs = {n: nrmse(_skimage(image.clamp_min(0), psf, n), truth) for n in sorted({k, 5, 20})}
    row("gain told from the noise (50 by variance over mean of data − blurred truth)", f"{camera.gain:.1f}", "", data)
    row("NRMSE of the raw data", f"{nrmse(image, truth):.3f}", "", data)
    row(
        f"NRMSE, stopped by the noise after {k} ({stopped.reason.name})",
        f"{nrmse(stopped.value, truth):.3f}",
        "; ".join(f"{value:.3f} at {n}" for n, value in theirs.items()) + f" ({PEER})",
        data,
    )


def bars() -> None:
    folder = SHARED / "data" / "learn" / "flowdec"
    truth, image, psf = (read_tiff(folder / f"bars-25pct-{name}.tif").data for name in ("actual", "data", "kernel"))
    for n in (20, 100):
        found = RichardsonLucy(IterationBound(n))(image, psf=psf).value
        fast = AcceleratedRichardsonLucy(IterationBound(n))(image, psf=psf).value
        row(
            f"NRMSE after {n} iterations; accelerated",
            f"{nrmse(found, truth):.3f}; {nrmse(fast, truth):.3f}",
            f"{nrmse(_skimage(image, psf, n), truth):.3f} ({PEER})",
            "bars, 64×64×32, no noise, kernel sum 5·10⁵",
        )


def _skimage(image: Tensor, psf: Tensor, iterations: int) -> Tensor:
    centred = psf[tuple(slice(1 - n % 2, None) for n in psf.shape)]
    top = float(image.max())
    return torch.from_numpy(
        by_skimage((image / top).numpy(), (centred / centred.sum()).numpy(), num_iter=iterations, clip=False)
    )


def row(figure: str, mine: str, other: str, data: str) -> None:
    print(f"| deconvolution | {data} | {figure} | {mine} | {other} | {COMMAND} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        speed()
        bars()
        pollen()
