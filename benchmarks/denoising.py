"""Set-type denoising on pictures that scikit-image ships: PSNR beside its denoisers, σ estimated, λ without the truth.

Grey pictures, at most 256×256 from their middle, white noise of σ 15, 25 and 50, not clipped. Ours is not told σ. The
peers are told the true one, and total variation there, which has no rule, gets the best of eight weights by the truth.
``denoise_wavelet`` is a peer where PyWavelets is installed.
"""

import importlib.util
import math
import time

import numpy as np
import torch
from skimage import __version__ as peer_version
from skimage import data, restoration
from torch import Tensor

from gradatim.restore.denoise import Denoising
from gradatim.restore.generalised_variation import GeneralisedVariationDenoising
from gradatim.restore.total_variation import TotalVariationDenoising
from gradatim.restore.wavelet_shrinkage import WaveletShrinkage

COMMAND = "`python benchmarks/denoising.py`"
NAMES = ("camera", "coins", "moon", "brick", "grass", "page")
SIGMAS = (15.0, 25.0, 50.0)
SIZE = 256


def pictures() -> dict[str, Tensor]:
    """The pictures, at most 256×256, from their middle."""
    found = {}
    for name in NAMES:
        picture = getattr(data, name)()
        rows, columns = ((max(n - SIZE, 0) // 2) for n in picture.shape)
        found[name] = torch.from_numpy(picture[rows : rows + SIZE, columns : columns + SIZE].astype(np.float32))
    return found


def psnr(found: Tensor, truth: Tensor) -> float:
    """Peak signal to noise, dB, peak 255."""
    return 10.0 * math.log10(255.0**2 / float((found - truth).double().square().mean()))


OURS = {
    "local cosines": Denoising(),
    "TV": TotalVariationDenoising(),
    "TGV": GeneralisedVariationDenoising(),
    "wavelets": Denoising(WaveletShrinkage()),
}


def peers(image: Tensor, truth: Tensor, sigma: float) -> dict[str, tuple[float, float]]:
    """PSNR and seconds of each."""
    unit = (image / 255.0).numpy().astype(np.float64)
    ways = {
        "nl_means": lambda: restoration.denoise_nl_means(
            unit, h=0.8 * sigma / 255, sigma=sigma / 255, fast_mode=True, patch_size=5, patch_distance=6
        ),
        "tv_chambolle, default": lambda: restoration.denoise_tv_chambolle(unit),
    }
    for weight in np.geomspace(0.03, 0.3, 8):
        ways[f"tv_chambolle {weight:.3f}"] = lambda w=weight: restoration.denoise_tv_chambolle(unit, weight=w)
    if importlib.util.find_spec("pywt"):
        ways["wavelet"] = lambda: restoration.denoise_wavelet(unit, sigma=sigma / 255, mode="soft")
    found = {}
    for name, way in ways.items():
        start = time.process_time()
        value = torch.from_numpy(255.0 * way())
        found[name] = psnr(value, truth), time.process_time() - start
    best = max((n for n in found if n.startswith("tv_chambolle 0")), key=lambda n: found[n][0])
    return {n: v for n, v in found.items() if not n.startswith("tv_chambolle 0")} | {"tv_chambolle, best": found[best]}


def main() -> None:
    torch.set_num_threads(1)
    for sigma in SIGMAS:
        ours: dict[str, list[tuple[float, float]]] = {}
        others: dict[str, list[tuple[float, float]]] = {}
        for seed, (_, truth) in enumerate(pictures().items()):
            noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(seed))
            image = truth + sigma * noise
            for way, method in OURS.items():
                start = time.process_time()
                value = method(image).value
                ours.setdefault(way, []).append((psnr(value, truth), time.process_time() - start))
            for way, pair in peers(image, truth, sigma).items():
                others.setdefault(way, []).append(pair)
        left, right = (", ".join(_mean(n, v) for n, v in table.items()) for table in (ours, others))
        subject = f"{', '.join(NAMES)}; σ {sigma:.0f}"
        beside = f"{right} (scikit-image {peer_version})"
        print(f"| denoising, mean PSNR, dB (CPU s) | {subject} | {left} | {beside} | {COMMAND} |", flush=True)


def _mean(name: str, pairs: list[tuple[float, float]]) -> str:
    return f"{name} {np.mean([p for p, _ in pairs]):.2f} ({np.mean([s for _, s in pairs]):.2f})"


if __name__ == "__main__":
    main()
