"""How many of IBSI 1's published values gradatim covers and meets, by configuration and consensus level.

A value is met if, rounded to the three digits that the compliance sheet prints, it lies within the sheet's tolerance;
a diagnostic, printed in full where it is a whole number, likewise. The phantoms and the sheet are read from the
reference data. The last row gives the time of resampling the CT phantom to cubes of 2 mm, beside scipy's.
"""

import csv
import math
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np
import scipy
import torch
from scipy import ndimage

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.diagnostics import diagnose
from gradatim.radiomics.presets import IBSI_C, PRESETS

COMMAND = "`python benchmarks/ibsi.py`"
DATA = Path(os.environ.get("GRADATIM_SHARED", Path(__file__).parents[2] / "shared")) / "data/radiomics"
LEVELS = ("very_strong", "strong", "moderate", "none")
PEER = {
    "ibsi-digital": "482 of 482",
    "ibsi-c": "208 of 210",
    "ibsi-d": "209 of 210",
    "ibsi-e": "208 of 210",
}
"""MIRP 2.7, quoted; the best of the peers."""

Case = tuple[QuantitativeMap, Regions]
Row = dict[str, str]


def phantom(preset: str) -> Case:
    """The image and the region that a preset is published for."""
    name = "ibsi_1_digital_phantom" if preset == "ibsi-digital" else "ibsi_1_ct_radiomics_phantom"
    image = read_image(DATA / "phantoms" / name / "nifti/image/phantom.nii.gz")
    mask = read_labels(DATA / "phantoms" / name / "nifti/mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "intensity", "HU"), Regions(mask.data, mask.grid)


def published(preset: str) -> tuple[list[Row], list[Row]]:
    """The sheet's features and diagnostics that have a value for a preset."""
    configuration = "digital_phantom" if preset == "ibsi-digital" else preset.replace("ibsi-", "ct_config_")
    with (DATA / "ibsi1_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["config"] == configuration and row["value"]]
    return [r for r in rows if r["family"] != "diagnostics"], [r for r in rows if r["family"] == "diagnostics"]


def agrees(value: float, row: Row, *, whole: bool) -> bool:
    """Whether a value lies within the sheet's tolerance, as far as the sheet prints it."""
    if not math.isfinite(value):
        return False
    rounded = round(value) if whole and abs(value) >= 100 else float(f"{value:.3g}")
    return abs(rounded - float(row["value"])) <= float(row["tolerance"] or 0) * (1 + 1e-9)


def features(preset: str, case: Case, rows: list[Row]) -> None:
    """One row for each consensus level and one for all."""
    found = {
        (f.family, CATALOGUE[f"{f.family}.{f.feature}"].name, f.aggregation): f.value for f in PRESETS[preset](*case)
    }
    everything, covered, met = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        key = row["family"], row["feature"], row["aggregation_code"]
        level = row["consensus"] or "none"
        everything[level] += 1
        covered[level] += key in found
        met[level] += agrees(found.get(key, math.nan), row, whole=False)
    for level in LEVELS:
        if everything[level]:
            say(preset, f"features, consensus {level.replace('_', ' ')}", covered[level], met[level], everything[level])
    peer = f"{PEER[preset]} (MIRP 2.7, quoted)" if preset in PEER else ""
    say(preset, "features, all", covered.total(), met.total(), everything.total(), peer)


def diagnostics(preset: str, case: Case, rows: list[Row]) -> None:
    """One row."""
    found = {row.tag: row.value for row in diagnose(PRESETS[preset].preparation, *case)}
    met = sum(agrees(found.get(row["tag"], math.nan), row, whole=True) for row in rows)
    say(preset, "processing diagnostics", sum(row["tag"] in found for row in rows), met, len(rows))


def say(preset: str, what: str, covered: int, met: int, everything: int, peer: str = "") -> None:
    print(
        f"| IBSI 1 | {preset} | {what}: covered; within tolerance | {covered} of {everything}; **{met}** | {peer} "
        f"| {COMMAND} |",
        flush=True,
    )


def resampling() -> None:
    """CPU time on one thread beside scipy's, in turns, the shortest of seven rounds."""
    torch.set_num_threads(1)
    image, regions = phantom("ibsi-c")
    old, new = image.grid, IBSI_C.preparation.resampled(image, regions).grid
    ratio = np.array(new.spacing) / np.array(old.spacing)
    offset = (np.array(old.shape) - 1) / 2 - ratio * (np.array(new.shape) - 1) / 2
    array = image.value.numpy()
    times: dict[str, list[float]] = {"ours": [], "scipy": []}
    for _ in range(7):
        start = time.process_time()
        IBSI_C.preparation.resampled(image, regions)
        middle = time.process_time()
        ndimage.affine_transform(array, ratio, offset, new.shape, order=1, mode="nearest").round()
        times["ours"].append(middle - start)
        times["scipy"].append(time.process_time() - middle)
    ours, theirs = min(times["ours"]), min(times["scipy"])
    sizes = ["×".join(map(str, grid.shape)) for grid in (old, new)]
    print(
        f"| IBSI 1 | CT phantom, {sizes[0]} → {sizes[1]}, float32 | trilinear resampling and rounding, CPU time, ratio "
        f"| {ours / theirs:.2f} ({1e3 * ours:.0f} ms) | 1 (scipy {scipy.__version__}, {1e3 * theirs:.0f} ms) "
        f"| {COMMAND} |"
    )


def main() -> None:
    for preset in sorted(name for name in PRESETS if name.startswith("ibsi-")):
        case = phantom(preset)
        values, steps = published(preset)
        features(preset, case, values)
        if steps:
            diagnostics(preset, case, steps)
    resampling()


if __name__ == "__main__":
    main()
