"""Priors on variation: what each leaves free, units, and total generalised variation solved on its stack."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient
from gradatim.linop.identity import Identity
from gradatim.linop.slope import ValuePart
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallResidual
from gradatim.solve.variation import (
    generalised_variation,
    morphology_weighted,
    smoothed_total_variation,
    sobolev,
    total_variation,
)

GRIDS = {"2-D": ((9, 7), (1.0, 0.4)), "3-D": ((5, 6, 4), (1.0, 1.0, 2.5)), "one slice": ((6, 5, 1), (1.0, 1.0, 3.0))}
RULE = IterationBound(1000) | SmallResidual(1e-6)


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _places(shape, spacing):
    return torch.meshgrid(
        *(h * torch.arange(n, dtype=torch.float64) for n, h in zip(shape, spacing, strict=True)), indexing="ij"
    )


def _ramp(shape, spacing):
    return 3.0 + sum(slope * r for slope, r in zip((0.3, -0.7, 0.2), _places(shape, spacing), strict=False))


def _stack(x, shape, spacing):
    """(x, ℓ∇x): the slope that fits."""
    edge = math.prod(spacing) ** (1 / len(spacing))
    return torch.cat([x[None], edge * Gradient(shape, spacing).apply(x)])


@pytest.mark.parametrize("grid", GRIDS)
def test_ramps_are_free_up_to_the_border_for_the_generalised_variation_alone(grid):
    shape, spacing = GRIDS[grid]
    x = _ramp(shape, spacing)
    generalised = generalised_variation(shape, spacing, weight=1.0)
    assert sum(float(term.value(_stack(x, shape, spacing))) for term in generalised) < 1e-12 * x.numel()
    assert float(total_variation(shape, spacing, weight=1.0).value(x)) > 0.3 * x.numel() / 2
    bent = x + _places(shape, spacing)[0].square()
    assert sum(float(term.value(_stack(bent, shape, spacing))) for term in generalised) > 1.0


def test_without_a_slope_it_is_total_variation():
    shape, spacing = GRIDS["2-D"]
    x = _random(*shape)
    flat = ValuePart(shape).adjoint(x)
    first, second = generalised_variation(shape, spacing, weight=0.3)
    torch.testing.assert_close(first.value(flat), total_variation(shape, spacing, weight=0.3).value(x))
    assert second.value(flat) == 0


def test_a_bend_costs_its_length_times_the_change_of_slope():
    """α₀ Σ ‖E w‖ of one bend by 1 per mm across a line: λ·length·(1 / h) a voxel."""
    shape, spacing = (12, 1), (0.5, 1.0)
    x = (_places(shape, spacing)[0] - 3.0).clamp_min(0.0)
    _, second = generalised_variation(shape, spacing, weight=0.2, length_mm=3.0)
    assert float(second.value(_stack(x, shape, spacing))) == pytest.approx(0.2 * 3.0 * 1.0 / 0.5)


def _denoised(y, shape, terms, start, rule=RULE):
    operator = Identity(shape) if start.shape == y.shape else ValuePart(shape)
    found = Pdhg(rule)(Problem((Term(SquaredDistance(y), operator), *terms)), start=start)
    return operator.apply(found.value)


def test_a_ramp_passes_the_generalised_filter_unchanged_but_not_total_variation():
    shape, spacing = (8, 6), (1.0, 1.0)
    x = _ramp(shape, spacing)
    kept = _denoised(x, shape, generalised_variation(shape, spacing, weight=0.5), ValuePart(shape).adjoint(x))
    torch.testing.assert_close(kept, x, rtol=0, atol=1e-4)
    flattened = _denoised(x, shape, (total_variation(shape, spacing, weight=0.5),), x)
    assert float((flattened - x).abs().max()) > 0.1


def test_a_ramp_with_a_step_is_restored_better_than_by_total_variation():
    shape, spacing = (20, 16), (1.0, 1.0)
    x = 0.2 * _ramp(shape, spacing) + (_places(shape, spacing)[1] > 7)
    y = x + 0.1 * _random(*shape, seed=1)
    plain = [
        float((_denoised(y, shape, (total_variation(shape, spacing, weight=weight),), y) - x).norm())
        for weight in (0.025, 0.05, 0.1, 0.2)
    ]
    terms = generalised_variation(shape, spacing, weight=0.1)
    general = float((_denoised(y, shape, terms, ValuePart(shape).adjoint(y)) - x).norm())
    assert min(plain) not in (plain[0], plain[-1])  # its best weight is among these
    assert general < 0.75 * min(plain)


def test_lengths_in_another_unit_change_nothing_but_the_weight():
    shape = (10, 8)
    y = _random(*shape, seed=2)
    one = generalised_variation(shape, (1.0, 2.0), weight=0.4)
    other = generalised_variation(shape, (1e-3, 2e-3), weight=0.4e-3)
    start = ValuePart(shape).adjoint(y)
    torch.testing.assert_close(
        sum(t.value(start + 0.1) for t in one), sum(t.value(start + 0.1) for t in other), rtol=1e-12, atol=0
    )
    few = IterationBound(100)
    torch.testing.assert_close(
        _denoised(y, shape, one, start, few), _denoised(y, shape, other, start, few), rtol=0, atol=1e-9
    )


def test_smoothed_variation_spares_gentle_slopes_and_tends_to_the_sharp_one():
    shape, spacing = GRIDS["2-D"]
    x = _random(*shape, seed=3)
    sharp = total_variation(shape, spacing, weight=0.7).value(x)
    near = smoothed_total_variation(shape, spacing, weight=0.7, slope=1e-6).value(x)
    torch.testing.assert_close(near, sharp, rtol=1e-5, atol=0)
    wide = smoothed_total_variation(shape, spacing, weight=0.7, slope=1e3).value(x)
    torch.testing.assert_close(wide * 1e3, sobolev(shape, spacing, weight=0.7).value(x))


def test_sobolev_denoising_solves_its_linear_equation():
    shape, spacing = (5, 4), (1.0, 0.5)
    y = _random(*shape, seed=4)
    problem = Problem((Term(SquaredDistance(y), Identity(shape)), sobolev(shape, spacing, weight=0.3)))
    gradient = Gradient(shape, spacing)
    columns = gradient.apply(torch.eye(20, dtype=torch.float64).view(20, *shape)).reshape(20, -1)
    x = torch.linalg.solve(torch.eye(20, dtype=torch.float64) + 0.3 * columns @ columns.T, y.flatten()).view(shape)
    assert float(problem.gradient(x).abs().max()) < 1e-12
    assert problem.smoothness >= 1.0 + 0.3 * gradient.norm() ** 2


def test_edges_of_the_anatomy_are_free():
    """A map with edges only where the magnitude has them costs nothing; edges elsewhere cost as in |∇x|."""
    magnitude = torch.zeros(10, 8)
    magnitude[3:7, 2:6] = 5.0
    inside = torch.ones(10, 8, dtype=torch.bool)
    prior = morphology_weighted(magnitude, (1.0, 1.0), mask=inside, weight=2.0, edge_share=0.1)
    assert prior.value(magnitude) == 0
    step = torch.zeros(10, 8)
    step[8:] = 1.0
    assert prior.value(step) == 2.0 * 8
    everywhere = morphology_weighted(magnitude, (1.0, 1.0), mask=inside, weight=2.0, edge_share=0.0)
    assert everywhere.value(magnitude) == 2.0 * 5.0 * 16


def test_the_share_of_edges_is_counted_in_the_mask():
    magnitude = _random(20, 20, 20, seed=5)
    inside = torch.zeros(20, 20, 20, dtype=torch.bool)
    inside[5:15, 5:15, 5:15] = True
    prior = morphology_weighted(magnitude, (1.0, 1.0, 1.0), mask=inside, weight=1.0)
    free = prior.function.weight == 0
    assert float(free[:, inside].double().mean()) == pytest.approx(0.3, abs=1e-3)


def test_what_makes_no_prior_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        generalised_variation((4, 4), (1.0, 1.0), weight=1.0, length_mm=0.0)
    inside = torch.ones(4, 4, dtype=torch.bool)
    for share in (-0.1, 1.0, math.nan):
        with pytest.raises(UsageError, match="GD-101"):
            morphology_weighted(torch.ones(4, 4), (1.0, 1.0), mask=inside, weight=1.0, edge_share=share)
    with pytest.raises(UsageError, match="GD-103"):
        morphology_weighted(torch.ones(4, 5), (1.0, 1.0), mask=inside, weight=1.0)
