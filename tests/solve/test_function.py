"""What a function that knows little still promises."""

import math

import torch
from torch import Tensor

from gradatim.solve.function import Function


class LogCosh(Function):
    """Σ log cosh u, by its value and a prox by Newton's method, and nothing else."""

    def value(self, u: Tensor) -> Tensor:
        return torch.log(torch.cosh(u)).sum(dtype=torch.float64)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        u = v
        for _ in range(100):
            u = u - (u - v + step * torch.tanh(u)) / (1 + step * (1 - torch.tanh(u).square()))
        return u


def _random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_defaults_claim_nothing():
    f, p = LogCosh(), _random(4)
    assert f.conjugate(p) is None
    assert f.dual_point(p) is p
    assert f.smoothness == math.inf
    assert f.strong_convexity == 0.0
    assert f.convex


def test_the_gradient_comes_from_the_value_in_the_precision_of_the_point():
    u = _random(5, dtype=torch.float32)
    found = LogCosh().gradient(u)
    assert found.dtype is torch.float32
    assert not found.requires_grad
    torch.testing.assert_close(found, torch.tanh(u))


def test_the_gradient_can_be_derived_again():
    u = _random(5).requires_grad_()
    assert torch.autograd.gradcheck(LogCosh().gradient, (u,))
    assert torch.autograd.gradgradcheck(lambda v: LogCosh().value(3.0 * v), (u,))


def test_the_dual_prox_follows_from_the_prox():
    """For 0 < p < 1, (log cosh)*′(p) = artanh p, so q = dual_prox(v, s) solves q + s·artanh q = v."""
    v, step = _random(6, seed=1), 0.7
    q = LogCosh().dual_prox(v, step)
    torch.testing.assert_close(q + step * torch.atanh(q), v)
