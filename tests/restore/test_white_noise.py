"""The noise level: right on pictures with noise, in any unit, with missing pixels, and refused where nothing tells."""

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.restore.white_noise import white_noise
from tests.restore.pictures import colour, grey, noisy


@pytest.mark.parametrize("name", ["camera", "brick"])
@pytest.mark.parametrize("sigma", [15.0, 25.0, 50.0])
def test_it_is_near_on_photographs(name: str, sigma: float) -> None:
    assert white_noise(noisy(grey(name), sigma), axes=2) == pytest.approx(sigma, rel=0.06)


def test_it_is_right_on_pure_noise() -> None:
    noise = torch.randn(24, 24, 24, generator=torch.Generator().manual_seed(0))
    # the median of 10⁴ correlated differences: about 1.5 %
    assert white_noise(7.0 * noise, axes=3) == pytest.approx(7.0, rel=0.05)


def test_a_ramp_and_an_offset_do_not_matter() -> None:
    noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)).double()
    ramp = 3.0 * torch.arange(64.0).double()[:, None] - torch.arange(64.0).double() - 1e3
    assert white_noise(noise + ramp, axes=2) == pytest.approx(white_noise(noise, axes=2), rel=1e-9)


def test_it_scales_with_the_unit() -> None:
    image = noisy(grey("camera"), 20.0)
    assert white_noise(1e-3 * image, axes=2) == pytest.approx(1e-3 * white_noise(image, axes=2), rel=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_missing_pixels_do_not_count(share: float) -> None:
    image = noisy(grey("camera"), 20.0)
    known = torch.rand(image.shape, generator=torch.Generator().manual_seed(1)) > share
    broken = torch.where(known, image, 1e4)
    # with most pixels missing only triples along one axis are left, which see more of the picture
    assert white_noise(broken, axes=2, known=known) == pytest.approx(20.0, rel=0.12 if share < 0.5 else 0.25)


def test_channels_share_one_level() -> None:
    assert white_noise(noisy(colour(), 20.0), axes=2) == pytest.approx(20.0, rel=0.06)


@pytest.mark.parametrize("image", [torch.ones(40, 40), torch.rand(4, 4), torch.rand(2, 500)])
def test_what_cannot_be_told_is_refused(image: torch.Tensor) -> None:
    if image.shape == (2, 500):
        assert white_noise(image, axes=2) > 0  # one axis is long enough
        return
    with pytest.raises(InputError, match="GD-640"):
        white_noise(image, axes=2)
