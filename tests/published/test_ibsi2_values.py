"""IBSI 2, phase 2: 18 statistics of nine filters' responses on the CT phantom, in slices (A) and in space (B).

A value agrees if, rounded to the three digits that the table prints, it is within the table's tolerance. Of the 324
values one, the quartile coefficient of dispersion of filter 8 in space, has none. Source: theibsi/ibsi_2_reference_data
(CC0), IBSI 2 reference manual, arXiv:2006.05470. The CT phantom is CC BY-NC 3.0 and read from the reference data only.
"""

import csv
import math
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.gabor import Gabor, evenly
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.rotations import PlaneRotations, SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.interpolation import CubicSpline
from gradatim.radiomics.preparation import Preparation, Response
from gradatim.radiomics.resample import ResampleTo, RoundToUnit
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.statistics import Statistics

GABOR = Gabor(sigma_mm=5.0, wavelength_mm=2.0, gamma=1.5, angles=evenly(math.pi / 8))
SPACE, PLANE = SpaceRotations(), PlaneRotations()
DB3 = WAVELETS["db3"]

FILTERS: dict[str, Response | None] = {
    "1.A": None,
    "2.A": MeanFilter(5, dimensions=2),
    "3.A": LaplacianOfGaussian(sigma_mm=1.5, dimensions=2),
    "4.A": EnergyMap(Pooled(LawsKernels("L5E5"), over=PLANE, by=Maximum()), distance=7, dimensions=2),
    "5.A": GABOR,
    "6.A": Pooled(SeparableWavelet(DB3, "LH"), over=PLANE, by=Average()),
    "7.A": Pooled(SeparableWavelet(DB3, "HH", level=2), over=PLANE, by=Average()),
    "8.A": NonseparableWavelet(level=1, dimensions=2),
    "9.A": NonseparableWavelet(level=2, dimensions=2),
    "1.B": None,
    "2.B": MeanFilter(5),
    "3.B": LaplacianOfGaussian(sigma_mm=1.5),
    "4.B": EnergyMap(Pooled(LawsKernels("L5E5E5"), over=SPACE, by=Maximum()), distance=7),
    "5.B": OrthogonalPlanes(GABOR),
    "6.B": Pooled(SeparableWavelet(DB3, "LLH"), over=SPACE, by=Average()),
    "7.B": Pooled(SeparableWavelet(DB3, "HHH", level=2), over=SPACE, by=Average()),
    "8.B": NonseparableWavelet(level=1),
    "9.B": NonseparableWavelet(level=2),
}

SLOW = ("5.B",)
"""Three planes of eight angles each: more than ten seconds on a busy machine."""

RANGE = IntensityRange(low=-1000.0, high=400.0)
RESAMPLING = {"A": None, "B": ResampleTo((1.0, 1.0, 1.0), interpolation=CubicSpline(), rounding=RoundToUnit())}

Row = dict[str, str]


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, list[Row]]:
    """Filter → the rows that have a value."""
    rows = defaultdict(list)
    with (shared / "data/radiomics/ibsi2_phase2_reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["value"]:
                rows[row["filter_id"]].append(row)
    return rows


@pytest.fixture(scope="module")
def phantom(shared: Path) -> tuple[QuantitativeMap, Regions]:
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "intensity", "HU"), Regions(mask.data, mask.grid)


def test_nothing_that_is_published_is_left_out(published: dict[str, list[Row]]) -> None:
    assert {name: len(rows) for name, rows in published.items()} == dict.fromkeys(FILTERS, 18) | {"8.B": 17}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in FILTERS])
def test_every_published_value(
    name: str, published: dict[str, list[Row]], phantom: tuple[QuantitativeMap, Regions]
) -> None:
    preparation = Preparation(FixedBinNumber(32), (RANGE,), RESAMPLING[name[-1]], FILTERS[name])
    found = {f.ibsi_code: f.value for f in Extraction(preparation, families=(Statistics(),))(*phantom)}
    missed = [
        (row["feature"], row["value"], row["tolerance"], found[row["ibsi_code"]])
        for row in published[name]
        if not agrees(found[row["ibsi_code"]], row)
    ]
    assert not missed


def agrees(value: float, row: Row) -> bool:
    rounded = float(f"{value:.3g}")
    return abs(rounded - float(row["value"])) <= float(row["tolerance"]) * (1 + 1e-9)
