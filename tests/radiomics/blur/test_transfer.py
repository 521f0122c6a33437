"""Transfers: the Gaussian's closed forms, measured curves, and the blur that they stand for."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.mtf import MeasuredMtf
from gradatim.radiomics.blur.psf import optical_transfer, radial_mtf
from gradatim.radiomics.blur.transfer import CommonTransfer, GaussianPsf, SeparableTransfer, blurred, blurring

SHAPE, SPACING = (24, 20, 16), (0.5, 0.8, 2.0)


def bell(shape: tuple[int, ...], spacing: tuple[float, ...], sigma: tuple[float, ...]) -> torch.Tensor:
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) * edge for n, edge in zip(shape, spacing, strict=True)]
    lines = [torch.exp(-0.5 * (x / s) ** 2) for x, s in zip(axes, sigma, strict=True)]
    return torch.einsum("x,y,z->xyz", *lines)


def test_the_transfer_of_a_sampled_gaussian_is_the_model() -> None:
    sigma = (0.8, 1.2, 3.0)
    otf = optical_transfer(bell(SHAPE, SPACING, sigma))
    model = GaussianPsf(sigma).at(frequencies(SHAPE, SPACING))
    assert torch.allclose(otf.real, model, atol=2e-3)  # the tails beyond the grid
    assert float(otf.imag.abs().max()) < 1e-3


def test_blurring_a_point_gives_the_point_spread_function() -> None:
    sigma = (0.8, 1.2, 3.0)
    point = torch.zeros(SHAPE, dtype=torch.float64)
    point[12, 10, 8] = 1.0
    seen = blurring(GaussianPsf(sigma), SHAPE, SPACING).apply(point)
    expected = bell(SHAPE, SPACING, sigma)
    assert torch.allclose(seen, expected / expected.sum(), atol=1e-5)


def test_the_blur_is_a_linear_operator(laws) -> None:
    laws.adjointness(blurring(GaussianPsf((0.5, 1.0, 2.0)), (6, 5, 4), SPACING))


def test_an_offset_of_the_point_spread_turns_the_phase_alone() -> None:
    psf = bell(SHAPE, SPACING, (0.8, 1.2, 3.0))
    assert torch.allclose(optical_transfer(psf).abs(), optical_transfer(psf.roll(1, 0)).abs())
    assert float(optical_transfer(psf.roll(1, 0)).imag.abs().max()) > 0.1


def test_a_sampled_point_spread_gives_the_curve_of_the_gaussian() -> None:
    x = (torch.arange(64, dtype=torch.float64) - 32) * 0.5
    curve = radial_mtf(torch.exp(-0.5 * (x[:, None] ** 2 + x**2)), (0.5, 0.5))
    expected = GaussianPsf((1.0,)).at((curve.frequencies,))
    # a ring's mean of a convex curve is not the curve at the mean
    assert torch.allclose(curve.values, expected, atol=0.005)
    with pytest.raises(UsageError, match="GD-140"):
        radial_mtf(torch.zeros(8, 8), (1.0, 1.0))


def test_blurs_add_in_variance() -> None:
    image = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    twice = blurring(GaussianPsf((0.3, 0.4, 0.0)), SHAPE, SPACING) @ blurring(
        GaussianPsf((0.4, 0.3, 1.0)), SHAPE, SPACING
    )
    once = blurring(GaussianPsf((0.5, 0.5, 1.0)), SHAPE, SPACING)
    assert torch.allclose(twice.apply(image), once.apply(image))


def test_a_mirrored_image_is_blurred_into_the_mirrored_result() -> None:
    image = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    psf = GaussianPsf((0.8, 1.2, 3.0))
    for axis in range(3):
        assert torch.allclose(blurred(image.flip(axis), psf, SPACING), blurred(image, psf, SPACING).flip(axis))


def test_the_blur_is_differentiable() -> None:
    image = torch.randn(4, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: blurred(x, GaussianPsf((0.5, 0.5, 1.0)), (1.0, 1.0, 1.0)), (image,), fast_mode=True
    )


def test_a_measured_curve_of_a_gaussian_is_the_gaussian() -> None:
    f = torch.linspace(0, 2, 401, dtype=torch.float64)
    curve = MeasuredMtf(f, GaussianPsf((0.6,)).at((f,)), torch.full_like(f, 0.01))
    at = frequencies((16, 16), (0.8, 0.8))
    assert torch.allclose(curve.at(at), GaussianPsf((0.6, 0.6)).at(at), atol=1e-4)
    (mtf50,) = GaussianPsf((0.6,)).frequency_at(0.5)
    assert curve.frequency_at(0.5) == pytest.approx(mtf50, rel=1e-4)
    slope = 4 * math.pi**2 * 0.36 * mtf50 * 0.5
    assert curve.error_at(0.5) == pytest.approx(0.01 / slope, rel=0.01)
    assert curve.frequency_at(1e-99) == math.inf
    assert math.isnan(curve.error_at(1e-99))


def test_separable_and_common_transfers() -> None:
    at = frequencies(SHAPE, SPACING)
    plane, axial = GaussianPsf((0.7, 0.7)), GaussianPsf((1.5,))
    assert torch.allclose(SeparableTransfer(plane, axial).at(at), GaussianPsf((0.7, 0.7, 1.5)).at(at))
    wide, narrow = GaussianPsf((0.7, 0.7, 1.5)), GaussianPsf((0.5, 0.5, 1.0))
    assert torch.equal(CommonTransfer((narrow, wide)).at(at), wide.at(at))


@pytest.mark.parametrize(
    ("f", "v"),
    [
        ([0.0, 0.5], [0.9, 0.5]),
        ([0.1, 0.5], [1.0, 0.5]),
        ([0.0, 0.0], [1.0, 0.5]),
        ([0.0, 0.5], [1.0, -0.1]),
        ([0.0, 0.5], [1.0, math.nan]),
        ([0.0], [1.0]),
    ],
)
def test_what_is_no_curve_is_refused(f: list[float], v: list[float]) -> None:
    with pytest.raises(UsageError, match="GD-140"):
        MeasuredMtf(torch.tensor(f), torch.tensor(v))


def test_a_negative_width_and_another_number_of_axes_are_refused() -> None:
    with pytest.raises(UsageError, match="GD-140"):
        GaussianPsf((-1.0,))
    with pytest.raises(UsageError, match="GD-103"):
        GaussianPsf((1.0,)).at((torch.zeros(1), torch.zeros(1)))
