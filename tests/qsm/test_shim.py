import math

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.linop.difference import Gradient, Laplacian
from gradatim.qsm.shim import Shim


def _oblique() -> Grid:
    c, s = math.cos(0.5), math.sin(0.5)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag([1.0, 1.5, 2.0])
    affine[:3, 3] = (30.0, -12.0, 7.0)
    return Grid.from_affine((14, 12, 10), affine)


GRID = _oblique()
BALL = torch.zeros(GRID.shape, dtype=torch.bool)
BALL[3:11, 2:10, 2:8] = True


def _world():
    indices = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in GRID.shape), indexing="ij"))
    x, y, z = torch.einsum("ij,jxyz->ixyz", torch.tensor(GRID.matrix[:3, :3]), indices)
    return x, y, z


def test_second_order_fields_vanish_everywhere_though_fitted_in_the_mask():
    x, y, z = _world()
    field = 0.3 - 0.01 * x + 0.02 * y * z - 0.001 * (x * x - y * y) + 0.0007 * (2 * z * z - x * x - y * y)
    left = field - Shim(2)(field, mask=BALL, grid=GRID)
    assert float(left.abs().max()) < 1e-10


def test_fit_is_harmonic_on_oblique_anisotropic_voxels():
    field = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    fitted = Shim(2)(field, mask=BALL, grid=GRID)
    laplacian = Laplacian(Gradient(GRID.shape, GRID.spacing)).apply(fitted)[1:-1, 1:-1, 1:-1]
    assert float(laplacian.abs().max()) < 1e-12


@pytest.mark.parametrize(("order", "functions"), [(0, 1), (1, 4), (2, 9)])
def test_residual_is_orthogonal_to_the_fit_and_order_sets_the_freedom(order, functions):
    field = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    fitted = Shim(order)(field, mask=BALL, grid=GRID)
    assert abs(float(((field - fitted) * fitted)[BALL].sum())) < 1e-9
    random = torch.randn((12, *GRID.shape), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    fits = torch.stack([Shim(order)(f, mask=BALL, grid=GRID).flatten() for f in random])
    assert int(torch.linalg.matrix_rank(fits)) == functions


def test_impossible_requests_are_refused():
    with pytest.raises(UsageError, match="GD-101"):
        Shim(3)
    with pytest.raises(InputError, match="GD-601"):
        Shim()(torch.zeros(GRID.shape), mask=torch.zeros(GRID.shape, dtype=torch.bool), grid=GRID)
