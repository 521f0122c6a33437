"""Dipole inversion: a ball comes back, whatever the voxel and the direction of B0; one line a method in the table."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap
from gradatim.base.units import hz_per_ppm
from gradatim.linop.dipole import Dipole
from gradatim.qsm.dipole_inversion import Inversion
from gradatim.qsm.tkd import ThresholdedDivision
from gradatim.qsm.total_variation import TotalVariation
from gradatim.solve.stopping import IterationBound, SmallResidual
from tests.qsm.spheres import FLAT, ISOTROPIC, ball, distance, grid_of

HERTZ = hz_per_ppm(3.0)
CHI, NOISE = 0.3, 0.004
CENTRE = (1.0, -1.0, 0.5)
QUICK, LONG = IterationBound(60) | SmallResidual(1e-2), IterationBound(150) | SmallResidual(1e-3)


@dataclass(frozen=True)
class Row:
    """A method, and how far it may be off in the ball's contrast and in the whole map (relative)."""

    method: Callable[[FieldMap], Inversion]
    contrast: float
    nrmse: float


# Thresholded division streaks, total variation shrinks a little.
METHODS = [
    pytest.param(Row(ThresholdedDivision(), 0.07, 0.45), id="tkd"),
    pytest.param(Row(TotalVariation(rule=QUICK), 0.045, 0.09), id="tv"),
]
GEOMETRIES = [
    pytest.param(grid_of(32.0, spacing, tilt), id=f"{spacing} {tilt}")
    for spacing in (ISOTROPIC, FLAT)
    for tilt in (0.0, 0.6)
]


def truth(grid: Grid) -> Tensor:
    return CHI * ball(grid, CENTRE, 5.0)


def local_field(grid: Grid, noise: float = NOISE, *, scale: float = 1.0) -> FieldMap:
    """The ball's field in a head of 14 mm radius with white noise of ``noise`` ppm, which the error map knows."""
    mask = distance(grid, (0.0, 0.0, 0.0)) < 14.0
    random = torch.randn(grid.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ppm = scale * (Dipole.on(grid).apply(truth(grid)) + noise * random)
    field, error = (torch.where(mask, HERTZ * v, 0.0).float() for v in (ppm, torch.full_like(ppm, scale * noise)))
    return FieldMap(field, error, mask, 3.0, grid)


def off(found: Inversion, grid: Grid) -> float:
    """‖χ − truth‖/‖truth‖ in the mask, both less their mean."""
    mask = found.susceptibility.mask
    wanted = truth(grid)[mask]
    error = found.susceptibility.value[mask] - wanted
    return float((error - error.mean()).norm() / (wanted - wanted.mean()).norm())


@pytest.mark.parametrize("row", METHODS)
@pytest.mark.parametrize("grid", GEOMETRIES)
def test_a_ball_comes_back(row: Row, grid: Grid) -> None:
    found = row.method(local_field(grid))
    chi, mask = found.susceptibility.value, found.susceptibility.mask
    r = distance(grid, CENTRE)
    contrast = float(chi[r < 4.0].mean() - chi[mask & (r > 6.0)].mean())
    assert contrast == pytest.approx(CHI, rel=row.contrast)
    assert off(found, grid) < row.nrmse
    assert not bool(chi[~mask].any())
    assert found.susceptibility.unit == "ppm"


@pytest.mark.parametrize("row", METHODS)
def test_the_direction_of_b0_matters(row: Row) -> None:
    """The same field read with another direction gives a worse map: a flipped sign of an angle cannot hide."""
    grid, wrong = grid_of(32.0, ISOTROPIC, 0.6), grid_of(32.0, ISOTROPIC, -0.6)
    field = local_field(grid)
    assert off(row.method(replace(field, grid=wrong)), grid) > 1.5 * off(row.method(field), grid)


@pytest.mark.parametrize("row", METHODS)
@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0)])
def test_permuting_the_axes_of_the_array_permutes_the_map(row: Row, order: tuple[int, int, int]) -> None:
    grid = grid_of(32.0, FLAT, 0.6)
    field = local_field(grid)
    affine = grid.matrix.copy()
    affine[:3, :3] = affine[:3, np.array(order)]
    x, y, z = (grid.shape[i] for i in order)
    turned = FieldMap(
        *(v.permute(order).contiguous() for v in (field.field, field.error, field.mask)),
        field.field_strength,
        Grid.from_affine((x, y, z), affine),
    )
    wanted = row.method(field).susceptibility.value.permute(order)
    torch.testing.assert_close(row.method(turned).susceptibility.value, wanted, rtol=0, atol=2e-4 * CHI)


