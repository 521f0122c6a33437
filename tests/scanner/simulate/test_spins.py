import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.scanner.simulate.spins import join, spins_at, voxel_spins

GRID = Grid((4, 3, 1), (2.0, 3.0, 5.0))


def test_voxels_lie_where_a_discrete_fourier_transform_puts_its_pixels():
    density = torch.zeros(GRID.shape).double()
    density[0, 0, 0] = density[3, 2, 0] = 2.0
    found = voxel_spins(GRID, density=density, t1=torch.full(GRID.shape, 0.8, dtype=torch.float64), offset=12.0)
    assert torch.allclose(found.position, torch.tensor([[-4e-3, -3e-3, 0], [2e-3, 3e-3, 0]], dtype=torch.float64))
    assert found.t1.tolist() == [0.8, 0.8]
    assert found.offset.tolist() == [12.0, 12.0]
    assert found.size == (0.002, 0.003, 0.005)
    k = torch.arange(-2, 2).double() / 8e-3
    wave = torch.exp(-2j * math.pi * k[:, None] * ((torch.arange(4) - 2).double() * 2e-3))
    assert torch.allclose(wave.mH @ wave, 4 * torch.eye(4, dtype=torch.complex128), atol=1e-12)


def test_gradients_flow_from_spins_to_maps():
    t1 = torch.full(GRID.shape, 0.8, dtype=torch.float64, requires_grad=True)
    voxel_spins(GRID, density=torch.ones(GRID.shape), t1=t1).t1.sum().backward()
    assert bool((t1.grad == 1).all())


def test_groups_join_and_part_again():
    a, b = spins_at(torch.zeros(2, 3)), spins_at(torch.ones(3, 3), t2=0.1)
    both = join([a, b])
    assert len(both) == 5
    assert torch.equal(both[2:].t2, b.t2)
    assert both.to(torch.float32).t1.dtype == torch.float32


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("GD-830", {"t1": 0.0}),
        ("GD-830", {"t2": -0.1}),
        ("GD-830", {"t2": math.nan}),
        ("GD-831", {"density": math.inf}),
        ("GD-831", {"offset": math.nan}),
    ],
)
def test_impossible_spins_are_refused(code, values):
    with pytest.raises(InputError) as refused:
        spins_at(torch.zeros(2, 3), **values)
    assert refused.value.code == code


def test_sizes_that_disagree_are_refused():
    with pytest.raises(UsageError, match="GD-103"):
        voxel_spins(GRID, density=torch.ones(GRID.shape), t1=torch.ones(2, 2, 2))
    with pytest.raises(UsageError, match="GD-103"):
        join([])
    one = spins_at(torch.zeros(1, 3))
    with pytest.raises(UsageError, match="GD-103"):
        join([one, voxel_spins(GRID, density=torch.ones(GRID.shape))])
