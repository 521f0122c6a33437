"""Background removal: fields of sources outside go, fields of sources inside stay; one line a method in the table."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap
from gradatim.base.units import hz_per_ppm
from gradatim.qsm.boundary_value import LaplacianBoundaryValue, LocalField
from gradatim.qsm.vsharp import VSharp
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, SmallResidual
from tests.qsm.spheres import FLAT, ISOTROPIC, distance, field_of_ball, grid_of, positions

HERTZ = hz_per_ppm(3.0)


@dataclass(frozen=True)
class Row:
    """A method, and what may be left of the background and lost of the local field (root mean square, relative)."""

    method: Callable[[FieldMap], LocalField]
    left: float
    lost: float


# What LBV leaves is the error of seven points for a harmonic field. V-SHARP loses what no small sphere sees.
METHODS = [
    pytest.param(Row(LaplacianBoundaryValue(), 0.005, 0.02), id="boundary value"),
    pytest.param(Row(VSharp(radii_mm=(6.0, 4.0, 3.0, 2.0)), 0.011, 0.03), id="v-sharp to 6 mm"),
    pytest.param(Row(VSharp(), 0.005, 0.17), id="v-sharp to 12 mm"),
]
GEOMETRIES = [
    pytest.param(grid_of(40.0, spacing, tilt), id=f"{spacing} {tilt}")
    for spacing in (ISOTROPIC, FLAT)
    for tilt in (0.0, 0.6)
]


def head(grid: Grid) -> Tensor:
    return distance(grid, (0.0, 0.0, 0.0)) < 15.0


def outside(grid: Grid) -> Tensor:
    """A sinus and a bone beside the mask, ppm."""
    return field_of_ball(grid, (17.0, -14.0, 12.0), 5.0, 9.0) + field_of_ball(grid, (-6.0, 24.0, -9.0), 6.0, -2.0)


def inside(grid: Grid) -> Tensor:
    return field_of_ball(grid, (2.0, -1.0, 1.5), 2.5, 1.0)


def field_map(ppm: Tensor, mask: Tensor, grid: Grid) -> FieldMap:
    field = torch.where(mask, HERTZ * ppm, 0.0).float()
    return FieldMap(field, 0.1 * mask.float(), mask, 3.0, grid)


def rms(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())


@pytest.mark.parametrize("row", METHODS)
@pytest.mark.parametrize("grid", GEOMETRIES)
def test_sources_outside_go_and_sources_inside_stay(row: Row, grid: Grid) -> None:
    mask = head(grid)
    core = distance(grid, (0.0, 0.0, 0.0)) < 10.0
    background = row.method(field_map(outside(grid), mask, grid))
    kept = background.field.mask
    assert rms(background.field.ppm[kept]) < row.left * float(outside(grid)[kept].std())
    assert bool(kept[core].all())
    local = row.method(field_map(inside(grid), mask, grid)).field.ppm
    assert rms((local - inside(grid))[core]) < row.lost * rms(inside(grid)[core])


@pytest.mark.parametrize("row", METHODS)
def test_what_comes_back_lies_in_the_mask(row: Row) -> None:
    grid = grid_of(40.0, FLAT)
    mask = head(grid)
    local = row.method(field_map(outside(grid) + inside(grid), mask, grid)).field
    assert bool((local.mask & mask).any())
    assert not bool((local.mask & ~mask).any())
    assert not bool(local.field[~local.mask].any())
    assert not bool(local.error[~local.mask].any())
    assert bool((local.error[local.mask] == 0.1).all())


@pytest.mark.parametrize("row", METHODS)
def test_the_answer_is_linear_in_the_field(row: Row) -> None:
    grid = grid_of(40.0, ISOTROPIC, 0.6)
    parts = [row.method(field_map(f(grid), head(grid), grid)).field.field for f in (inside, outside)]
    whole = row.method(field_map(inside(grid) - 0.5 * outside(grid), head(grid), grid)).field.field
    torch.testing.assert_close(whole, parts[0] - 0.5 * parts[1], rtol=0, atol=1e-3 * HERTZ * rms(outside(grid)))


@pytest.mark.parametrize("row", METHODS)
def test_a_hole_in_the_field_is_an_error_and_not_a_map_of_holes(row: Row) -> None:
    grid = grid_of(40.0, ISOTROPIC)
    for where in ((20, 20, 20), (20, 20, 6)):
        total = field_map(outside(grid), head(grid), grid)
        assert bool(total.mask[where])
        total.field[where] = math.nan
        with pytest.raises(InputError, match="GD-603"):
            row.method(total)


@pytest.mark.parametrize("row", METHODS)
def test_gradients_reach_the_field(row: Row) -> None:
    """The method is linear: the derivative along a direction is the answer to that direction."""
    grid = grid_of(40.0, ISOTROPIC)
    total = field_map(outside(grid), head(grid), grid)
    weights = torch.randn(grid.shape, generator=torch.Generator().manual_seed(0))
    leaf = total.field.clone().requires_grad_()
    local = row.method(FieldMap(leaf, total.error, total.mask, 3.0, grid)).field
    (weights * local.field).sum().backward()
    assert leaf.grad is not None
    step = field_map(inside(grid), head(grid), grid)
    wanted = float((weights * row.method(step).field.field).sum())
    assert float((leaf.grad * step.field).sum()) == pytest.approx(wanted, rel=2e-3)


HARMONIC = [
    pytest.param(lambda x, y, z: 0 * x + 1.0, id="1"),
    pytest.param(lambda x, y, z: 0.1 * x - 0.2 * y + 0.05 * z, id="linear"),
    pytest.param(lambda x, y, z: 0.01 * x * y + 0.02 * y * z, id="xy"),
    pytest.param(lambda x, y, z: 0.01 * (2 * z * z - x * x - y * y), id="z2"),
]


@pytest.mark.parametrize("polynomial", HARMONIC)
@pytest.mark.parametrize("spacing", [ISOTROPIC, FLAT])
def test_the_boundary_value_is_exact_on_harmonic_polynomials(
    polynomial: Callable[..., Tensor], spacing: tuple[float, float, float]
) -> None:
    """Seven points are exact to third order, on any voxel; also where the mask touches the border of the image."""
    grid = grid_of(24.0, spacing)
    mask = distance(grid, (6.0, 0.0, 0.0)) < 11.0
    assert bool(mask[-1].any())
    ppm = polynomial(*positions(grid))
    found = LaplacianBoundaryValue()(field_map(ppm, mask, grid))
    assert found.solution is not None
    assert found.solution.converged
    assert rms(found.field.ppm[found.field.mask]) < 1e-4 * rms(ppm[mask])


@pytest.mark.parametrize("polynomial", HARMONIC[:2])
def test_v_sharp_is_exact_on_linear_fields(polynomial: Callable[..., Tensor]) -> None:
    grid = grid_of(24.0, FLAT)
    mask = distance(grid, (6.0, 0.0, 0.0)) < 11.0
    ppm = polynomial(*positions(grid))
    local = VSharp(radii_mm=(5.0, 3.0, 2.0))(field_map(ppm, mask, grid)).field
    assert rms(local.ppm[local.mask]) < 2e-3 * rms(ppm[mask])


@pytest.mark.parametrize("background", [0.0, 1.0])
def test_a_known_rim_gives_the_exact_local_field(background: float) -> None:
    grid = grid_of(30.0, ISOTROPIC, 0.4)
    mask = distance(grid, (0.0, 0.0, 0.0)) < 12.0
    x, y, _ = positions(grid)
    total = inside(grid) + background * (0.02 * x - 0.01 * y)
    rim = (HERTZ * inside(grid)).float()
    found = LaplacianBoundaryValue()(field_map(total, mask, grid), rim=rim)
    kept = found.field.mask
    assert rms((found.field.ppm - inside(grid))[kept]) < 1e-4 * rms(total[kept])


def test_voxels_without_six_neighbours_are_the_rim() -> None:
    grid = Grid((7, 7, 7), ISOTROPIC)
    mask = torch.zeros(7, 7, 7, dtype=torch.bool)
    mask[1:6, 1:6, 1:6] = True
    kept = LaplacianBoundaryValue()(field_map(torch.ones(7, 7, 7), mask, grid)).field.mask
    assert int(kept.sum()) == 27
    assert bool(kept[2:5, 2:5, 2:5].all())
    whole = torch.ones(7, 7, 7, dtype=torch.bool)
    assert int(LaplacianBoundaryValue()(field_map(torch.ones(7, 7, 7), whole, grid)).field.mask.sum()) == 125


def test_too_few_iterations_are_told() -> None:
    grid = grid_of(24.0, ISOTROPIC)
    method = LaplacianBoundaryValue(rule=IterationBound(2) | SmallResidual(1e-6))
    found = method(field_map(outside(grid), distance(grid, (0.0, 0.0, 0.0)) < 10.0, grid))
    assert found.solution is not None
    assert found.solution.reason is Stop.BOUND


def test_a_thin_mask_is_refused() -> None:
    grid = grid_of(24.0, ISOTROPIC)
    mask = torch.zeros(grid.shape, dtype=torch.bool)
    mask[4:20, 4:20, 10:12] = True
    for method in (LaplacianBoundaryValue(), VSharp(radii_mm=(6.0, 3.0))):
        with pytest.raises(InputError, match="GD-601"):
            method(field_map(outside(grid), mask, grid))


def test_v_sharp_stays_off_the_border_by_a_sphere() -> None:
    grid = grid_of(24.0, ISOTROPIC)
    whole = torch.ones(grid.shape, dtype=torch.bool)
    kept = VSharp(radii_mm=(4.0,))(field_map(positions(grid)[0], whole, grid)).field.mask
    assert bool(kept[4:-4, 4:-4, 4:-4].all())
    assert not bool(kept[:3].any())
    assert not bool(kept[..., -3:].any())


def test_v_sharp_works_on_slabs_thinner_than_its_largest_sphere() -> None:
    grid = Grid((32, 32, 8), ISOTROPIC)
    x, _, z = positions(grid)
    whole = torch.ones(grid.shape, dtype=torch.bool)
    local = VSharp()(field_map(0.1 * x + 0.2 * z, whole, grid)).field
    assert bool(local.mask[16, 16, 4])
    assert rms(local.ppm[local.mask]) < 1e-2


@pytest.mark.parametrize("edge", [2.0, 3.0])
def test_spheres_within_a_voxel_keep_nothing(edge: float) -> None:
    """The mean over such a sphere is the voxel itself, whose local field would be 0 whatever it is."""
    grid = Grid((20, 20, 20), (1.5, 1.5, edge))
    mask = distance(grid, (0.0, 0.0, 0.0)) < 12.0
    total = field_map(inside(grid), mask, grid)
    large, with_small = (VSharp(radii_mm=r)(total).field for r in ((6.0, 4.0), (6.0, 4.0, 1.4, 0.5)))
    assert bool((large.mask == with_small.mask).all())
    torch.testing.assert_close(large.field, with_small.field)
    with pytest.raises(UsageError, match="GD-101"):
        VSharp(radii_mm=(1.4,))(total)


@pytest.mark.parametrize(
    ("radii", "threshold"), [((), 0.05), ((0.0, 3.0), 0.05), ((math.nan,), 0.05), ((3.0,), 0.0), ((3.0,), 1.0)]
)
def test_impossible_settings_are_refused(radii: tuple[float, ...], threshold: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        VSharp(radii_mm=radii, threshold=threshold)
