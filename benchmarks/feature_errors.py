"""How often an interval of one standard error holds the mean of repeated scans: gradients beside replicates.

Balls of 925 voxels in simulated scans with white noise of 1 and of 3 bins, hard grey levels. Four textures, a smooth
Gaussian field of standard deviation 4 bins each, and four with a core 12 bins darker, 30 scans of each. Intervals are
value ± standard error from one scan; the mean is over 100 scans of the same object. 68 % is right, and 120 scans know
a share to 4 %. Gradients on textures only, and for first order, GLCM and NGTDM.
``python benchmarks/feature_errors.py [bins]``: one noise level, in bins; both without a word: 7 minutes of one core.
"""

import sys
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.replicates import ReplicatedErrors
from gradatim.radiomics.soft.extraction import SoftExtraction
from gradatim.radiomics.soft.noise import WhiteNoise
from gradatim.radiomics.soft.standard_error import Estimate, StandardErrors

N, BIN, OBJECTS, SCANS, FOR_MEAN = 15, 0.25, 4, 30, 100
GRID = Grid((N, N, N), (1.0, 1.0, 1.0))
AXIS = torch.arange(N) - (N - 1) / 2
RADIUS = (AXIS[:, None, None] ** 2 + AXIS[:, None] ** 2 + AXIS**2).sqrt()
REGIONS = Regions((RADIUS < 6.05).to(torch.int64), GRID)
PREPARATION = Preparation(FixedBinSize(width=BIN, origin=0.0))
THREE = tuple(family for family in FAMILIES if family.id in ("statistics", "glcm", "ngtdm"))
LEFT_OUT = ("morphology", "local_intensity", "intensity_volume_histogram")  # no re-segmentation; no whole numbers
ALL = Extraction(PREPARATION, tuple(f for f in FAMILIES if f.id not in LEFT_OUT))
Measure = Callable[[QuantitativeMap, Regions], dict[int, dict[str, Estimate]]]


def texture(seed: int) -> Tensor:
    """A smooth random field of standard deviation 1 in the ball, FWHM of its blur 2.8 voxels."""
    k = torch.fft.fftfreq(N, dtype=torch.float64)
    square = k[:, None, None] ** 2 + k[:, None] ** 2 + k**2
    white = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    smooth = torch.fft.ifftn(torch.fft.fftn(white) * torch.exp(-28.0 * square)).real
    inside = smooth[REGIONS.labels > 0]
    return 20 + (smooth - inside.mean()) / inside.std()


def scans(truth: Tensor, sigma: float, generator: torch.Generator) -> Iterator[QuantitativeMap]:
    """The object again and again, without end."""
    while True:
        value = truth + sigma * torch.randn(GRID.shape, dtype=torch.float64, generator=generator)
        yield QuantitativeMap(value, torch.ones(GRID.shape).bool(), GRID, "signal", "")


def covered(objects: list[Tensor], sigma: float, extraction: Extraction, measures: list[Measure]) -> list[dict]:
    """For each measure: feature → share of scans, %, whose interval holds the mean of their object's scans."""
    hits: list[dict[str, float]] = [{} for _ in measures]
    for number, truth in enumerate(objects):
        source = scans(truth, sigma, torch.Generator().manual_seed(number))
        images = [next(source) for _ in range(FOR_MEAN)]
        rows = [{f"{f.family}.{f.feature}": f.value for f in extraction(one, REGIONS)} for one in images]
        mean = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
        for found, measure in zip(hits, measures, strict=True):
            for image, row in zip(images[:SCANS], rows, strict=False):
                for name, estimate in measure(image, REGIONS)[1].items():
                    hit = abs(row[name] - mean[name]) <= estimate.standard_error
                    found[name] = found.get(name, 0.0) + 100 * hit / (SCANS * len(objects))
    return hits


def main(levels: list[float]) -> None:
    """Print one row a feature, and how many are within 60 to 76 %."""
    textures = [texture(seed) for seed in range(OBJECTS)]
    cores = [truth - 12 * BIN * (RADIUS < 3.5) for truth in textures]
    columns: list[dict[str, float]] = []
    for bins in levels:
        noise = WhiteNoise(bins * BIN)
        three = Extraction(PREPARATION, THREE)
        gradients = StandardErrors(PREPARATION, noise, SoftExtraction(families=THREE))
        columns += covered(textures, noise.sigma, ALL, [gradients, ReplicatedErrors(ALL, noise)])
        columns += covered(cores, noise.sigma, three, [ReplicatedErrors(three, noise)])
    head = [f"σ = {b:g} bin{'s' * (b > 1)}: {w}" for b in levels for w in ("gradients", "replicates", "with a core")]
    print("| feature | " + " | ".join(head) + " |\n|---|" + "---|" * len(head))
    for name in columns[1]:
        shares = [column.get(name) for column in columns]
        cells = ["" if s is None else f"{s:.0f}" if 60 <= round(s) <= 76 else f"**{s:.0f}**" for s in shares]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for title, column in zip(head, columns, strict=True):
        for family in dict.fromkeys(name.split(".")[0] for name in column):
            own = [round(share) for name, share in column.items() if name.startswith(f"{family}.")]
            print(f"{title}: {family}: {sum(60 <= s <= 76 for s in own)} of {len(own)} within 60 to 76 %")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main([float(word) for word in sys.argv[1:]] or [1.0, 3.0])
