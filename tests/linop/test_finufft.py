"""The transform through finufft: every operator's laws, the explicit sum, and our own gridding."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.finufft import FinufftFourier
from gradatim.linop.nonuniform import NonUniformFourier

pytest.importorskip("finufft")


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


def _points(count, shape, seed=5):
    unit = torch.rand(count, len(shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5
    return 2.5 * unit * torch.tensor(shape)


def _matrix(shape, points):
    """exp(−2πi Σ k·(r − o)/n)/√N, element by element."""
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) / n for n in shape]
    voxels = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
    return torch.exp(-2j * math.pi * (points @ voxels.T).to(torch.complex128)) / math.sqrt(len(voxels))


LAWS = [
    *("linearity", "adjointness", "complex_is_two_reals", "batch_is_a_loop", "norm_is_a_bound"),
    *("bound_is_above_the_norm", "first_gradient", "double_backward", "forward_derivative", "func_transforms"),
    "gradcheck",
]


@pytest.mark.parametrize("law", LAWS)
def test_every_law_of_an_operator_holds(laws, law):
    shape = (4, 3)
    assert set(LAWS) == set(laws.EVERY_OPERATOR)
    for coils in (None, _random(2, *shape, seed=2)):
        getattr(laws, law)(FinufftFourier(shape, _points(7, shape), coils, 1e-14))


@pytest.mark.parametrize("error", [1e-4, 1e-9, 1e-12])
@pytest.mark.parametrize("shape", [(16,), (9, 12), (5, 6, 7)])
def test_equals_the_explicit_sum(shape, error):
    points, x, y = _points(40, shape), _random(*shape), _random(40, seed=1)
    A, exact = FinufftFourier(shape, points, error=error), _matrix(shape, points)
    wanted, back = exact @ x.flatten(), (exact.mH @ y).reshape(shape)
    assert float((A.apply(x) - wanted).norm() / wanted.norm()) < 10 * error
    assert float((A.adjoint(y) - back).norm() / back.norm()) < 10 * error


@pytest.mark.parametrize("shape", [(11,), (8, 10)])
def test_is_the_map_of_our_own_gridding(shape):
    points, coils, x = _points(30, shape), _random(3, *shape, seed=2), _random(2, *shape)
    ours, theirs = NonUniformFourier(shape, points, coils, width=12), FinufftFourier(shape, points, coils)
    assert float((ours.apply(x) - theirs.apply(x)).norm() / ours.apply(x).norm()) < 1e-8
    y = theirs.apply(x)
    assert float((ours.adjoint(y) - theirs.adjoint(y)).norm() / ours.adjoint(y).norm()) < 1e-8


def test_single_precision_stays_single_and_close():
    points, x = _points(20, (8, 8)), _random(8, 8)
    A = FinufftFourier((8, 8), points)
    found = A.apply(x.to(torch.complex64))
    assert found.dtype is torch.complex64
    assert float((found - A.apply(x)).norm() / found.norm()) < 1e-5


def _code(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_what_does_not_fit_is_refused():
    assert _code(lambda: FinufftFourier((4, 4), torch.zeros(3, 3))) == "GD-103"
    assert _code(lambda: FinufftFourier((2, 2, 2, 2), torch.zeros(3, 4))) == "GD-103"
    assert _code(lambda: FinufftFourier((4, 4), torch.zeros(3, 2), torch.ones(2, 4, 3))) == "GD-103"
    assert _code(lambda: FinufftFourier((4, 4), torch.full((3, 2), math.nan))) == "GD-103"
    assert _code(lambda: FinufftFourier((4,), torch.zeros(3, 1), error=0.0)) == "GD-101"
    assert _code(lambda: FinufftFourier((4,), torch.zeros(3, 1), error=math.nan)) == "GD-101"
    assert _code(lambda: FinufftFourier((4,), torch.zeros(3, 1).requires_grad_())) == "GD-101"
