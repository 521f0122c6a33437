"""What undersampled MRI reaches on pictures and k-space that others published.

Radial masks and brain images of the ADMM-Net authors (MIT licence): peak signal-to-noise ratio −20·log₁₀ of the root
mean square error, for images with a peak of 1. Zero filling gives 27.85 dB (image 1, 20 %), which settles the
definition. Periodic isotropic total variation at its best λ gives 33.89, 37.12, 29.16 and 31.80 dB.
"""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.linop.fourier import CentredFourier
from gradatim.restore.mri.coil_maps import Espirit, LowResolutionMaps
from gradatim.restore.mri.compressed_sensing import CompressedSensing
from gradatim.restore.mri.held_out import HeldOut
from gradatim.restore.mri.kspace import KSpace
from gradatim.restore.mri.periphery_noise import PeripheryNoise
from gradatim.restore.mri.sparsity import TotalVariation
from gradatim.solve.stopping import IterationBound, RelativeChange

pytestmark = pytest.mark.slow

ZERO_FILLED = {(1, 20): 27.85, (1, 30): 30.48, (2, 20): 26.11, (2, 30): 28.37}
TV = {(1, 20): 33.89, (1, 30): 37.12, (2, 20): 29.16, (2, 30): 31.80}
TV_WEIGHT = {(1, 20): 1e-3, (1, 30): 8e-4, (2, 20): 2.4e-3, (2, 30): 2.6e-3}
CASES = list(TV)


def _matlab(file: Path, name: str) -> Tensor:
    if importlib.util.find_spec("h5py") is None:
        pytest.skip("h5py, which reads files of MATLAB 7.3, is not installed")
    import h5py

    with h5py.File(file) as opened:
        return torch.from_numpy(np.asarray(opened[name]).T.copy())


def _case(shared: Path, image: int, percent: int) -> tuple[Tensor, KSpace]:
    folder = shared / "data/restore/admmnet_mri"
    if not folder.is_dir():
        pytest.skip("the radial masks are not among the reference data")
    true = _matlab(folder / f"Brain_data{image}.mat", "im_ori").float()
    mask = _matlab(folder / f"mask_{percent}.mat", "mask") > 0.5
    return true, KSpace((CentredFourier((256, 256)).apply(true) * mask)[None], mask)


def psnr(found: Tensor, true: Tensor) -> float:
    return -10 * math.log10(float((found - true).abs().square().mean()))


@pytest.mark.parametrize("case", CASES)
def test_zero_filling_settles_the_definition(shared: Path, case: tuple[int, int]) -> None:
    true, kspace = _case(shared, *case)
    assert psnr(kspace.coil_images[0], true) == pytest.approx(ZERO_FILLED[case], abs=0.005)


@pytest.mark.parametrize("case", CASES)
def test_total_variation_gives_the_figures_of_total_variation(shared: Path, case: tuple[int, int]) -> None:
    true, kspace = _case(shared, *case)
    rule = IterationBound(200) | RelativeChange(1e-4)
    found = CompressedSensing(TotalVariation(), TV_WEIGHT[case], rounds=0, rule=rule)(kspace)
    assert psnr(found.image, true) == pytest.approx(TV[case], abs=0.03)


@pytest.mark.parametrize("case", CASES)
def test_the_default_is_clearly_better_with_a_weight_of_its_own(shared: Path, case: tuple[int, int]) -> None:
    true, kspace = _case(shared, *case)
    assert psnr(CompressedSensing()(kspace).image, true) > TV[case] + 1.5


@pytest.fixture(scope="module")
def brain(shared: Path) -> KSpace:
    file = shared / "data/restore/sigpy_tutorial/cartesian_ksp.npy"
    if not file.is_file():
        pytest.skip("the 8-coil brain is not among the reference data")
    return KSpace.measured(torch.from_numpy(np.load(file, allow_pickle=False)))


def test_an_eightfold_undersampled_brain_predicts_samples_it_was_not_shown(brain: KSpace) -> None:
    """No truth exists for this scan; samples kept aside are the judge, and noise sets the least that can be missed."""
    aside = HeldOut(seed=1).draw(brain)
    shown, hidden = brain.only(~aside), brain.only(aside)
    energy = float(hidden.samples.abs().square().sum())
    floor = 2 * float(PeripheryNoise()(brain).square().sum()) * int(aside.sum()) / energy

    def missed(image: Tensor, maps: Tensor) -> float:
        return float((hidden.model(maps).apply(image) - hidden.samples).abs().square().sum()) / energy

    maps = Espirit()(shown).maps
    simple = LowResolutionMaps()(shown).maps
    found = CompressedSensing()(shown, maps=maps)
    best = missed(found.image, maps)
    assert missed(shown.combined(maps), maps) > 10 * floor  # zero filling
    assert best < 1.35 * floor
    assert best < missed(CompressedSensing(TotalVariation(), rounds=0)(shown, maps=maps).image, maps)
    assert best < missed(CompressedSensing(weight=found.weight)(shown, maps=simple).image, simple)
