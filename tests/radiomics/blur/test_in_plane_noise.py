"""The noise power of a plane: white noise has its closed form, any shape its standard deviation."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.in_plane_noise import InPlaneNoise
from gradatim.radiomics.blur.noise_power import coloured_noise

SPACING = (0.5, 0.8, 2.0)
RAMP = torch.tensor([0.0, 0.4, 1.2], dtype=torch.float64), torch.tensor([0.1, 1.0, 0.0], dtype=torch.float64)


def test_white_noise_has_variance_times_voxel_volume_everywhere() -> None:
    flat = torch.ones(2, dtype=torch.float64)
    noise = InPlaneNoise.of_deviation(3.0, torch.tensor([0.0, 0.1]).double(), flat, spacing=SPACING)
    found = noise.at(frequencies((8, 8, 4), SPACING))
    torch.testing.assert_close(found, torch.full_like(found, 9.0 * math.prod(SPACING)))


def test_noise_of_any_shape_and_scale_has_the_standard_deviation_asked_for() -> None:
    shape = (96, 80, 12)
    for scale in (1.0, 1e4):
        noise = InPlaneNoise.of_deviation(12.0, RAMP[0], scale * RAMP[1], spacing=SPACING)
        field = coloured_noise(noise.at(frequencies(shape, SPACING)), shape, SPACING, seed=1)
        assert float(field.std()) == pytest.approx(12.0, rel=0.02)
        between = float((field[..., 1:] * field[..., :-1]).mean())
        assert abs(between) < 0.03 * 144  # slices are independent


def test_between_its_points_it_is_linear_and_beyond_them_constant() -> None:
    noise, zero = InPlaneNoise(*RAMP), torch.zeros(1, dtype=torch.float64)
    for f, power in ((0.0, 0.1), (0.2, 0.55), (0.4, 1.0), (0.8, 0.5), (5.0, 0.0)):
        at = torch.tensor([f * 0.6], dtype=torch.float64), torch.tensor([f * 0.8], dtype=torch.float64)
        assert float(noise.at((*at, zero))) == pytest.approx(power)
        assert float(noise.at((*at, zero + 7.0))) == pytest.approx(power)


@pytest.mark.parametrize(
    ("frequency", "power"),
    [
        ([0.0], [1.0]),
        ([0.0, 1.0], [1.0]),
        ([0.5, 0.5], [1.0, 1.0]),
        ([-0.1, 0.5], [1.0, 1.0]),
        ([0.0, 0.5], [1.0, -1.0]),
        ([0.0, 0.5], [0.0, 0.0]),
        ([0.0, math.nan], [1.0, 1.0]),
        ([0.0, 90.0, 100.0], [0.0, 0.0, 1.0]),
    ],
)
def test_a_curve_that_is_no_spectrum_is_refused(frequency: list[float], power: list[float]) -> None:
    with pytest.raises(UsageError, match="GD-156"):
        InPlaneNoise.of_deviation(1.0, torch.tensor(frequency).double(), torch.tensor(power).double(), spacing=SPACING)


def test_a_negative_deviation_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-145"):
        InPlaneNoise.of_deviation(-1.0, *RAMP, spacing=SPACING)