@pytest.mark.parametrize("method", [ThresholdedDivision(), TotalVariation(weight=30.0, rule=LONG)])
def test_field_and_error_scale_the_map_and_the_inverse_of_the_weight(
    method: ThresholdedDivision | TotalVariation,
) -> None:
    """Where it has converged, whatever path the splitting took."""
    grid = grid_of(24.0, ISOTROPIC)
    one = method(local_field(grid))
    if isinstance(method, TotalVariation) and method.weight is not None:
        method = replace(method, weight=method.weight / 3.0)
    other = method(local_field(grid, scale=3.0))
    assert other.weight == pytest.approx(one.weight / 3.0, rel=1e-5)
    torch.testing.assert_close(
        other.susceptibility.value / 3.0, one.susceptibility.value, rtol=0, atol=0.02 * CHI, check_dtype=False
    )
    assert other.misfit == pytest.approx(one.misfit, rel=0.02)


@pytest.mark.parametrize("row", METHODS)
def test_the_unit_of_the_field_is_hertz_at_its_field_strength(row: Row) -> None:
    grid = grid_of(24.0, ISOTROPIC)
    field = local_field(grid)
    at_seven = FieldMap(field.field * 7.0 / 3.0, field.error * 7.0 / 3.0, field.mask, 7.0, grid)
    wanted = row.method(field).susceptibility.value
    torch.testing.assert_close(row.method(at_seven).susceptibility.value, wanted, rtol=0, atol=1e-4 * CHI)


@pytest.mark.parametrize("row", METHODS)
def test_a_hole_in_the_field_is_an_error(row: Row) -> None:
    field = local_field(grid_of(24.0, ISOTROPIC))
    field.field[12, 12, 12] = math.nan
    with pytest.raises(InputError, match="GD-603"):
        row.method(field)


def test_thresholded_division_keeps_a_point_source() -> None:
    """The correction divides by what is left of a point; the far field beyond the volume is what is missing here."""
    grid = Grid((48, 48, 48), ISOTROPIC)
    chi = torch.zeros(grid.shape, dtype=torch.float64)
    chi[24, 24, 24] = 1.0
    whole = torch.ones(grid.shape, dtype=torch.bool)
    field = FieldMap(HERTZ * Dipole.on(grid).apply(chi), whole.double(), whole, 3.0, grid)
    found = ThresholdedDivision()(field).susceptibility.value
    assert float(found[24, 24, 24]) == pytest.approx(1.0, abs=0.005)


