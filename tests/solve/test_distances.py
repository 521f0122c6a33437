"""Each proximal map against its definition: no nearby point is better, and it matches a fine grid search."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance
from gradatim.solve.function import Function
from gradatim.solve.norms import L1, GroupL1


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


SHAPE = (3, 4, 2, 5)
WEIGHTS = _random(*SHAPE, seed=1).abs() * (_random(*SHAPE, seed=2) > -0.5)
FUNCTIONS: dict[str, Function] = {
    "l1": L1(0.7),
    "l1, weights": L1(WEIGHTS),
    "group": GroupL1(0.7),
    "group, weights": GroupL1(WEIGHTS[0]),
    "squared": SquaredDistance(_random(*SHAPE, seed=3), WEIGHTS),
    "huber": HuberDistance(_random(*SHAPE, seed=3), WEIGHTS, threshold=0.4),
    "huber, one weight": HuberDistance(_random(*SHAPE, seed=3), 2.0, threshold=0.4),
    "l1 distance": L1Distance(_random(*SHAPE, seed=3), WEIGHTS),
}


@pytest.mark.parametrize("step", [0.3, 5.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_prox_minimises(name, step):
    f, v = FUNCTIONS[name], _random(*SHAPE, seed=4)
    u = f.prox(v, step)

    def moreau(w):
        return float(f.value(w) + (w - v).square().sum() / (2 * step))

    best = moreau(u)
    for seed in range(200):
        for size in (1e-1, 1e-3):
            assert moreau(u + size * _random(*SHAPE, seed=10 + seed)) >= best


@pytest.mark.parametrize("name", FUNCTIONS)
def test_prox_is_firmly_nonexpansive(name):
    """‖p(a) − p(b)‖² ≤ ⟨p(a) − p(b), a − b⟩: the property every proof of convergence uses."""
    f = FUNCTIONS[name]
    for seed in range(20):
        a, b = 2 * _random(*SHAPE, seed=seed), 2 * _random(*SHAPE, seed=100 + seed)
        moved = f.prox(a, 0.8) - f.prox(b, 0.8)
        assert float(moved.square().sum()) <= float((moved * (a - b)).sum()) + 1e-12


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


def test_huber_lies_between_its_limits():
    y, v = _random(50, seed=5), 3 * _random(50, seed=6)
    wide = HuberDistance(y, 2.0, threshold=1e6)
    torch.testing.assert_close(wide.prox(v, 0.7), SquaredDistance(y, 2.0).prox(v, 0.7))
    narrow = HuberDistance(y, 2.0, threshold=1e-9)
    torch.testing.assert_close(narrow.prox(v, 0.7e9), L1Distance(y, 2.0**0.5).prox(v, 0.7))
    torch.testing.assert_close(narrow.value(v) * 1e9, L1Distance(y, 2.0**0.5).value(v))


def test_no_weight_means_no_pull():
    y, v = torch.full((4,), 9.0), torch.arange(4.0)
    for f in (SquaredDistance(y, torch.zeros(4)), HuberDistance(y, torch.zeros(4)), L1Distance(y, torch.zeros(4))):
        torch.testing.assert_close(f.prox(v, 3.0), v)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), torch.tensor([1.0, -0.1])])
def test_weights_that_are_not_weights_are_refused(weight):
    for make in (L1, GroupL1, lambda w: SquaredDistance(torch.zeros(2), w), lambda w: HuberDistance(torch.zeros(2), w)):
        with pytest.raises(UsageError, match="GD-101"):
            make(weight)
