import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.fourier import CentredFourier
from gradatim.linop.nonuniform import NonUniformFourier


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


def _points(count, shape, seed=5):
    unit = torch.rand(count, len(shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5
    return unit * torch.tensor(shape)


def matrix(shape, points):
    """exp(−2πi Σ k·(r − o)/n)/√N, element by element."""
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) / n for n in shape]
    voxels = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
    return torch.exp(-2j * math.pi * (points @ voxels.T).to(torch.complex128)) / math.sqrt(len(voxels))


@pytest.mark.parametrize(("width", "error"), [(4, 1.5e-3), (6, 1.5e-5), (8, 1.5e-7), (12, 2e-11)])
@pytest.mark.parametrize("shape", [(16,), (9, 12), (5, 6, 7)])
def test_equals_the_explicit_sum_as_exactly_as_its_width_says(shape, width, error):
    if width ** len(shape) > 600:
        shape = shape[:2]
    points, x = _points(40, shape), _random(*shape)
    A, exact = NonUniformFourier(shape, points, width=width), matrix(shape, points)
    wanted = exact @ x.flatten()
    assert float((A.apply(x) - wanted).norm() / wanted.norm()) < error
    y = _random(40, seed=1)
    back = (exact.mH @ y).reshape(shape)
    assert float((A.adjoint(y) - back).norm() / back.norm()) < error


@pytest.mark.parametrize("shape", [(8, 7), (4, 5, 3)])
def test_whole_numbers_are_the_centred_transform(shape):
    axes = [torch.arange(n) - n // 2 for n in shape]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape)).double()
    x = _random(*shape)
    found = NonUniformFourier(shape, points, width=6).apply(x).reshape(shape)
    wanted = CentredFourier(shape).apply(x)
    assert float((found - wanted).norm() / wanted.norm()) < 1.5e-5


def test_points_repeat_with_the_size_of_the_image_and_coils_stack():
    shape, x = (6, 8), _random(6, 8)
    points, coils = _points(20, shape), _random(3, 6, 8, seed=2)
    A, far = NonUniformFourier(shape, points), NonUniformFourier(shape, points + torch.tensor([12.0, -8.0]))
    torch.testing.assert_close(far.apply(x), A.apply(x), rtol=0, atol=1e-12)
    stacked = NonUniformFourier(shape, points, coils).apply(x)
    torch.testing.assert_close(stacked, torch.stack([A.apply(coil * x) for coil in coils]), rtol=0, atol=1e-12)


def test_gradients_flow_to_the_trajectory_and_the_coils():
    shape, x = (5, 6), _random(5, 6)
    points, coils = _points(4, shape).requires_grad_(), _random(2, 5, 6, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda k, s: NonUniformFourier(shape, k, s).apply(x), (points, coils), fast_mode=True
    )
    k = points.detach().clone().requires_grad_()
    target = _random(4, seed=7)
    (NonUniformFourier(shape, k, width=8).apply(x) * target).real.sum().backward()
    exact = points.detach().clone().requires_grad_()
    ((matrix(shape, exact) @ x.flatten()) * target).real.sum().backward()
    assert float((k.grad - exact.grad).norm() / exact.grad.norm()) < 1e-5


def test_single_precision_stays_single():
    A = NonUniformFourier((6, 6), _points(5, (6, 6)).float())
    assert A.apply(torch.ones(6, 6)).dtype is torch.complex64


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_what_does_not_fit_is_refused():
    assert _refusal(lambda: NonUniformFourier((4, 4), torch.zeros(3, 3))) == "GD-103"
    assert _refusal(lambda: NonUniformFourier((4, 4), torch.zeros(3, 2), torch.ones(2, 4, 3))) == "GD-103"
    assert _refusal(lambda: NonUniformFourier((4, 4), torch.zeros(3, 2), width=1)) == "GD-101"
