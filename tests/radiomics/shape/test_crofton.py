"""Crofton's area tends to that of smooth bodies, which the mesh's does not; laws that hold exactly."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.shape.crofton import crofton_area
from gradatim.radiomics.shape.ellipsoid import Ellipsoid
from gradatim.radiomics.shape.study import Triple, ellipsoid_mask
from gradatim.radiomics.shape.surface import surface

masks = arrays("bool", array_shapes(min_dims=3, max_dims=3, max_side=6)).map(torch.from_numpy).filter(Tensor.any)


@pytest.mark.parametrize("semi_axes", [(15.0, 15.0, 15.0), (20.0, 15.0, 8.0)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (3.0, 1.0, 1.0)])
def test_the_area_of_an_ellipsoid(semi_axes: Triple, spacing: Triple) -> None:
    truth = Ellipsoid(semi_axes).area
    for seed in range(3):
        mask = ellipsoid_mask(semi_axes, spacing, seed=seed)
        error = float(crofton_area(mask, spacing=spacing)) / truth - 1
        assert abs(error) < 0.03
        assert abs(error) < abs(float(surface(mask, spacing=spacing).area) / truth - 1) / 3


def test_finer_voxels_bring_it_to_the_area_of_the_ball_and_leave_the_mesh_where_it_is() -> None:
    errors = []
    for radius in (13.0, 20.0, 39.0):
        steps = torch.arange(-40, 41)
        ball = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2 <= radius**2
        truth = 4 * math.pi * radius**2
        errors.append(float(crofton_area(ball, spacing=(1.0, 1.0, 1.0))) / truth - 1)
        assert 0.07 < float(surface(ball, spacing=(1.0, 1.0, 1.0)).area) / truth - 1 < 0.1
    assert abs(errors[-1]) < 0.001
    assert max(map(abs, errors)) < 0.005


@settings(max_examples=30)
@given(masks)
def test_turns_mirrors_margins_and_the_outside(mask: Tensor) -> None:
    here = float(crofton_area(mask, spacing=(1.0, 2.0, 3.0)))
    for turned, spacing in [(mask.permute(2, 0, 1), (3.0, 1.0, 2.0)), (mask.flip(1), (1.0, 2.0, 3.0))]:
        assert float(crofton_area(turned, spacing=spacing)) == pytest.approx(here, rel=1e-9)
    wide = torch.nn.functional.pad(mask, (2, 1, 0, 3, 4, 0))
    assert float(crofton_area(wide, spacing=(1.0, 2.0, 3.0))) == pytest.approx(here, rel=1e-12)
    assert float(crofton_area(mask, spacing=(2.0, 4.0, 6.0))) == pytest.approx(4 * here, rel=1e-12)


def test_two_bodies_far_apart_have_the_sum_of_their_areas() -> None:
    one = torch.zeros(20, 6, 6, dtype=torch.bool)
    one[1:4, 1:5, 1:5] = True
    both = one | one.flip(0)
    alone = float(crofton_area(one, spacing=(1.0, 1.0, 2.0)))
    assert float(crofton_area(both, spacing=(1.0, 1.0, 2.0))) == pytest.approx(2 * alone, rel=1e-12)


@pytest.mark.gpu
def test_the_device_does_not_matter() -> None:
    mask = ellipsoid_mask((8.0, 6.0, 5.0), (1.0, 1.0, 2.0), seed=0)
    here, there = (float(crofton_area(m, spacing=(1.0, 1.0, 2.0))) for m in (mask, mask.cuda()))
    assert there == pytest.approx(here, rel=1e-12)
