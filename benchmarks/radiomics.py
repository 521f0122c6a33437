"""Radiomics beside Pictologics, flash-radiomics, PyRadiomics and MIRP: time and memory for all families of one region.

Every program measures the same saved volume in a process of its own, the shortest of three runs after one that loads
and compiles (MIRP: one run after one). A peer runs in the interpreter that has it, since they do not share one:
``GRADATIM_PEERS=/path/to/python:/another/python``, by default this one; a peer that none of them can import is left
out. ``python benchmarks/radiomics.py [volume|ct|growth|first]``; all four without a word.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.morphology import Morphology
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import IBSI_C

OWN = str(Path(__file__).resolve())
COMMAND = "`python benchmarks/radiomics.py`"
PEERS = ("pictologics", "flash-radiomics", "pyradiomics", "mirp")
FAMILIES = ("morphology", "statistics", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
SPATIAL = ("morphology.moran_i", "morphology.geary_c")
EVERYTHING = Extraction(Preparation(NoDiscretisation()))
TEXTURE = replace(EVERYTHING, families=tuple(f for f in EVERYTHING.families if f.id in FAMILIES), leave_out=SPATIAL)
ONLY_SPATIAL = replace(
    EVERYTHING,
    families=(Morphology(),),
    leave_out=tuple(n for r in Morphology.features if (n := f"morphology.{r.id}") not in SPATIAL),
)
MODES = {
    "eight families, 3-D merged": TEXTURE,
    "all eleven, 3-D merged, with Moran's I and Geary's C": EVERYTHING,
    "eight families, all aggregations": replace(TEXTURE, aggregations=EVERY_AGGREGATION),
    "Moran's I and Geary's C": ONLY_SPATIAL,
}


def ball(shape: tuple[int, ...], radii: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Correlated noise in 32 equally filled levels, and an ellipsoid in the middle of it."""
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    mask = sum(((x - (n - 1) / 2) / r) ** 2 for x, n, r in zip(axes, shape, radii, strict=True)) <= 1
    noise = gaussian_filter(np.random.default_rng(0).normal(size=shape).astype(np.float32), 1.5)
    edges = np.quantile(noise[mask], np.linspace(0, 1, 33)[1:-1])
    image = (np.digitize(noise, edges) + 1).astype(np.float32)
    return {"image": image, "mask": mask.astype(np.uint8), "spacing": np.ones(3), "levels": np.array(32)}


def chest() -> dict[str, np.ndarray]:
    """The IBSI CT phantom on the grid and with the grey levels of configuration C."""
    folder = Path(os.environ.get("GRADATIM_SHARED", "../shared")) / "data/radiomics/phantoms"
    folder = folder / "ibsi_1_ct_radiomics_phantom/nifti"
    image, labels = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    ct = QuantitativeMap(image.data, torch.ones(image.grid.shape, dtype=torch.bool), image.grid, "CT", "HU")
    ((_, roi),) = IBSI_C.preparation(ct, Regions(labels.data, labels.grid))
    levels = np.pad(roi.levels.numpy(), 4)
    return {
        "image": levels.astype(np.float32),
        "mask": (levels > 0).astype(np.uint8),
        "spacing": np.full(3, 2.0),
        "levels": levels.max(),
    }


def measured(path: str, mode: str) -> None:
    """Our own run, in a process of its own: prints seconds and peak memory."""
    volume = np.load(path)
    image = torch.from_numpy(volume["image"])
    grid = Grid(tuple(image.shape), tuple(volume["spacing"].tolist()))
    given = QuantitativeMap(image, torch.ones(image.shape, dtype=torch.bool), grid, "levels", "")
    regions, extraction = Regions(torch.from_numpy(volume["mask"]), grid), MODES[mode]
    before, seconds = peak(), []
    features = extraction(given, regions)
    for _ in range(3):
        start = time.perf_counter()
        features = extraction(given, regions)
        seconds.append(time.perf_counter() - start)
    average = next((f.value for f in features if f.ibsi_code == "60VM"), None)
    said = {"seconds": min(seconds), "peak_mb": peak(), "before_mb": before}
    print(json.dumps(said | {"joint average": average, "count": len(features)}))


