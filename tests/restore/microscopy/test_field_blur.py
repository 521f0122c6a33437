"""The blur against scipy's direct sums, and the laws of linear operators with PSFs that have no symmetry."""

import numpy as np
import pytest
import scipy.signal
import torch

from gradatim.base.errors import UsageError
from gradatim.restore.microscopy.field_blur import FieldBlur

SIZES = [((5, 4), (6, 7)), ((3, 5, 4), (7, 6, 5)), ((4, 1, 3), (5, 8, 6)), ((1, 2, 3), (4, 3, 5))]


def psf_of(shape: tuple[int, ...]) -> torch.Tensor:
    values = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return values / values.sum()


@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_an_open_field_is_the_valid_part_of_a_linear_convolution(
    kernel: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    blur = FieldBlur.open(psf_of(kernel), shape)
    x = torch.randn(blur.domain_shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    seen = x[tuple(slice(n + k - 1) for n, k in zip(shape, kernel, strict=True))]
    direct = scipy.signal.convolve(seen.numpy(), blur.psf.numpy(), mode="valid", method="direct")
    np.testing.assert_allclose(blur.apply(x).numpy(), direct, atol=1e-14)


@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_a_point_of_the_field_is_imaged_where_it_is(kernel: tuple[int, ...], shape: tuple[int, ...]) -> None:
    blur = FieldBlur.open(psf_of(kernel), shape)
    x = torch.zeros(blur.domain_shape, dtype=torch.float64)
    middle = tuple(n // 2 for n in shape)
    x[blur.window][middle] = 1.0
    direct = np.zeros(shape)
    direct[middle] = 1.0
    expected = np.zeros(shape)
    for k, p in np.ndenumerate(blur.psf.numpy()):
        place = tuple(m + i - n // 2 for m, i, n in zip(middle, k, kernel, strict=True))
        if all(0 <= i < n for i, n in zip(place, shape, strict=True)):
            expected[place] = p
    np.testing.assert_allclose(blur.apply(x).numpy(), expected, atol=1e-15)


@pytest.mark.parametrize("make", [FieldBlur.open, FieldBlur.periodic])
@pytest.mark.parametrize(("kernel", "shape"), SIZES)
def test_laws(laws, make, kernel: tuple[int, ...], shape: tuple[int, ...]) -> None:
    blur = make(psf_of(kernel), shape)
    laws.linearity(blur)
    laws.adjointness(blur)
    laws.norm_is_a_bound(blur)
    laws.first_gradient(blur)
    laws.batch_is_a_loop(blur)
    assert blur.norm() <= blur.norm_bound() * (1 + 1e-12)


def test_gradients(laws) -> None:
    laws.gradcheck(FieldBlur.open(psf_of((3, 2, 3)), (3, 4, 3)))


def test_a_psf_larger_than_a_periodic_object_folds_upon_itself() -> None:
    psf, x = psf_of((7, 5)), torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    folded = torch.zeros(4, 3, dtype=torch.float64)
    for i in range(7):
        for j in range(5):
            folded[(i - 3) % 4, (j - 2) % 3] += psf[i, j]
    expected = torch.fft.ifft2(torch.fft.fft2(folded) * torch.fft.fft2(x)).real
    torch.testing.assert_close(FieldBlur.periodic(psf, (4, 3)).apply(x), expected, rtol=0, atol=1e-15)


def test_the_gradient_with_respect_to_the_psf() -> None:
    x = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert torch.autograd.gradcheck(
        lambda psf: FieldBlur(psf, (4, 4), (6, 6), (1, 1)).apply(x), psf_of((3, 3)).requires_grad_()
    )


def test_axes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        FieldBlur.open(psf_of((3, 3)), (4, 4, 4))
    assert caught.value.code == "GD-103"
