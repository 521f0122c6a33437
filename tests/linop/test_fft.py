import pytest
import torch

from gradatim.linop.fft import fast_shape, frequencies, half_shape, irfftn, rfftn

SHAPES = [(6, 5, 8), (4, 4, 7), (3, 2, 1), (6, 5), (4, 7), (8,), (7,)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_agree_with_torch(shape, dtype):
    x = torch.randn(2, *shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    spectrum = rfftn(x, ndim=len(shape))
    expected = torch.fft.rfftn(x, dim=tuple(range(-len(shape), 0)))
    assert spectrum.dtype is expected.dtype
    assert tuple(spectrum.shape) == (2, *half_shape(shape))
    torch.testing.assert_close(spectrum, expected)
    torch.testing.assert_close(irfftn(spectrum, shape), x)


def test_large_volumes_take_the_other_library_and_give_the_same(monkeypatch):
    x = torch.randn(2, 4, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    small = rfftn(x)
    monkeypatch.setattr("gradatim.linop.fft.LARGE", 120)
    torch.testing.assert_close(rfftn(x), small, rtol=1e-13, atol=1e-13)


def test_transforms_of_torch_func_pass_through():
    """Also where the tensor itself is not the variable: inside a transform nothing may leave for NumPy."""
    x, y = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def both(v):
        return irfftn(rfftn(x) * rfftn(v), (3, 4, 5)).square().sum()

    leaf = y.clone().requires_grad_()
    (expected,) = torch.autograd.grad(both(leaf), leaf)
    torch.testing.assert_close(torch.func.grad(both)(y), expected)
    torch.testing.assert_close(torch.func.vmap(rfftn)(torch.stack((x, y))), rfftn(torch.stack((x, y))))
    torch.testing.assert_close(torch.func.jvp(both, (y,), (x,))[1], (expected * x).sum())


def test_differentiable():
    x = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: irfftn(rfftn(v) * 2, (3, 4, 5)), (x,))


def test_strided_input_gives_the_same():
    x = torch.randn(5, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(rfftn(x.permute(2, 0, 1)), torch.fft.rfftn(x.permute(2, 0, 1)))


def test_fast_sizes_are_products_of_two_three_five_and_not_smaller():
    for n in range(1, 300):
        size = fast_shape((n, n, n))[0]
        assert size >= n
        for prime in (2, 3, 5):
            while size % prime == 0:
                size //= prime
        assert size == 1


def test_frequencies_are_cycles_per_mm():
    kx, ky, kz = frequencies((4, 5, 6), (0.5, 1.0, 2.0))
    assert kx.flatten().tolist() == [0.0, 0.5, -1.0, -0.5]
    torch.testing.assert_close(ky.flatten(), torch.tensor([0, 0.2, 0.4, -0.4, -0.2], dtype=torch.float64))
    torch.testing.assert_close(kz.flatten(), torch.tensor([0, 1, 2, 3], dtype=torch.float64) / 12)


def test_frequencies_of_a_plane_and_of_a_line():
    kx, ky = frequencies((4, 6), (0.5, 2.0))
    assert (tuple(kx.shape), tuple(ky.shape)) == ((4, 1), (1, 4))
    torch.testing.assert_close(ky.flatten(), torch.tensor([0, 1, 2, 3], dtype=torch.float64) / 12)
    assert frequencies((3,), (1.0,))[0].tolist() == pytest.approx([0.0, 1 / 3])
