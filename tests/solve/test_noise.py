"""Noise level: right on simulated magnitudes with air, without air, and refused where nothing can be told."""

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.solve.noise import NoiseRule, estimate_noise

SHAPE = (48, 48, 40)


def magnitude(signal: Tensor, sigma: float, seed: int = 0) -> Tensor:
    """Rician: the modulus of a real signal in complex Gaussian noise of ``sigma`` per channel."""
    noise = sigma * torch.randn(2, *signal.shape, generator=torch.Generator().manual_seed(seed))
    return torch.hypot(signal + noise[0], noise[1])


def ball(radius: float) -> Tensor:
    """A textured ball in air; a radius above √3 fills the image."""
    x, y, z = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    return (x**2 + y**2 + z**2 < radius**2) * (1.0 + 0.3 * torch.sin(4 * x) * torch.cos(3 * y))


@pytest.mark.parametrize("sigma", [0.2, 0.05, 0.01])
def test_air_tells_sigma(sigma: float) -> None:
    level = estimate_noise(magnitude(ball(0.8), sigma))
    assert level.rule is NoiseRule.AIR
    # 64 voxels a block, some hundred blocks: σ of the second moment's root is below half a per cent
    assert level.sigma == pytest.approx(sigma, rel=0.015)


@pytest.mark.parametrize("sigma", [0.05, 0.01])
def test_without_air_the_finest_detail_tells(sigma: float) -> None:
    level = estimate_noise(magnitude(ball(3.0), sigma))
    assert level.rule is NoiseRule.HIGH_PASS
    assert level.sigma == pytest.approx(sigma, rel=0.03)


def test_air_set_to_zero_is_no_air() -> None:
    head = ball(0.9) > 0
    image = torch.where(head, magnitude(ball(0.9), 0.03), 0.0)
    level = estimate_noise(image, mask=head)
    assert level.rule is NoiseRule.HIGH_PASS
    assert level.sigma == pytest.approx(0.03, rel=0.05)


def test_it_scales_with_the_unit() -> None:
    image = magnitude(ball(0.8), 0.05)
    assert estimate_noise(1000.0 * image).sigma == pytest.approx(1000.0 * estimate_noise(image).sigma, rel=1e-5)


def test_echoes_share_one_level() -> None:
    echoes = torch.stack([magnitude(ball(0.8) * decay, 0.05, seed) for seed, decay in enumerate((1.0, 0.6, 0.3))])
    assert estimate_noise(echoes).sigma == pytest.approx(0.05, rel=0.015)


def test_a_slice_is_enough() -> None:
    level = estimate_noise(magnitude(ball(3.0)[:, :, 20:21], 0.02))
    assert level.sigma == pytest.approx(0.02, rel=0.08)


@pytest.mark.parametrize("image", [torch.ones(8, 8, 8), torch.zeros(8, 8, 8), torch.rand(2, 2, 2)])
def test_what_cannot_be_told_is_refused(image: Tensor) -> None:
    with pytest.raises(InputError, match="GD-640"):
        estimate_noise(image)


@pytest.mark.parametrize("name", ["romeo_small", "clearswi_small"])
def test_a_real_crop_has_no_air(shared, name: str) -> None:
    import nibabel

    image = torch.from_numpy(nibabel.load(shared / "data" / "qsm" / name / "Mag.nii").get_fdata()).movedim(-1, 0)
    level = estimate_noise(image)
    assert level.rule is NoiseRule.HIGH_PASS
    # the echoes of one scan have one noise: their own estimates agree
    for echo in image:
        assert estimate_noise(echo).sigma == pytest.approx(level.sigma, rel=0.05)
