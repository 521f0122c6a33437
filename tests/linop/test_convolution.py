import itertools

import pytest
import torch
from scipy import ndimage

from gradatim.base.errors import UsageError
from gradatim.linop.convolution import Convolution, convolution_of_a_window, convolution_with_zeros


def _random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


CASES = [((7,), (3,)), ((8,), (4,)), ((6, 5), (3, 2)), ((5, 6), (5, 6)), ((4, 5, 6), (3, 2, 1)), ((4, 4, 3), (2, 3, 3))]


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_equals_the_sum_of_its_definition(shape, size):
    x, k = _random(*shape), _random(*size, seed=1)
    wanted = torch.zeros_like(x)
    for j in itertools.product(*(range(n) for n in size)):
        shift = tuple(a - n // 2 for a, n in zip(j, size, strict=True))
        wanted += k[j] * torch.roll(x, shift, tuple(range(len(shape))))
    torch.testing.assert_close(Convolution(k, shape).apply(x), wanted, rtol=0, atol=1e-13)
    by_scipy = ndimage.convolve(x.numpy(), k.numpy(), mode="wrap")
    torch.testing.assert_close(wanted, torch.from_numpy(by_scipy), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_zeros_beyond_the_edge_equal_scipys_constant_border(shape, size):
    x, k = _random(*shape), _random(*size, seed=1)
    wanted = torch.from_numpy(ndimage.convolve(x.numpy(), k.numpy(), mode="constant"))
    torch.testing.assert_close(convolution_with_zeros(k, shape).apply(x), wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_a_window_sees_beyond_its_edge_and_nothing_wraps(shape, size):
    k = _random(*size, seed=1)
    A = convolution_of_a_window(k, shape)
    x = _random(*A.domain_shape)
    pad = A.outer.pad
    whole = torch.from_numpy(ndimage.convolve(x.numpy(), k.numpy(), mode="constant", cval=float("nan")))
    window = tuple(slice(o, o + n) for o, n in zip(pad.offset, shape, strict=True))
    torch.testing.assert_close(A.apply(x), whole[window], rtol=0, atol=1e-13)
    needed = tuple(n + m - 1 for n, m in zip(shape, size, strict=True))
    beyond = x.clone()
    beyond[tuple(slice(0, n) for n in needed)] = 0
    assert float(A.apply(beyond).abs().max()) < 1e-13


def test_a_symmetric_bead_stays_in_place_under_forward_and_adjoint():
    axis = torch.arange(-3.0, 4.0, dtype=torch.float64)
    bell = torch.exp(-0.5 * (axis / 1.3) ** 2)
    bead = torch.zeros(16, 15, dtype=torch.float64)
    bead[7, 8] = 1.0
    A = Convolution(bell[:, None] * bell, (16, 15))
    for image in (A.apply(bead), A.adjoint(bead), A.adjoint(A.apply(bead))):
        assert divmod(int(image.argmax()), 15) == (7, 8)
        rows = (image.sum(1) * torch.arange(16, dtype=torch.float64)).sum() / image.sum()
        columns = (image.sum(0) * torch.arange(15, dtype=torch.float64)).sum() / image.sum()
        assert float((rows - 7).abs() + (columns - 8).abs()) < 1e-12


def test_norm_bound_is_the_norm():
    k = _random(3, 4)
    A = Convolution(k, (8, 9))
    matrix = A.apply(torch.eye(72, dtype=torch.float64).view(72, 8, 9)).flatten(1)
    assert A.norm_bound() == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=1e-12)
    mean = Convolution(torch.full((3, 3), 1 / 9, dtype=torch.float64), (8, 9))
    assert mean.norm_bound() == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("build", [Convolution, convolution_of_a_window, convolution_with_zeros])
def test_gradients_flow_to_the_kernel_in_both_directions(build):
    k = _random(2, 3, seed=1).requires_grad_()
    x, y = _random(*build(k, (4, 5)).domain_shape), _random(*build(k, (4, 5)).codomain_shape)
    assert torch.autograd.gradcheck(lambda w: build(w, (4, 5)).apply(x), (k,))
    assert torch.autograd.gradcheck(lambda w: build(w, (4, 5)).adjoint(y), (k,))


def test_a_kernel_that_is_trained_in_place_is_not_remembered():
    k = torch.ones(3, requires_grad=True)
    A = Convolution(k, (6,))
    with torch.no_grad():
        before = A.apply(torch.ones(6))
        k.mul_(2.0)
        torch.testing.assert_close(A.apply(torch.ones(6)), 2.0 * before)


def test_single_precision_stays_single():
    A = Convolution(_random(3, 3), (8, 8))
    assert A.apply(_random(8, 8, dtype=torch.float32)).dtype is torch.float32
    x = torch.complex(_random(8, 8), _random(8, 8, seed=2))
    torch.testing.assert_close(A.apply(x), torch.complex(A.apply(x.real), A.apply(x.imag)))


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_kernels_that_do_not_fit_are_refused():
    assert _refusal(lambda: Convolution(torch.ones(3), (4, 4))) == "GD-103"
    assert _refusal(lambda: Convolution(torch.ones(5, 3), (4, 4))) == "GD-103"
    assert _refusal(lambda: Convolution(torch.ones(2, 2, dtype=torch.complex64), (4, 4))) == "GD-101"
    assert _refusal(lambda: convolution_of_a_window(torch.ones(3), (4, 4))) == "GD-103"
