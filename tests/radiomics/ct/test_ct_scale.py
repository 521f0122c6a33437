"""CT numbers: the scale both ways, its drift, and doubts about it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.ct.calibration import TwoPointCalibration
from gradatim.radiomics.ct.drift import WaterDrift
from gradatim.radiomics.ct.hounsfield import HounsfieldScale
from gradatim.radiomics.ct.region_mean import RegionMean
from gradatim.radiomics.ct.rescale import Rescale
from gradatim.radiomics.ct.scale_check import ScaleCheck

WATER, AIR = 0.01928, 0.0000200  # 1/mm at 70 keV, NIST XCOM mass attenuation times density at 20 °C, rounded


def test_the_scale_puts_water_and_air_where_they_belong() -> None:
    scale = HounsfieldScale(WATER, AIR)
    assert scale.hu(WATER) == 0
    assert scale.hu(AIR) == pytest.approx(-1000)
    assert HounsfieldScale(WATER).hu(0.0) == -1000
    assert HounsfieldScale(WATER).hu(AIR) == pytest.approx(-998.96, abs=0.01)  # the definition without air


@given(st.floats(-1024, 4000), st.floats(0.001, 1.0), st.floats(0, 0.5))
def test_attenuation_and_ct_numbers_are_each_other_s_inverse(hu: float, water: float, share: float) -> None:
    scale = HounsfieldScale(water, share * water)
    assert scale.hu(scale.mu(hu)) == pytest.approx(hu, abs=1e-8)


@given(st.floats(-1024, 4000), st.floats(0.01, 10), st.floats(-2000, 100))
def test_rescale_and_stored_values_are_each_other_s_inverse(hu: float, slope: float, intercept: float) -> None:
    rescale = Rescale(slope, intercept)
    assert rescale(rescale.stored(hu)) == pytest.approx(hu, abs=1e-8)


@pytest.mark.parametrize("numbers", [(0.0, -1024.0), (math.nan, 0.0), (1.0, math.inf)])
def test_a_slope_that_says_nothing_is_refused(numbers: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="GD-139"):
        Rescale(*numbers)


@pytest.mark.parametrize("numbers", [(0.0, 0.0), (0.02, 0.02), (0.02, -0.1), (math.inf, 0.0)])
def test_water_must_lie_above_air(numbers: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="GD-139"):
        HounsfieldScale(*numbers)


def test_the_worked_drift_of_forty_five_hounsfield_units() -> None:
    """A true 45 HU with a water reference 0.5 % too high reads 5.2 HU low: −0.005·1045/1.005 = −5.19900…"""
    drift = WaterDrift(0.005)(45.0) - 45.0
    assert drift == pytest.approx(-5.225 / 1.005, abs=1e-9)
    assert f"{drift:.1f}" == "-5.2"
    # by the definition itself, from attenuation to what a scanner of the wrong water shows
    mu = HounsfieldScale(WATER).mu(45.0)
    assert HounsfieldScale(WATER * 1.005).hu(mu) - 45.0 == pytest.approx(drift, abs=1e-9)


@given(st.floats(-1000, 3000), st.floats(-0.02, 0.02), st.floats(0, 0.01))
def test_a_drift_is_a_scale_of_other_water(hu: float, epsilon: float, air: float) -> None:
    true = HounsfieldScale(1.0, air)
    seen = HounsfieldScale(1.0 + epsilon, air).hu(true.mu(hu))
    drift = WaterDrift(epsilon, air)
    assert drift(hu) == pytest.approx(seen, abs=1e-7)
    assert drift.undo(drift(hu)) == pytest.approx(hu, abs=1e-7)
    assert drift(hu) - hu == pytest.approx(-epsilon * (1000 + hu) / (1 - air + epsilon), abs=1e-7)


@pytest.mark.parametrize("epsilon", [0.0, 0.005, -0.01])
def test_the_derivative_is_that_of_the_drift(epsilon: float) -> None:
    step, hu = 1e-6, 45.0
    finite = (WaterDrift(epsilon + step, 0.001)(hu) - WaterDrift(epsilon - step, 0.001)(hu)) / (2 * step)
    assert WaterDrift(epsilon, 0.001).derivative(hu) == pytest.approx(finite, rel=1e-7)


def phantom(noise: float, seed: int = 0, blur: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Water in air as a drifted scanner with an offset sees it; noise averaged over ``blur`` voxels a side."""
    true = torch.full((24, 24, 12), -1000.0, dtype=torch.float64)
    true[12:] = 0.0
    random = torch.randn(1, 1, 24, 24, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    grain = torch.nn.functional.conv3d(random, torch.full((1, 1, *[blur] * 3), blur**-1.5).double(), padding="same")
    image = WaterDrift(0.005)(true) + 3.0 + noise * grain[0, 0]
    water, air = torch.zeros_like(true, dtype=torch.bool), torch.zeros_like(true, dtype=torch.bool)
    water[14:22, 2:22, 1:11] = True
    air[2:10, 2:22, 1:11] = True
    return image, water, air


def test_water_and_air_undo_drift_and_offset() -> None:
    image, water, air = phantom(0.0)
    line = TwoPointCalibration()(image, water=water, air=air)
    assert float(line.drift) == pytest.approx(0.005, abs=1e-12)
    assert float(line(image)[water].mean()) == pytest.approx(0, abs=1e-9)
    assert float(line(image)[air].mean()) == pytest.approx(-1000, abs=1e-9)
    tissue = WaterDrift(0.005)(torch.tensor(45.0, dtype=torch.float64)) + 3.0
    assert float(line(tissue)) == pytest.approx(45, abs=1e-9)


@pytest.mark.parametrize("blur", [1, 3])
def test_the_standard_errors_are_the_scatter_of_repeated_scans(blur: int) -> None:
    lines = []
    for seed in range(60):
        image, water, air = phantom(20.0, seed, blur)
        lines.append(TwoPointCalibration(mean=RegionMean(reach=2))(image, water=water, air=air))
    for scatter, errors in (
        (torch.stack([line.slope for line in lines]).std(), [line.slope_error for line in lines]),
        (torch.stack([line.intercept for line in lines]).std(), [line.intercept_error for line in lines]),
    ):
        # a standard deviation of 60 is known to 9 %
        assert sum(errors) / len(errors) == pytest.approx(float(scatter), rel=0.3)
    if blur == 3:  # independent voxels would claim less than a third of it
        naive = TwoPointCalibration(mean=RegionMean(reach=0))(image, water=water, air=air)
        assert naive.intercept_error < 0.5 * lines[-1].intercept_error


def test_the_error_of_a_corrected_value_is_smallest_between_the_materials() -> None:
    image, water, air = phantom(20.0)
    line = TwoPointCalibration()(image, water=water, air=air)
    low, middle, high = line.error(torch.tensor([-1000.0, -500.0, 1000.0]))
    assert middle < low < high


def test_the_calibration_is_differentiable_in_the_image() -> None:
    image, water, air = phantom(5.0)
    image.requires_grad_()
    TwoPointCalibration()(image, water=water, air=air).slope.backward()
    assert image.grad is not None
    # d slope / d (mean of air) = slope / (water − air): spread over the voxels of air
    assert float(image.grad[air].sum()) == pytest.approx(1.0 / 1000, rel=0.02)
    assert float(image.grad[~(water | air)].abs().max()) == 0


def test_swapped_regions_and_small_ones_are_refused() -> None:
    image, water, air = phantom(0.0)
    with pytest.raises(InputError, match="GD-719"):
        TwoPointCalibration()(image, water=air, air=water)
    few = torch.zeros_like(water)
    few[14, 2, 1:4] = True
    with pytest.raises(InputError, match="GD-723"):
        TwoPointCalibration()(image, water=few, air=air)
    small = torch.zeros_like(water)
    small[14:17, 2:5, 1:4] = True
    with pytest.raises(InputError, match="GD-723"):
        TwoPointCalibration()(image, water=small, air=air)
    with pytest.raises(UsageError, match="GD-103"):
        TwoPointCalibration()(image, water=water[1:], air=air)
    with pytest.raises(UsageError, match="GD-139"):
        TwoPointCalibration(water_hu=-1000.0, air_hu=0.0)


def test_the_variance_of_a_mean_is_the_sum_of_all_near_products() -> None:
    generator = torch.Generator().manual_seed(4)
    image = torch.randn(5, 6, 4, dtype=torch.float64, generator=generator)
    mask = torch.rand(5, 6, 4, generator=generator) > 0.3
    places, values = mask.nonzero(), image[mask]
    near = ((places[:, None] - places).abs() <= 1).all(-1)
    rest = values - values.mean()
    n, m = len(values), int(near.sum())
    correlated = float((rest[:, None] * rest * near).sum()) / (n**2 - m)
    white = float(rest.square().sum()) / (n * (n - 1))
    mean, error = RegionMean(reach=1)(image, mask, what="water")
    assert float(mean) == pytest.approx(float(values.mean()))
    assert float(error) == pytest.approx(math.sqrt(max(correlated, white)))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([-1000.0, 0.0, 45.0, 3071.0], None),
        ([0.0, 24.0, 1024.0, 4095.0], "GD-721"),
        ([-3024.0, -1000.0, 40.0], "GD-720"),
        ([-1000.0, 40.0, 32767.0], "GD-720"),
        ([0.0, 0.0193, 0.05], "GD-722"),
        ([0.0, 0.193, 0.5], "GD-722"),
    ],
)
def test_an_impossible_scale_is_named(values: list[float], code: str | None) -> None:
    assert [doubt.code for doubt in ScaleCheck()(torch.tensor(values))] == ([code] if code else [])


def test_water_or_air_out_of_place_is_named() -> None:
    image, water, air = phantom(0.0)
    found = ScaleCheck(water=1.0)(image, TwoPointCalibration()(image, water=water, air=air))
    assert [doubt.code for doubt in found] == ["GD-719"]
    assert found[0].what.startswith("water is seen at -1.975")
    with pytest.raises(InputError, match="GD-723"):
        ScaleCheck()(torch.tensor([math.nan]))
