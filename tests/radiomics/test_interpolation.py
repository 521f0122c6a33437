"""Between voxels: what each rule reproduces, against scipy's own, and its gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from gradatim.radiomics.interpolation import CubicSpline, Interpolation, Linear, Nearest

RULES = [Nearest(), Linear(), CubicSpline()]
places_of_9 = st.lists(st.floats(-0.5, 8.5), min_size=1, max_size=12)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def tensor(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_every_axis_is_treated_alike(rule: Interpolation, axis: int) -> None:
    values, places = noise(5, 6, 7), tensor([-0.3, 0.2, 1.5, 3.9])
    found = rule.along(values, axis, places)
    turned = rule.along(values.movedim(axis, 0).contiguous(), 0, places).movedim(0, axis)
    torch.testing.assert_close(found, turned, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_at_the_voxels_every_rule_gives_the_voxels(rule: Interpolation) -> None:
    values = noise(9, 3)
    torch.testing.assert_close(rule.along(values, 0, torch.arange(9.0)), values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_voxel_is_constant_and_keeps_its_type(rule: Interpolation, dtype: torch.dtype) -> None:
    found = rule.along(torch.full((1, 2), 3.0, dtype=dtype), 0, tensor([-0.4, 0.0, 0.4]))
    assert found.dtype == dtype
    assert found.tolist() == [[3.0, 3.0]] * 3


@given(places_of_9, st.floats(-1e6, 1e6))
def test_linear_keeps_a_constant_to_the_last_bit(places: list[float], level: float) -> None:
    values = torch.full((9, 2), level)
    assert Linear().along(values, 0, tensor(places)).eq(values[0]).all()


@given(places_of_9)
def test_linear_keeps_a_ramp_between_the_outermost_centres(places: list[float]) -> None:
    found = Linear().along(torch.arange(9, dtype=torch.float64) * 3 - 5, 0, tensor(places))
    torch.testing.assert_close(found, tensor(places).clamp(0, 8) * 3 - 5, rtol=0, atol=1e-12)


@given(places_of_9)
def test_the_spline_is_the_one_of_scipy(places: list[float]) -> None:
    values = noise(9)
    at = np.clip(places, 0, 8)
    expected = ndimage.map_coordinates(values.numpy(), at[None], order=3, mode="mirror")
    found = CubicSpline().along(values, 0, tensor(places))
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-12)


def test_the_spline_of_two_voxels() -> None:
    # Mirrored at both centres, two voxels are a wave of period 2; at its middle the spline has their mean.
    assert CubicSpline().along(tensor([1.0, 3.0]), 0, tensor([0.5])).item() == pytest.approx(2.0, abs=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_beyond_its_reach_counts(rule: Interpolation) -> None:
    impulse = torch.zeros(101, dtype=torch.float64)
    impulse[50] = 1.0
    places = torch.linspace(0, 100, 1001, dtype=torch.float64)
    far = (places - 50).abs() >= rule.reach
    assert float(rule.along(impulse, 0, places)[far].abs().max()) < 1e-9


@pytest.mark.parametrize("rule", [Linear(), CubicSpline()])
def test_gradients(rule: Interpolation) -> None:
    values = noise(2, 5, 2).requires_grad_()
    places = tensor([-0.3, 0.0, 1.4, 3.9, 4.2])
    assert torch.autograd.gradcheck(lambda x: rule.along(x, 1, places), values)


@pytest.mark.parametrize("n", [2, 3, 90])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_of_the_spline_gives_what_the_product_of_matrices_does(
    n: int, axis: int, dtype: torch.dtype
) -> None:
    values = (noise(n, 4, 70) + 100).movedim(0, axis).to(dtype)
    places = torch.linspace(-0.7, n - 0.3, 33, dtype=torch.float64)
    found = CubicSpline().along(values, axis, places)
    twin = CubicSpline().along(values.clone().requires_grad_(), axis, places).detach()
    assert found.dtype == twin.dtype == dtype
    torch.testing.assert_close(found, twin, rtol=2e-6 if dtype == torch.float32 else 1e-14, atol=0)


def test_the_spline_does_not_depend_on_the_number_of_threads() -> None:
    values, places = (noise(180, 61, 70) + 100).float(), torch.arange(0, 179, 0.9, dtype=torch.float64)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4, 8):
            torch.set_num_threads(threads)
            found.append(CubicSpline().along(values, 0, places))
    finally:
        torch.set_num_threads(before)
    assert all(image.equal(found[0]) for image in found)
