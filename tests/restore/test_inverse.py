"""Inpainting, deblurring, sharpening and super-resolution: data obeyed, borders free, better than their peers."""

import math

import pytest
import torch
from skimage.restoration import inpaint_biharmonic, unsupervised_wiener

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.blocks import BlockMean
from gradatim.restore.deblur import Deblurring
from gradatim.restore.inpaint import Inpainting
from gradatim.restore.observation import Observation, observe, observe_periodic
from gradatim.restore.plug_and_play import PlugAndPlay
from gradatim.restore.point_spread import disk_spread, gaussian_spread, motion_spread
from gradatim.restore.prior import VariationPrior
from gradatim.restore.restored import Restored
from gradatim.restore.sharpen import Sharpening, UnsharpMask
from gradatim.restore.super_resolution import SuperResolution
from tests.restore.pictures import colour, grey, noisy, psnr


def scattered(image: torch.Tensor, share: float) -> torch.Tensor:
    return torch.rand(image.shape[-2:], generator=torch.Generator().manual_seed(3)) > share


def blurred(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """What a camera sees of the inner part of a larger scene."""
    whole = observe_periodic(image, spacing=(1.0, 1.0), kernel=kernel).blur.apply(image)
    return whole[..., 16:-16, 16:-16].contiguous()


@pytest.mark.parametrize("prior", [PlugAndPlay(steps=8), VariationPrior()])
def test_known_pixels_stay_and_missing_ones_say_nothing(prior: PlugAndPlay | VariationPrior) -> None:
    truth = grey("camera", 32)
    known = scattered(truth, 0.4)
    junks = (0.0, 255.0, math.nan)
    first, *others = (Inpainting(prior)(torch.where(known, truth, junk), known=known).value for junk in junks)
    assert torch.equal(first[known], truth[known])
    assert all(torch.equal(other, first) for other in others)


@pytest.mark.parametrize(("share", "least"), [(0.5, 0.0), (0.75, -0.2)])
def test_scattered_holes_are_filled_as_well_as_by_the_peer(share: float, least: float) -> None:
    truth = grey("camera", 96)
    known = scattered(truth, share)
    found = Inpainting()(truth, known=known).value
    peer = 255.0 * inpaint_biharmonic((truth * known / 255.0).numpy(), (~known).numpy())
    assert psnr(found, truth) > psnr(torch.from_numpy(peer), truth) + least


def test_an_edge_is_continued_through_a_hole_by_total_variation() -> None:
    truth = torch.zeros(32, 32)
    truth[:, 16:] = 100.0
    known = torch.ones(32, 32, dtype=torch.bool)
    known[12:18, 10:22] = False
    found = Inpainting(VariationPrior())(truth, known=known)
    assert float((found.value - truth).abs().max()) < 2.0
    assert found.certificate is not None
    assert found.certificate.gap < 0.05 * found.certificate.objective


def test_noise_of_known_pixels_goes_when_it_is_stated() -> None:
    truth = grey("coins", 64)
    known = scattered(truth, 0.3)
    image = noisy(truth, 20.0)
    kept, cleaned = (Inpainting(noise=s)(image, known=known).value for s in (0.0, 20.0))
    assert psnr(cleaned, truth) > psnr(kept, truth) + 3.0


@pytest.mark.parametrize("known", [torch.ones(8, 8).bool(), torch.zeros(8, 8).bool(), torch.zeros(8, 7).bool()])
def test_masks_that_say_nothing_are_refused(known: torch.Tensor) -> None:
    with pytest.raises((InputError, UsageError), match=r"GD-661|GD-103"):
        Inpainting()(torch.rand(8, 8), known=known)


@pytest.mark.parametrize("prior", [PlugAndPlay(), VariationPrior(weight=0.4)])
def test_a_known_blur_is_undone_to_the_border(prior: PlugAndPlay | VariationPrior) -> None:
    scene, kernel = grey("camera"), gaussian_spread(1.5)
    truth = scene[16:-16, 16:-16]
    image = noisy(blurred(scene, kernel), 2.0)
    found = Deblurring(kernel, prior)(image)
    assert found.noise == pytest.approx(2.0, rel=0.15)
    assert psnr(found.value, truth) > psnr(image, truth) + 2.0
    rim = torch.ones_like(truth, dtype=torch.bool)
    rim[4:-4, 4:-4] = False  # nothing wraps around and nothing rings there
    assert psnr(found.value[rim], truth[rim]) > psnr(image[rim], truth[rim])


def test_deblurring_beats_the_peer() -> None:
    truth, kernel = grey("camera"), disk_spread(3.0)
    image = noisy(observe_periodic(truth, spacing=(1.0, 1.0), kernel=kernel).blur.apply(truth), 3.0)
    seen = observe_periodic(image, spacing=(1.0, 1.0), kernel=kernel)
    peer = torch.from_numpy(255.0 * unsupervised_wiener((image / 255.0).numpy(), kernel.numpy(), rng=0)[0])
    assert psnr(PlugAndPlay().restored(seen, 3.0).value, truth) > psnr(peer, truth) + 1.0


def test_the_weight_found_is_near_the_best() -> None:
    truth, kernel = grey("camera", 64), gaussian_spread(1.0)
    image = noisy(observe_periodic(truth, spacing=(1.0, 1.0), kernel=kernel).blur.apply(truth), 4.0)
    seen = observe_periodic(image, spacing=(1.0, 1.0), kernel=kernel)
    found = VariationPrior().restored(seen, 4.0)
    tried = [VariationPrior(4.0 * w).restored(seen, 4.0).value for w in (0.03, 0.06, 0.12, 0.25, 0.5)]
    assert found.message == ""
    assert psnr(found.value, truth) > max(psnr(each, truth) for each in tried) - 0.3


def test_a_canvas_sees_what_its_formula_says() -> None:
    kernel = torch.rand(3, 5, generator=torch.Generator().manual_seed(0)).double()
    image = torch.rand(9, 10, generator=torch.Generator().manual_seed(1)).double()
    seen = observe(image, spacing=(1.0, 1.0), kernel=kernel)
    x = torch.rand(seen.canvas, generator=torch.Generator().manual_seed(2)).double()
    found = seen.picture(seen.blur.apply(x))
    for row, column in ((0, 0), (8, 9), (4, 3)):
        r, c = row + seen.offset[0], column + seen.offset[1]
        wanted = sum(kernel[i, j] * x[r - (i - 1), c - (j - 2)] for i in range(3) for j in range(5))
        assert found[row, column].item() == pytest.approx(float(wanted), rel=1e-9)


@pytest.mark.parametrize("factors", [(2, 2), (3, 2), (1, 4)])
def test_a_coarse_pixel_is_the_mean_of_its_block(factors: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[Observation] = []

    def catch(self: PlugAndPlay, seen: Observation, noise: float) -> Restored:
        caught.append(seen)
        return Restored(seen.picture(seen.data), noise)

    monkeypatch.setattr(PlugAndPlay, "restored", catch)
    coarse = torch.rand(6, 5).double()
    SuperResolution(factors, noise=1.0)(coarse)
    (seen,) = caught
    fine = torch.rand(6 * factors[0], 5 * factors[1]).double()
    canvas = torch.zeros(seen.canvas).double()
    canvas[seen.offset[0] : seen.offset[0] + fine.shape[0], seen.offset[1] : seen.offset[1] + fine.shape[1]] = fine
    wanted = BlockMean(tuple(fine.shape), factors).apply(fine)
    assert torch.allclose(seen.blur.apply(canvas)[seen.known].view(6, 5), wanted, atol=1e-6)
    assert torch.allclose(seen.data[seen.known].view(6, 5), coarse)


def test_super_resolution_beats_interpolation_and_keeps_its_data() -> None:
    from gradatim.linop.resample import Resample

    truth = grey("camera")
    mean = BlockMean((128, 128), (2, 2))
    coarse = noisy(mean.apply(truth), 1.0)
    found = SuperResolution(noise=1.0)(coarse).value
    cubic = Resample.cubic((64, 64), (128, 128)).apply(coarse)
    assert psnr(found, truth) > psnr(cubic, truth) + 0.5
    assert float((mean.apply(found) - coarse).std()) < 3.0


def test_sharpening_comes_nearer_to_the_truth_and_unsharp_masks_do_not_know_it() -> None:
    scene = grey("camera")
    truth, image = scene[16:-16, 16:-16], noisy(blurred(scene, gaussian_spread(1.0)), 2.0)
    assert psnr(Sharpening(1.0)(image).value, truth) > psnr(image, truth) + 1.0
    assert float(UnsharpMask(1.0, 2.0)(image).std()) > float(image.std())


def test_an_unsharp_mask_is_its_formula() -> None:
    spike = torch.zeros(15, 15)
    spike[7, 7] = 1.0
    found = UnsharpMask(1.0, amount=0.5)(spike)
    assert torch.allclose(found, spike + 0.5 * (spike - torch.nn.functional.pad(gaussian_spread(1.0).float(), [4] * 4)))


def test_priors_work_on_volumes_and_colours() -> None:
    from gradatim.restore.denoise import AcrossChannels
    from gradatim.restore.local_cosine import LocalCosine

    truth, kernel = colour(48), gaussian_spread(0.7)
    image = noisy(observe_periodic(truth, spacing=(1.0, 1.0), kernel=kernel).blur.apply(truth), 15.0)
    seen = observe_periodic(image, spacing=(1.0, 1.0), kernel=kernel)
    together, apart = (prior.restored(seen, 15.0).value for prior in (PlugAndPlay(AcrossChannels()), PlugAndPlay()))
    assert psnr(together, truth) > psnr(apart, truth) + 0.5
    ball = 100.0 * ((torch.linspace(-1, 1, 16).square()[:, None, None] + torch.zeros(16, 12)) < 0.4)
    holes = torch.rand(ball.shape, generator=torch.Generator().manual_seed(0)) > 0.3
    found = Inpainting(PlugAndPlay(LocalCosine(3), 12), spacing=(1.0, 1.0, 2.0))(ball, known=holes).value
    assert float((found - ball).abs().mean()) < 3.0


@pytest.mark.parametrize(
    ("kernel", "width"),
    [
        (gaussian_spread(2.0), 2 * 2.0**2),
        (disk_spread(4.0), 4.0**2 / 2),
        (motion_spread(9.0), 81 / 12 + 1 / 12),
        (motion_spread(9.0, angle=math.radians(30)), 81 / 12 + 1 / 12),
    ],
)
def test_kernels_are_normalised_centred_and_as_wide_as_they_should_be(kernel: torch.Tensor, width: float) -> None:
    rows = torch.arange(kernel.shape[0]).double() - kernel.shape[0] // 2
    columns = torch.arange(kernel.shape[1]).double() - kernel.shape[1] // 2
    assert kernel.sum().item() == pytest.approx(1.0)
    assert float((kernel.sum(1) * rows).sum()) == pytest.approx(0.0, abs=1e-9)
    assert float((kernel.sum(0) * columns).sum()) == pytest.approx(0.0, abs=1e-9)
    second = float((kernel.sum(1) * rows.square()).sum() + (kernel.sum(0) * columns.square()).sum())
    # sampled by areas of pixels and, for the Gaussian, cut at three standard deviations
    assert second == pytest.approx(width, rel=0.05)


@pytest.mark.parametrize("kernel", [torch.zeros(3, 3), torch.full((3, 3), math.nan), torch.ones(3)])
def test_kernels_that_are_none_are_refused(kernel: torch.Tensor) -> None:
    with pytest.raises((InputError, UsageError), match=r"GD-662|GD-103"):
        Deblurring(kernel, noise=1.0)(torch.rand(16, 16))
