"""Phase up to whole turns: the prox is the global minimiser, to rounding, and its derivatives are right."""

import math

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.solve.phase import NonlinearPhase

GRID = torch.linspace(-12.0, 12.0, 480001, dtype=torch.float64)


@pytest.mark.parametrize("step", [0.05, 0.9, 1.1, 7.0, 300.0])
def test_prox_is_the_global_minimiser(step):
    """Against a search over four turns, also where the equation has many roots."""
    y = torch.tensor(0.4, dtype=torch.float64)
    f = NonlinearPhase(y, 1.0)
    for v in (-6.1, -3.0, -0.3, 0.4, 1.9, 3.4, 3.6, 5.0, 6.6):
        at = torch.tensor(v, dtype=torch.float64)
        costs = (1 - torch.cos(GRID - y)) + (GRID - at).square() / (2 * step)
        found = f.prox(at, step)
        cost = float(f.value(found)) + float((found - at).square()) / (2 * step)
        assert cost <= float(costs.min()) + 1e-14
        assert float(found) == pytest.approx(float(GRID[costs.argmin()]), abs=6e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("pull", [1e-6, 0.3, 0.999, 1.0, 1.001, 2.0, 50.0, 1e6])
def test_prox_solves_its_equation_to_rounding(pull, dtype):
    """W·step·sin(u − y) + u − v = 0 and a curvature that is not negative, up to half a turn away."""
    v = torch.linspace(-math.pi, math.pi, 2001, dtype=dtype)
    u = NonlinearPhase(torch.zeros(2001, dtype=dtype), pull).prox(v, 1.0)
    eps = torch.finfo(dtype).eps
    rest = pull * torch.sin(u.double()) + u.double() - v.double()
    assert float((rest.abs() / (1.0 + pull * u.double().cos().abs())).max()) < 4 * eps * math.pi
    assert float((1.0 + pull * torch.cos(u.double())).min()) > -2e-3 * (pull > 0.99)
    assert (u.abs() <= v.abs()).all()


def test_whole_turns_make_no_difference():
    y, v = torch.tensor(0.7, dtype=torch.float64), torch.linspace(-3, 4, 50, dtype=torch.float64)
    f, g = NonlinearPhase(y, 2.0), NonlinearPhase(y + 6 * math.pi, 2.0)
    torch.testing.assert_close(f.value(v), g.value(v))
    torch.testing.assert_close(f.gradient(v), g.gradient(v))
    torch.testing.assert_close(f.prox(v, 0.8), g.prox(v, 0.8), rtol=1e-13, atol=1e-13)
    turned = v + 2 * math.pi
    torch.testing.assert_close(f.prox(turned, 0.8), f.prox(v, 0.8) + 2 * math.pi, rtol=1e-13, atol=1e-13)


def test_it_is_the_distance_of_complex_numbers():
    y, u = torch.randn(2, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 4
    w = torch.rand(40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    apart = torch.polar(torch.ones_like(u), u) - torch.polar(torch.ones_like(y), y)
    torch.testing.assert_close(NonlinearPhase(y, w).value(u), 0.5 * (w * apart.abs().square()).sum())


def test_near_the_data_it_is_least_squares_and_keeps_its_digits():
    tiny = torch.full((1,), 1e-5)
    assert float(NonlinearPhase(torch.zeros(1), 2.0).value(tiny)) == pytest.approx(1e-10, rel=1e-6)


def test_second_derivatives_of_the_prox():
    y = torch.tensor([0.2, -1.0], dtype=torch.float64, requires_grad=True)
    v = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    step = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda y, v, s: NonlinearPhase(y, 0.9).prox(v, s), (y, v, step))


def test_it_says_that_it_is_not_convex():
    f = NonlinearPhase(torch.zeros(2), torch.tensor([1.0, 3.0]))
    assert not f.convex
    assert f.conjugate(torch.zeros(2)) is None
    assert f.smoothness == 3.0
    assert f.strong_convexity == 0.0


def test_complex_numbers_are_refused():
    with pytest.raises(InputError, match="GD-650"):
        NonlinearPhase(torch.zeros(2)).value(torch.zeros(2, dtype=torch.complex64))
