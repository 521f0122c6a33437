"""Total variation: closed forms, units, shared edges, and a λ that the truth would not choose better."""

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.generalised_variation import GeneralisedVariationDenoising
from gradatim.restore.total_variation import ColourTotalVariationDenoising, TotalVariationDenoising
from gradatim.solve.stopping import IterationBound, SmallGap
from tests.restore.pictures import colour, grey, noisy, psnr

EXACT = IterationBound(5_000) | SmallGap(1e-6)


def test_a_step_loses_contrast_as_the_formula_says() -> None:
    # two halves of n columns, each pulled by λ per row: they move by λ/n towards one another
    step = torch.zeros(6, 20, dtype=torch.float64)
    step[:, 8:] = 10.0
    found = TotalVariationDenoising(noise=1.0, weight=4.0, rule=EXACT)(step).value
    assert found[:, :8].mean().item() == pytest.approx(4.0 / 8, abs=5e-3)
    assert found[:, 8:].mean().item() == pytest.approx(10.0 - 4.0 / 12, abs=5e-3)


@pytest.mark.parametrize("name", ["camera", "coins", "brick"])
def test_the_chosen_weight_is_as_good_as_the_best(name: str) -> None:
    truth = grey(name)
    image = noisy(truth, 20.0)
    found = TotalVariationDenoising(noise=20.0)(image)
    tried = [0.25, 0.35, 0.5, 0.7, 1.0, 1.4]
    best = max(psnr(TotalVariationDenoising(noise=20.0, weight=20.0 * w)(image).value, truth) for w in tried)
    assert found.message == ""
    assert psnr(found.value, truth) > best - 0.1


def test_the_certificate_bounds_the_true_distance() -> None:
    image = noisy(grey("camera", 48), 20.0).double()
    exact = TotalVariationDenoising(noise=20.0, weight=15.0, rule=EXACT)(image)
    rough = TotalVariationDenoising(noise=20.0, weight=15.0, rule=IterationBound(15))(image)
    assert rough.certificate is not None
    assert exact.certificate is not None
    away = float((rough.value - exact.value).norm())
    assert away <= rough.certificate.distance + exact.certificate.distance
    assert rough.certificate.gap >= rough.certificate.objective - exact.certificate.objective


def test_units_of_length_and_of_the_image_scale_out() -> None:
    image = noisy(grey("camera", 48), 20.0).double()
    one = TotalVariationDenoising(noise=20.0, rule=EXACT)(image)
    other = TotalVariationDenoising(noise=0.02, spacing=(1e-3, 1e-3), rule=EXACT)(1e-3 * image)
    assert other.weight == pytest.approx(1e-6 * (one.weight or 0.0), rel=1e-6)
    assert torch.allclose(1e3 * other.value, one.value, atol=1e-3)


def test_a_volume_with_thick_slices_is_denoised() -> None:
    ball = torch.linspace(-1, 1, 24).square()
    truth = 100.0 * ((ball[:, None, None] + ball[:, None] + ball[::2]) < 0.5)
    image = noisy(truth, 10.0)
    found = TotalVariationDenoising(spacing=(1.0, 1.0, 2.0))(image)
    assert float((found.value - truth).square().mean()) < 0.25 * float((image - truth).square().mean())


def test_one_channel_is_no_colour() -> None:
    image = noisy(grey("camera", 32), 20.0).double()
    plain = TotalVariationDenoising(noise=20.0, weight=15.0, rule=EXACT)(image).value
    joint = ColourTotalVariationDenoising(noise=20.0, weight=15.0, rule=EXACT)(image[None]).value[0]
    assert torch.allclose(plain, joint, atol=0.1)


def test_turning_the_colours_turns_the_result() -> None:
    image = noisy(colour(24), 20.0).double()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double()).Q
    denoise = ColourTotalVariationDenoising(noise=20.0, weight=25.0, rule=EXACT)
    turned = denoise(torch.tensordot(turn, image, 1)).value
    assert torch.allclose(turned, torch.tensordot(turn, denoise(image).value, 1), atol=0.2)


def test_shared_edges_help() -> None:
    truth = colour(48)
    image = noisy(truth, 25.0)
    apart = max(psnr(TotalVariationDenoising(25.0, w)(image).value, truth) for w in (12.0, 17.0, 24.0))
    together = max(psnr(ColourTotalVariationDenoising(25.0, w)(image).value, truth) for w in (20.0, 28.0, 40.0))
    assert together > apart + 0.4


def test_generalised_variation_keeps_a_ramp_without_stairs() -> None:
    truth = torch.arange(32.0).mul(4.0).expand(32, 32)
    image = noisy(truth, 10.0)
    smooth, stairs = (
        m(noise=10.0, weight=20.0)(image) for m in (GeneralisedVariationDenoising, TotalVariationDenoising)
    )
    assert float((smooth.value - truth).square().mean()) < 0.5 * float((stairs.value - truth).square().mean())


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="GD-660"):
        TotalVariationDenoising()(torch.full((8, 8), float("nan")))
    with pytest.raises(UsageError, match="GD-103"):
        ColourTotalVariationDenoising()(torch.zeros(8, 8))
    with pytest.raises(UsageError, match="GD-101"):
        TotalVariationDenoising(noise=-1.0)
    with pytest.raises(UsageError, match="GD-101"):
        TotalVariationDenoising(spacing=(1.0,))