def peak() -> float:
    """The most memory that this process ever held, MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def beside(subject: str, volume: dict[str, np.ndarray], modes: tuple[str, ...]) -> None:
    """Rows of one volume: ours in every mode, and the peers beside the first one."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "volume.npz")
        np.savez(path, **volume)
        subject = f"{subject}, {int(volume['mask'].sum())} voxels, {int(volume['levels'])} levels"
        ours = {mode: run([sys.executable, OWN, "measured", path, mode]) for mode in modes}
        for mode, said in ours.items():
            figure = f"**{said['seconds']:.3f} s**, {said['count']} features, peak {said['peak_mb']:.0f} MB"
            row(subject, mode, f"{figure} ({said['before_mb']:.0f} before)", "")
        first = ours[modes[0]]
        for peer in PEERS:
            said = by_peer(peer, path)
            if said is not None:
                same = abs(said["joint average"] / first["joint average"] - 1) < 1e-3
                figure = f"{peer} {said['version']}: {said['seconds']:.3f} s, {said['count']} features, "
                figure += f"peak {said['peak_mb']:.0f} MB" + ("" if same else "; another joint average")
                row(subject, modes[0], f"{said['seconds'] / first['seconds']:.2f}× as fast", figure)


def by_peer(peer: str, path: str) -> dict | None:
    """What a peer took, from the first interpreter that has it."""
    for python in os.environ.get("GRADATIM_PEERS", sys.executable).split(":"):
        said = run([python, str(Path(__file__).resolve().parent / "peers" / "all_families.py"), peer, path], quiet=True)
        if said is not None:
            return said
    return None


def run(command: list[str], *, quiet: bool = False) -> dict | None:
    """The JSON object that a command prints last; None if it fails and may."""
    with tempfile.TemporaryDirectory() as folder:  # some peers leave files where they run
        ended = subprocess.run(command, capture_output=True, text=True, check=not quiet, cwd=folder)
    return json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None


def growth() -> None:
    """Time a voxel over four decades of region size, the whole image being the region's box."""
    for radius in (6.2, 13.4, 28.8, 62.0, 133.7):
        side = 2 * int(radius) + 3
        volume = ball((side,) * 3, (radius,) * 3)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "volume.npz")
            np.savez(path, **volume)
            said = run([sys.executable, OWN, "measured", path, "eight families, 3-D merged"])
        count = int(volume["mask"].sum())
        figure = (
            f"{said['seconds']:.4f} s, {1e9 * said['seconds'] / count:.0f} ns a voxel, peak {said['peak_mb']:.0f} MB"
        )
        row(f"growth, {count} voxels", "eight families, 3-D merged", figure, "")


def first() -> None:
    """A first run from an empty cache of compiled code, and the import alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "volume.npz")
        np.savez(path, **ball((40, 40, 40), (12.0, 12.0, 12.0)))
        for words, figure in (
            (["-c", "import gradatim.radiomics.extraction"], "import"),
            ([__file__, "measured", path, "all eleven, 3-D merged, with Moran's I and Geary's C"], "first run"),
        ):
            environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "cache")}
            start = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True, env=environment)
            own = f"{time.perf_counter() - start:.1f} s"
            row(
                "from an empty cache",
                f"{figure}, start of Python and torch included",
                own,
                "Pictologics 0.9: 458 s, quoted",
            )


def row(subject: str, figure: str, own: str, peer: str) -> None:
    print(f"| radiomics | {subject} | {figure} | {own} | {peer} | {COMMAND} |", flush=True)


def main(words: list[str]) -> None:
    if words[:1] == ["measured"]:
        measured(*words[1:])
        return
    wanted = words or ["volume", "ct", "growth", "first"]
    if "volume" in wanted:
        beside("256 × 256 × 128", ball((256, 256, 128), (62.0, 42.0, 27.47)), tuple(MODES))
    if "ct" in wanted:
        beside("IBSI CT phantom, configuration C", chest(), tuple(MODES)[:2])
    if "growth" in wanted:
        growth()
    if "first" in wanted:
        first()


if __name__ == "__main__":
    main(sys.argv[1:])
