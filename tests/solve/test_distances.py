"""Distances from data beyond the laws: closed forms, limits, outliers, and what is refused."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance
from gradatim.solve.norms import L1


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_single_numbers_match_a_grid_search():
    grid = torch.linspace(-6, 6, 240001, dtype=torch.float64)
    y, w, step = 0.7, 1.9, 0.6
    cases = [
        (L1(w), w * grid.abs()),
        (SquaredDistance(torch.tensor(y), w), 0.5 * w * (grid - y) ** 2),
        (L1Distance(torch.tensor(y), w), w * (grid - y).abs()),
        (
            HuberDistance(torch.tensor(y), w, threshold=0.5),
            torch.nn.functional.huber_loss(
                w**0.5 * grid, torch.full_like(grid, w**0.5 * y), delta=0.5, reduction="none"
            ),
        ),
    ]
    for f, values in cases:
        for v in (-4.0, 0.1, 0.9, 3.3):
            found = float(f.prox(torch.tensor(v, dtype=torch.float64), step))
            assert found == pytest.approx(float(grid[torch.argmin(values + (grid - v) ** 2 / (2 * step))]), abs=1e-4)


def test_huber_is_torchs_huber():
    y, u, w = _random(50, seed=1), 3 * _random(50, seed=2), _random(50, seed=3).abs()
    wanted = torch.nn.functional.huber_loss(w.sqrt() * u, w.sqrt() * y, delta=1.345, reduction="sum")
    torch.testing.assert_close(HuberDistance(y, w).value(u), wanted)


def test_huber_lies_between_its_limits():
    y, v = _random(50, seed=5), 3 * _random(50, seed=6)
    wide = HuberDistance(y, 2.0, threshold=1e6)
    torch.testing.assert_close(wide.prox(v, 0.7), SquaredDistance(y, 2.0).prox(v, 0.7))
    torch.testing.assert_close(wide.value(v), SquaredDistance(y, 2.0).value(v))
    narrow = HuberDistance(y, 2.0, threshold=1e-9)
    torch.testing.assert_close(narrow.prox(v, 0.7e9), L1Distance(y, 2.0**0.5).prox(v, 0.7))
    torch.testing.assert_close(narrow.value(v) * 1e9, L1Distance(y, 2.0**0.5).value(v))


def test_huber_has_its_curvature_also_where_the_datum_is_met():
    y, w = _random(4, seed=7), _random(4, seed=8).abs()
    curvature = torch.func.hessian(HuberDistance(y, w).value)(y)
    torch.testing.assert_close(curvature, torch.diag(w))


def test_no_weight_means_no_pull_no_dual_and_no_undefined_slope():
    y, v = torch.full((4,), 9.0), torch.arange(4.0)
    for make in (SquaredDistance, HuberDistance, L1Distance):
        weights = torch.zeros(4, requires_grad=True)
        f = make(y, weights)
        torch.testing.assert_close(f.prox(v, 3.0).detach(), v)
        assert f.dual_point(v).abs().max() == 0
        assert f.conjugate(f.dual_point(v)) == 0
        assert f.conjugate(v) == torch.inf
        (slope,) = torch.autograd.grad(f.value(v) + f.prox(v, 3.0).sum(), weights)
        assert bool(slope.isfinite().all())


def test_an_outlier_is_a_number_in_one_and_a_disaster_in_another():
    """Five data 1 and one datum 100: the mean is 17.5, the median 1, Huber's minimum a little above 1."""
    y = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 100.0], dtype=torch.float64)
    grid = torch.linspace(0, 20, 20001, dtype=torch.float64)
    best = {
        make: float(grid[torch.stack([make(y).value(c) for c in grid]).argmin()])
        for make in (SquaredDistance, HuberDistance, L1Distance)
    }
    assert best[SquaredDistance] == pytest.approx(17.5)
    assert best[L1Distance] == pytest.approx(1.0)
    assert best[HuberDistance] == pytest.approx(1.0 + 1.345 / 5, abs=1e-3)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), torch.tensor([1.0, -0.1])])
@pytest.mark.parametrize("make", [SquaredDistance, HuberDistance, L1Distance])
def test_weights_that_are_not_weights_are_refused(make, weight):
    with pytest.raises(UsageError, match="GD-101"):
        make(torch.zeros(2), weight)


def test_a_threshold_that_is_none_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        HuberDistance(torch.zeros(2), threshold=0.0)
