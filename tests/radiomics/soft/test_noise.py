"""Models of noise against their covariance written out, and against their own samples."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.radiomics.soft.noise import CorrelatedNoise, Noise, VoxelNoise, WhiteNoise

SHAPE = (3, 4, 2)
WEIGHTS = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
ERROR = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1))


def lags() -> Tensor:
    """The covariance of white noise blurred by a kernel of 2 × 3 × 1."""
    kernel = torch.tensor([[0.5, 0.2, 0.1], [0.3, 0.4, 0.2]], dtype=torch.float64).unsqueeze(-1)
    found = torch.zeros(3, 5, 1, dtype=torch.float64)
    for x in range(-1, 2):
        for y in range(-2, 3):
            shifted = torch.zeros(4, 7, 1, dtype=torch.float64)
            shifted[1 + x : 3 + x, 2 + y : 5 + y] = kernel
            found[x + 1, y + 2, 0] = (shifted[1:3, 2:5] * kernel).sum()
    return found


def dense(noise: Noise) -> Tensor:
    """The covariance between all voxels, from the definition."""
    places = torch.ones(SHAPE).nonzero()
    if isinstance(noise, CorrelatedNoise):
        middle = torch.tensor([size // 2 for size in noise.covariance.shape])
        way = places[:, None] - places + middle
        inside = ((way >= 0) & (way < torch.tensor(noise.covariance.shape))).all(-1)
        x, y, z = torch.where(inside.unsqueeze(-1), way, 0).unbind(-1)
        return torch.where(inside, noise.covariance[x, y, z], 0.0)
    sigma = noise.error.double().flatten() if isinstance(noise, VoxelNoise) else torch.full((24,), 0.7).double()
    return torch.diag(sigma**2)


NOISES = [WhiteNoise(0.7), VoxelNoise(ERROR), CorrelatedNoise(lags())]


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: type(noise).__name__)
def test_variance_is_the_quadratic_form(noise: Noise) -> None:
    g = WEIGHTS.flatten()
    assert float(noise.variance(WEIGHTS)) == pytest.approx(float(g @ dense(noise) @ g), rel=1e-6)


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: type(noise).__name__)
def test_samples_have_the_covariance(noise: Noise) -> None:
    generator = torch.Generator().manual_seed(2)
    samples = torch.stack([noise.sample(SHAPE, generator).flatten() for _ in range(4000)])
    covariance = dense(noise)
    assert float((samples.T @ samples / 4000 - covariance).abs().max()) < 0.08 * float(covariance.max())


def test_a_flat_power_spectrum_is_white_noise() -> None:
    spacing = (1.0, 0.5, 2.0)
    noise = CorrelatedNoise.of_power_spectrum(torch.full((4, 5, 6), 0.49 * math.prod(spacing)), spacing=spacing)
    assert tuple(noise.covariance.shape) == (3, 5, 5)
    assert float(noise.variance(WEIGHTS)) == pytest.approx(float(WhiteNoise(0.7).variance(WEIGHTS)), rel=1e-6)


@pytest.mark.parametrize("level", [0.0, 40.0, -1000.0])
def test_white_noise_is_estimated_whatever_zero_means(level: float) -> None:
    grid = Grid((24, 24, 24), (1.0, 1.0, 1.0))
    noise = 20.0 * torch.randn(grid.shape, generator=torch.Generator().manual_seed(3))
    image = QuantitativeMap(level + noise, torch.ones(grid.shape).bool(), grid, "CT number", "HU")
    assert WhiteNoise.estimated(image).sigma == pytest.approx(20.0, rel=0.05)


@pytest.mark.parametrize("beyond", [math.nan, -1e30, 1e9])
def test_what_lies_outside_the_mask_says_nothing_of_the_noise(beyond: float) -> None:
    grid = Grid((24, 24, 24), (1.0, 1.0, 1.0))
    noise = 3.0 * torch.randn(grid.shape, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(grid.shape, dtype=torch.bool)
    mask[2:22, 2:22, 2:22] = True
    holes = torch.where(mask, noise, beyond)
    holes[12, 12, 12] = math.nan
    image = QuantitativeMap(holes, mask, grid, "CT number", "HU")
    assert WhiteNoise.estimated(image).sigma == pytest.approx(3.0, rel=0.05)


def test_a_map_brings_its_own_error_in_its_own_box() -> None:
    grid = Grid(SHAPE, (1.0, 1.0, 1.0))
    image = QuantitativeMap(WEIGHTS, torch.ones(SHAPE).bool(), grid, "χ", "ppm", error=ERROR)
    window = (slice(1, 3), slice(0, 2), slice(0, 1))
    inside = torch.zeros_like(WEIGHTS)
    inside[window] = WEIGHTS[window]
    whole = VoxelNoise.of(image)
    assert float(whole.within(window).variance(WEIGHTS[window])) == pytest.approx(float(whole.variance(inside)))
    with pytest.raises(InputError, match="GD-726"):
        VoxelNoise.of(QuantitativeMap(WEIGHTS, image.mask, grid, "χ", "ppm"))


@pytest.mark.parametrize("sigma", [-1.0, float("nan"), float("inf")])
def test_impossible_white_noise_is_refused(sigma: float) -> None:
    with pytest.raises(UsageError, match="GD-145"):
        WhiteNoise(sigma)


@pytest.mark.parametrize(
    "covariance", [torch.ones(2, 1, 1), torch.tensor([0.1, 1.0, 0.3]), torch.tensor([2.0, 1.0, 2.0]), torch.zeros(3)]
)
def test_a_covariance_that_is_none_is_refused(covariance: Tensor) -> None:
    with pytest.raises(InputError, match="GD-726"):
        CorrelatedNoise(covariance.view(-1, 1, 1) if len(covariance) == 3 and covariance.any() else covariance)


def test_noise_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="GD-726"):
        VoxelNoise(-ERROR)
    with pytest.raises(InputError, match="GD-726"):
        VoxelNoise(ERROR).variance(torch.ones(2, 2, 2, dtype=torch.float64))
    with pytest.raises(InputError, match="GD-726"):
        CorrelatedNoise.of_power_spectrum(-torch.ones(3, 3, 3), spacing=(1.0, 1.0, 1.0))
