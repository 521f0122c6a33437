"""The blur is a Gaussian's, whatever the axis and the size."""

import math

import pytest
import torch
from scipy import ndimage

from gradatim.base.errors import UsageError
from gradatim.linop.gaussian import gaussian_kernel, smooth

SIGMAS = (1.5, 0.0, 2.2)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.5, 1.0, 2.2, 7.0])
def test_kernel_is_a_symmetric_mean_of_known_width(sigma: float) -> None:
    kernel = gaussian_kernel(sigma, like=noise(1))
    assert len(kernel) == 2 * math.ceil(3 * sigma) + 1
    assert kernel.sum().item() == pytest.approx(1.0, abs=1e-14)
    torch.testing.assert_close(kernel, kernel.flip(0), rtol=0, atol=0)
    if sigma >= 1.0:  # sampled wide enough; the tails beyond 3σ hold 2.7 % of the variance
        offsets = torch.arange(len(kernel)) - len(kernel) // 2
        assert (kernel * offsets**2).sum().item() == pytest.approx(sigma**2, rel=0.03)


def test_blur_is_that_of_an_independent_implementation() -> None:
    image = noise(2, 14, 9, 11)
    radius = [math.ceil(3 * s) for s in SIGMAS]
    for volume, blurred in zip(image, smooth(image, SIGMAS), strict=True):
        wanted = ndimage.gaussian_filter(volume.numpy(), SIGMAS, mode="constant", radius=radius)
        torch.testing.assert_close(blurred, torch.from_numpy(wanted), rtol=0, atol=1e-14)


def test_blur_is_its_own_adjoint_and_keeps_the_sum_far_from_the_edge() -> None:
    x, y = noise(2, 12, 10, 8)
    assert torch.sum(smooth(x, SIGMAS) * y).item() == pytest.approx(torch.sum(x * smooth(y, SIGMAS)).item(), rel=1e-12)
    spike = torch.zeros(25, 25, 25, dtype=torch.float64)
    spike[12, 12, 12] = 3.0
    assert smooth(spike, (2.0, 3.0, 1.0)).sum().item() == pytest.approx(3.0, rel=1e-12)


def test_axes_are_blurred_by_their_own_width() -> None:
    image = noise(7, 8, 9)
    turned = smooth(image.permute(2, 0, 1), (SIGMAS[2], SIGMAS[0], SIGMAS[1]))
    torch.testing.assert_close(turned, smooth(image, SIGMAS).permute(2, 0, 1), rtol=0, atol=1e-14)


def test_planes_lines_and_complex_images_are_blurred_the_same_way() -> None:
    image = noise(2, 14, 9)
    for plane, blurred in zip(image, smooth(image, (1.5, 2.2)), strict=True):
        wanted = ndimage.gaussian_filter(plane.numpy(), (1.5, 2.2), mode="constant", radius=[5, 7])
        torch.testing.assert_close(blurred, torch.from_numpy(wanted), rtol=0, atol=1e-14)
    torch.testing.assert_close(smooth(image, (2.2,))[0, 3], smooth(image[0, 3], (2.2,)), rtol=0, atol=1e-14)
    both = torch.complex(image[0], image[1])
    torch.testing.assert_close(smooth(both, (1.0, 2.0)).imag, smooth(image[1], (1.0, 2.0)), rtol=0, atol=0)


def test_a_kernel_longer_than_the_volume_is_no_obstacle() -> None:
    assert smooth(torch.ones(3, 2, 1), (5.0, 5.0, 5.0)).shape == (3, 2, 1)


def test_it_is_differentiable() -> None:
    image = noise(4, 3, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: smooth(v, (1.0, 0.0, 0.6)), (image,))


@pytest.mark.parametrize("sigma", [-1.0, math.nan, math.inf])
def test_impossible_widths_are_refused(sigma: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        gaussian_kernel(sigma, like=noise(1))