def test_thresholded_division_is_linear_and_differentiable() -> None:
    grid = grid_of(24.0, ISOTROPIC, 0.5)
    field = local_field(grid)
    leaf = field.field.double().requires_grad_()
    weights = torch.randn(grid.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    value = ThresholdedDivision()(FieldMap(leaf, field.error, field.mask, 3.0, grid)).susceptibility.value
    total = (weights * value).sum()
    total.backward()
    assert leaf.grad is not None
    assert float((leaf.grad * leaf.detach()).sum()) == pytest.approx(float(total.detach()), rel=1e-9)


def test_a_robust_data_term_shrugs_off_wrong_voxels() -> None:
    """One voxel in a hundred is off by 60 standard errors."""
    grid = grid_of(32.0, ISOTROPIC)
    field = local_field(grid)
    generator = torch.Generator().manual_seed(5)
    wrong = (torch.rand(grid.shape, generator=generator) < 0.01) & field.mask
    sign = torch.randn(grid.shape, generator=generator).sign()
    spoilt = replace(field, field=field.field + 60.0 * NOISE * HERTZ * sign * wrong)
    weight = TotalVariation(rule=IterationBound(1))(field).weight
    clean = off(TotalVariation(weight=weight, rule=QUICK)(field), grid)
    robust = off(TotalVariation(weight=weight, rule=QUICK)(spoilt), grid) - clean
    plain = off(TotalVariation(weight=weight, huber=1e6, rule=QUICK)(spoilt), grid) - clean
    assert plain > 5.0 * robust
    assert robust < 0.1


def test_known_bad_voxels_count_for_little() -> None:
    """The same wrong voxels, with errors that say so, are harmless even to a quadratic data term."""
    grid = grid_of(32.0, ISOTROPIC)
    field = local_field(grid)
    wrong = (torch.rand(grid.shape, generator=torch.Generator().manual_seed(5)) < 0.01) & field.mask
    spoilt = replace(
        field,
        field=field.field + 60.0 * NOISE * HERTZ * wrong,
        error=torch.where(wrong, 60.0 * field.error, field.error),
    )
    method = TotalVariation(weight=30.0, huber=1e6, rule=QUICK)
    assert off(method(spoilt), grid) < off(method(field), grid) + 0.02


def test_a_start_steps_the_weight_towards_the_level() -> None:
    field = local_field(grid_of(24.0, ISOTROPIC))
    method = TotalVariation(level=0.9, rule=QUICK)
    first = method(field)
    second = method(field, start=first)
    assert second.weight == pytest.approx(first.weight * (0.9 / first.misfit) ** 2, rel=1e-6)
    assert abs(second.misfit - 0.9) < abs(first.misfit - 0.9)
    given = TotalVariation(weight=20.0, level=0.9, rule=IterationBound(2))
    assert given(field, start=first).weight == 20.0


def test_a_warm_start_is_nearer_after_as_many_iterations() -> None:
    field = local_field(grid_of(24.0, ISOTROPIC))
    done = TotalVariation(weight=30.0, rule=LONG)(field)
    few = TotalVariation(weight=30.0, rule=IterationBound(8))
    cold, warm = (
        float((found.susceptibility.value - done.susceptibility.value).norm())
        for found in (few(field), few(field, start=done))
    )
    assert warm < 0.5 * cold


def test_a_start_without_a_weight_is_only_a_start() -> None:
    field = local_field(grid_of(24.0, ISOTROPIC))
    method = TotalVariation(rule=IterationBound(2))
    assert method(field, start=ThresholdedDivision()(field)).weight == method(field).weight


def test_the_first_weight_follows_the_noise() -> None:
    grid = grid_of(24.0, ISOTROPIC)
    assert TotalVariation(rule=IterationBound(1))(local_field(grid)).weight == pytest.approx(0.13 / NOISE, rel=1e-4)


@pytest.mark.parametrize("error", [0.0, math.nan])
def test_a_field_without_an_error_is_refused(error: float) -> None:
    field = local_field(grid_of(24.0, ISOTROPIC))
    with pytest.raises(InputError, match="GD-603"):
        TotalVariation()(replace(field, error=torch.full_like(field.error, error)))


def test_settings_out_of_range_are_refused() -> None:
    for wrong in (
        {"weight": 0.0},
        {"weight": math.inf},
        {"outside": 0.0},
        {"huber": 0.0},
        {"level": -1.0},
        {"level": math.nan},
    ):
        with pytest.raises(UsageError, match="GD-101"):
            TotalVariation(**wrong)
    for threshold in (0.0, 0.7, math.nan):
        with pytest.raises(UsageError, match="GD-101"):
            ThresholdedDivision(threshold=threshold)
