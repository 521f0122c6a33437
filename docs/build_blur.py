"""Draws the picture and prints the table of docs/blur-and-texture.md; run as ``python -m docs.build_blur``."""

import sys
from pathlib import Path

import numpy as np
import torch
from skimage import data

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.base.optional import matplotlib_figure
from gradatim.radiomics.aggregation import PLANE, PLANES_MERGED
from gradatim.radiomics.blur.covariance import covariance_of_region
from gradatim.radiomics.blur.normal_texture import NormalTexture
from gradatim.radiomics.blur.transfer import GaussianPsf, blurred
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.preparation import Preparation
from tests.radiomics.two_scanners import agreements

PICTURE = Path(__file__).parent / "pictures" / "blur-and-texture.png"
NAMES = {
    "contrast": "contrast",
    "inverse_difference_moment": "homogeneity",
    "angular_second_moment": "energy",
}
WIDTHS = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0)
SHOWN = ("statistics.variance", "statistics.skewness", "statistics.percentile_90")


def picture() -> None:
    """Gravel through three blurs, and three features predicted (lines) and measured (dots)."""
    gravel = torch.from_numpy(data.gravel().astype(np.float64))[:256, :256, None]
    region = torch.zeros(gravel.shape, dtype=torch.bool)
    region[32:-32, 32:-32] = True
    unit, bins = (1.0, 1.0, 1.0), FixedBinSize(8.0, -80.0)
    grid = Grid((256, 256, 1), unit)
    extraction = Extraction(Preparation(bins), families=(Glcm(),), aggregations=(PLANES_MERGED,))
    lags, texture = covariance_of_region(gravel, region, unit), NormalTexture(bins, PLANE)
    records = {record.id: record for record in Glcm.features}
    figure = matplotlib_figure().Figure(figsize=(9, 5.4), facecolor="white", layout="constrained")
    axes = figure.subplots(2, 3)
    for axis, sigma in zip(axes[0], (0.0, 0.8, 2.0), strict=True):
        seen = blurred(gravel, GaussianPsf((sigma, sigma, 0.0)), unit)
        axis.imshow(seen[96:160, 96:160, 0], cmap="gray", vmin=0, vmax=255)
        axis.set_title(f"σ = {sigma:g} pixels", fontsize=10)
        axis.set_axis_off()
    measured, foreseen = [], []
    for sigma in WIDTHS:
        psf = GaussianPsf((sigma, sigma, 0.0))
        seen = QuantitativeMap(blurred(gravel, psf, unit), torch.ones_like(region), grid, "gravel", "")
        measured.append({row.feature: row.value for row in extraction(seen, Regions(region.long(), grid))})
        matrix = texture(lags.through(psf))
        foreseen.append({name: float(records[name].compute(matrix)) for name in NAMES})
    for axis, (name, called) in zip(axes[1], NAMES.items(), strict=True):
        axis.plot(WIDTHS, [row[name] for row in foreseen], color="#0b6b77", label="predicted")
        axis.plot(WIDTHS, [row[name] for row in measured], "o", color="#b3541e", label="measured")
        axis.set_ylim(bottom=0)
        axis.set_xlabel("σ of the blur, pixels")
        axis.set_title(called, fontsize=10)
    axes[1, 0].legend(frameon=False)
    figure.savefig(PICTURE, dpi=90, metadata={"Software": None})


def table() -> str:
    """Thirty objects on two scanners, before and after their measured quality is matched."""
    found = agreements(30)
    low = [each for each in found if each.icc[0] < 0.9]
    lines = [
        "| feature | difference before | after | smaller by | ICC(2,1) before | after |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        if each.feature.split(".")[1] in NAMES or each.feature in SHOWN:
            (wide, close), (poor, good) = each.apart, each.icc
            lines.append(f"| {each.feature} | {wide:.3g} | {close:.3g} | {each.shrunk:.1f} | {poor:.2f} | {good:.3f} |")
    shrunk, before, after = (np.median(v) for v in zip(*((e.shrunk, *e.icc) for e in found), strict=True))
    lines.append(
        f"median of {len(found)} features: smaller by {shrunk:.1f}, ICC {before:.2f} before, {after:.3f} after"
    )
    lines.append(f"{len(low)} below 0.9 before, {sum(e.icc[1] > 0.9 for e in low)} of them above it after")
    lines += [f"still below: {e.feature} {e.icc[0]:.2f}, {e.icc[1]:.2f}" for e in found if e.icc[1] <= 0.9]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    picture()
    sys.stdout.write(table())
