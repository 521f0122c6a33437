"""Local cosines and wavelets: what they leave alone, that they are local, and how they stand beside their peers."""

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from gradatim.base.errors import UsageError
from gradatim.restore import local_cosine
from gradatim.restore.denoise import AcrossChannels, Denoising
from gradatim.restore.local_cosine import LocalCosine, mirrored
from gradatim.restore.wavelet_shrinkage import WaveletShrinkage
from tests.restore.pictures import colour, grey, noisy, psnr

DENOISERS = [LocalCosine(), LocalCosine(size=5), WaveletShrinkage(), WaveletShrinkage(levels=2, shifts=1)]


@pytest.mark.parametrize("denoiser", DENOISERS)
@pytest.mark.parametrize("shape", [(40, 33), (2, 17, 16), (9, 1)])
def test_a_constant_stays_and_shapes_stay(denoiser: LocalCosine | WaveletShrinkage, shape: tuple[int, ...]) -> None:
    assert torch.allclose(denoiser(torch.full(shape, 7.0), 1.0), torch.full(shape, 7.0), atol=1e-4)


@pytest.mark.parametrize("denoiser", DENOISERS)
def test_without_noise_nothing_changes(denoiser: LocalCosine | WaveletShrinkage) -> None:
    image = grey("camera", 40)
    assert torch.equal(denoiser(image, 0.0), image)
    assert torch.allclose(denoiser(image, 1e-4), image, atol=0.01)


@pytest.mark.parametrize("denoiser", DENOISERS)
def test_it_scales_with_the_unit_and_ignores_an_offset(denoiser: LocalCosine | WaveletShrinkage) -> None:
    image = noisy(grey("camera", 40), 20.0).double()
    assert torch.allclose(denoiser(1e3 * image - 5.0, 2e4), 1e3 * denoiser(image, 20.0) - 5.0, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("denoiser", [LocalCosine(), LocalCosine(3), WaveletShrinkage(), WaveletShrinkage(3)])
def test_little_noise_is_left_where_there_is_nothing_else(denoiser: LocalCosine | WaveletShrinkage) -> None:
    shape = (48, 48) if denoiser.axes == 2 else (20, 20, 20)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    assert float(denoiser(noise, 1.0).std()) < 0.3


def test_what_lies_beyond_the_reach_is_not_felt() -> None:
    image, denoiser = noisy(grey("camera", 64), 20.0), LocalCosine()
    other = image.clone()
    other[40:] += 100.0
    same = 40 - denoiser.reach
    assert torch.equal(denoiser(image, 20.0)[:same], denoiser(other, 20.0)[:same])
    assert not torch.equal(denoiser(image, 20.0)[: same + 2], denoiser(other, 20.0)[: same + 2])


def test_slabs_give_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    image, denoiser = noisy(grey("camera", 50), 20.0), LocalCosine()
    whole = denoiser(image, 20.0)
    monkeypatch.setattr(local_cosine, "SLAB", 1 << 15)
    assert torch.allclose(denoiser(image, 20.0), whole, atol=1e-3)


def test_turned_and_mirrored_images_give_turned_and_mirrored_results() -> None:
    image, denoiser = noisy(grey("camera", 40), 20.0).double(), LocalCosine()
    found = denoiser(image, 20.0)
    assert torch.allclose(denoiser(image.flip(0), 20.0), found.flip(0), atol=1e-8)
    assert torch.allclose(denoiser(image.T.contiguous(), 20.0), found.T, atol=1e-8)


def test_the_mirror_is_numpys() -> None:
    image = torch.arange(12.0).view(3, 4)
    assert np.array_equal(mirrored(image, 7).numpy(), np.pad(image.numpy(), 7, mode="symmetric"))


@pytest.mark.parametrize("name", ["camera", "coins", "brick"])
def test_not_worse_than_the_peers(name: str) -> None:
    truth, sigma = grey(name), 25.0
    image = noisy(truth, sigma)
    ours = psnr(Denoising()(image).value, truth)
    unit = (image / 255.0).numpy().astype(np.float64)
    means = denoise_nl_means(unit, h=0.8 * sigma / 255, sigma=sigma / 255, fast_mode=True, patch_size=5)
    assert ours > psnr(torch.from_numpy(255.0 * means), truth)  # which is told the true noise; ours estimates it
    # total variation has no rule of its own there: the best of seven weights, chosen by the truth
    tried = [denoise_tv_chambolle(unit, weight=w, eps=1e-5, max_num_iter=300) for w in np.geomspace(0.03, 0.2, 7)]
    assert ours > max(psnr(torch.from_numpy(255.0 * each), truth) for each in tried)


def test_wavelets_gain_by_shifts() -> None:
    truth = grey("camera")
    image = noisy(truth, 25.0)
    once, often = (psnr(Denoising(WaveletShrinkage(shifts=n))(image).value, truth) for n in (1, 4))
    assert often > once + 0.5


def test_channels_gain_by_what_they_share() -> None:
    truth = colour()
    image = noisy(truth, 25.0)
    apart, together = (psnr(Denoising(by)(image).value, truth) for by in (LocalCosine(), AcrossChannels()))
    assert together > apart + 0.8


def test_any_callable_is_a_denoiser() -> None:
    found = Denoising(lambda image, sigma: image - sigma, noise=2.0)(torch.full((8, 8), 5.0))
    assert found.value[0, 0].item() == 3.0
    with pytest.raises(UsageError, match="GD-103"):
        Denoising(lambda image, sigma: image[1:], noise=2.0)(torch.zeros(8, 8))
    with pytest.raises(UsageError, match="GD-103"):
        AcrossChannels()(torch.zeros(8, 8), 1.0)
    with pytest.raises(UsageError, match="GD-101"):
        LocalCosine(axes=1)
    with pytest.raises(UsageError, match="GD-101"):
        WaveletShrinkage(levels=0)
