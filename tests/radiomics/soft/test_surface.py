"""A differentiable surface against IBSI's mesh, the sphere, and finite differences."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.morphology import Shape
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.soft.surface import LevelSurface, Occupancy

SPACING = (1.0, 0.7, 2.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_mask_gives_the_mesh_and_the_axes_of_ibsi(seed: int) -> None:
    mask = torch.rand(6, 7, 5, generator=torch.Generator().manual_seed(seed)) < 0.5
    shape = Shape(Roi(mask.double(), mask, mask, SPACING, FixedBinNumber(4)))
    surface, occupancy = LevelSurface(mask.double(), SPACING), Occupancy(mask.double(), SPACING)
    for soft, hard in (
        (surface.volume, shape.volume),
        (surface.area, shape.area),
        (surface.disproportion, shape.disproportion),
        (surface.diameter, shape.diameter),
        (occupancy.voxel_volume, shape.voxel_volume),
        (occupancy.axes, shape.axes),
    ):
        assert torch.allclose(soft, torch.as_tensor(hard), rtol=1e-10)


def ball(radius: Tensor, n: int = 24) -> Tensor:
    """Signed distance, positive inside."""
    axis = torch.arange(n, dtype=torch.float64) - (n - 1) / 2 + 0.17
    return radius - (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()


def test_a_ball_has_its_volume_and_area_and_the_one_is_the_derivative_of_the_other() -> None:
    radius = torch.tensor(8.3, dtype=torch.float64, requires_grad=True)
    surface = LevelSurface(ball(radius), (1.0, 1.0, 1.0), level=0.0, outside=-1.0)
    assert float(surface.volume.detach()) == pytest.approx(4 / 3 * math.pi * 8.3**3, rel=1e-2)
    assert float(surface.area.detach()) == pytest.approx(4 * math.pi * 8.3**2, rel=1e-2)
    (growth,) = torch.autograd.grad(surface.volume, radius, retain_graph=True)
    assert float(growth) == pytest.approx(4 * math.pi * 8.3**2, rel=1e-2)
    (widening,) = torch.autograd.grad(surface.area, radius)
    assert float(widening) == pytest.approx(8 * math.pi * 8.3, rel=1e-2)
    counted = Occupancy.of_distance(ball(radius), spacing=(1.0, 1.0, 1.0), width_mm=1.5)
    (counted_growth,) = torch.autograd.grad(counted.voxel_volume, radius)
    assert float(counted.voxel_volume.detach()) == pytest.approx(4 / 3 * math.pi * 8.3**3, rel=1e-2)
    assert float(counted_growth) == pytest.approx(4 * math.pi * 8.3**2, rel=2e-2)


def test_gradcheck_of_an_image_at_a_threshold() -> None:
    field = torch.rand(4, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()

    def shape(x: Tensor) -> tuple[Tensor, ...]:
        surface, occupancy = LevelSurface(x, SPACING, level=0.45), Occupancy(x, SPACING)
        return surface.volume, surface.area, surface.disproportion, surface.diameter, occupancy.axes

    assert torch.autograd.gradcheck(shape, (field,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize(("level", "outside"), [(2.0, 0.0), (0.5, 0.6)])
def test_a_field_without_a_surface_is_refused(level: float, outside: float) -> None:
    with pytest.raises(InputError, match="GD-727"):
        _ = LevelSurface(torch.ones(3, 3, 3, dtype=torch.float64), SPACING, level, outside).volume
