"""Undersampled MRI: radial masks on images that are known, and a real 8-coil scan beside SigPy where it is installed.

Single coil: the ADMM-Net authors' images and masks, without noise; λ from held-out samples, never from the truth. The
oracle's λ, which knows the truth, stands beside it. Eight coils: SigPy's tutorial brain, which comes eightfold
undersampled; a tenth of its outer samples is kept from all methods, and the share of their length that an image fails
to predict is the score. SigPy gets the best of four λ by that very score; gradatim chooses its own.
"""

import importlib.util
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.linop.fourier import CentredFourier
from gradatim.restore.mri.coil_maps import Espirit, LowResolutionMaps
from gradatim.restore.mri.compressed_sensing import CompressedSensing
from gradatim.restore.mri.held_out import HeldOut
from gradatim.restore.mri.kspace import KSpace
from gradatim.restore.mri.periphery_noise import PeripheryNoise
from gradatim.restore.mri.sparsity import TotalVariation

SHARED = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data" / "restore"
COMMAND = "`python benchmarks/undersampled.py`"
ORACLE = (1e-4, 3e-4, 1e-3, 3e-3)
QUOTED_TV = {(1, 20): 33.89, (1, 30): 37.12, (2, 20): 29.16, (2, 30): 31.80}


def row(source: str, figure: str, ours: str, peers: str) -> None:
    print(f"| undersampled MRI | {source} | {figure} | {ours} | {peers} | {COMMAND} |", flush=True)


def timed(make: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """What it makes, and the CPU seconds."""
    start = time.process_time()
    return make(), time.process_time() - start


def psnr(found: Tensor, true: Tensor) -> float:
    return -10 * math.log10(float((found - true).abs().square().mean()))


def radial() -> None:
    import h5py

    for (image, percent), quoted in QUOTED_TV.items():
        with h5py.File(SHARED / "admmnet_mri" / f"Brain_data{image}.mat") as file:
            true = torch.from_numpy(np.asarray(file["im_ori"]).T.copy()).float()
        with h5py.File(SHARED / "admmnet_mri" / f"mask_{percent}.mat") as file:
            mask = torch.from_numpy(np.asarray(file["mask"]).T > 0.5)
        kspace = KSpace((CentredFourier((256, 256)).apply(true) * mask)[None], mask)
        source = f"brain image {image}, radial {percent} %, PSNR dB"
        row(source, "zero filling", f"{psnr(kspace.coil_images[0], true):.2f}", "")
        for name, method in {
            "total variation, own λ": CompressedSensing(TotalVariation(), rounds=0),
            "local cosines, convex, own λ": CompressedSensing(rounds=0),
            "local cosines, reweighted, own λ": CompressedSensing(),
        }.items():
            found = method(kspace)
            best = max(psnr(CompressedSensing(method.sparsity, w, method.rounds)(kspace).image, true) for w in ORACLE)
            ours = f"**{psnr(found.image, true):.2f}** (oracle of {len(ORACLE)} λ: {best:.2f})"
            row(source, name, ours, f"{quoted} (total variation, best λ, quoted)")


def brain() -> None:
    samples = torch.from_numpy(np.load(SHARED / "sigpy_tutorial" / "cartesian_ksp.npy", allow_pickle=False))
    whole = KSpace.measured(samples)
    aside = HeldOut(seed=1).draw(whole)
    shown, hidden = whole.only(~aside), whole.only(aside)
    energy = float(hidden.samples.abs().square().sum())
    noise = math.sqrt(2 * float(PeripheryNoise()(whole).square().sum()) * int(aside.sum()) / energy)

    def missed(image: Tensor, maps: Tensor) -> str:
        difference = hidden.model(maps).apply(image) - hidden.samples
        return f"{100 * math.sqrt(float(difference.abs().square().sum()) / energy):.1f}"

    source = "8-coil brain, 8 times undersampled, held-out samples missed, %"
    found, seconds = timed(lambda: Espirit()(shown).maps)
    maps = found
    row(source, "noise alone, from the rim of k-space (upper bound)", f"{100 * noise:.1f}", "")
    row(source, "zero filling", missed(shown.combined(maps), maps), "")
    for name, method, used in (
        ("total variation, own λ", CompressedSensing(TotalVariation(), rounds=0), maps),
        ("local cosines, convex, own λ", CompressedSensing(rounds=0), maps),
        ("local cosines, reweighted, own λ", CompressedSensing(), maps),
        ("the same, low-resolution maps", CompressedSensing(), LowResolutionMaps()(shown).maps),
    ):
        result = method(shown, maps=used)
        given = CompressedSensing(method.sparsity, result.weight, method.rounds)
        _, spent = timed(lambda given=given, used=used: given(shown, maps=used).image)
        row(source, f"{name}; CPU s with that λ", f"**{missed(result.image, used)}**; {spent:.1f}", "")
    if importlib.util.find_spec("sigpy") is not None:
        beside_sigpy(source, shown, maps, seconds, missed)


def beside_sigpy(
    source: str, shown: KSpace, maps: Tensor, seconds: float, missed: Callable[[Tensor, Tensor], str]
) -> None:
    import sigpy
    from sigpy.mri import app, linop

    samples, weights = shown.samples.numpy(), shown.mask.numpy().astype(float)
    name = f"SigPy {sigpy.__version__}"
    start = time.process_time()
    theirs = app.EspiritCalib(samples, calib_width=24, kernel_width=6, show_pbar=False).run()
    spent = time.process_time() - start
    row(source, "ESPIRiT maps, CPU s", f"{seconds:.1f}", f"{spent:.1f} ({name})")
    x = torch.randn(maps.shape[1:], dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    ours = shown.model(maps).apply(x)
    other = torch.from_numpy(linop.Sense(maps.numpy(), weights=weights)(x.numpy()))
    row(source, "SENSE operator, relative difference", f"{float((ours - other).norm() / ours.norm()):.1e}", name)
    for what, make, weights_tried in (
        ("SenseRecon", app.SenseRecon, (1e-3, 1e-2, 3e-2, 1e-1)),
        ("L1WaveletRecon", app.L1WaveletRecon, (1e-3, 2e-3, 5e-3, 1e-2)),
        ("TotalVariationRecon", app.TotalVariationRecon, (4e-3, 1e-2, 3e-2, 1e-1)),
    ):
        start, scores = time.process_time(), []
        for weight in weights_tried:
            image = make(samples, theirs, lamda=weight, weights=weights, show_pbar=False).run()
            scores.append(missed(torch.from_numpy(image), torch.from_numpy(theirs)))
        spent = (time.process_time() - start) / len(weights_tried)
        row(
            source, f"{what}, best of {len(scores)} λ; CPU s a λ", "", f"{min(scores, key=float)}; {spent:.1f} ({name})"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    radial()
    brain()
