import cmath
import itertools
import math

import pytest
import torch

from gradatim.linop.fourier import CentredFourier, Fourier


def _random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.complex128)


def matrix(transform):
    """exp(−2πi Σ (k − o)ᵢ(r − o)ᵢ/nᵢ)/√N, element by element."""
    shape, origin = transform.shape, transform.origin
    places = [*itertools.product(*(range(n) for n in shape))]

    def element(k, r):
        turns = sum((a - o) * (b - o) / n for a, b, o, n in zip(k, r, origin, shape, strict=True))
        return cmath.exp(-2j * math.pi * turns) / math.sqrt(len(places))

    return torch.tensor([[element(k, r) for r in places] for k in places], dtype=torch.complex128)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4)])
@pytest.mark.parametrize("kind", [Fourier, CentredFourier])
def test_equals_the_explicit_matrix(kind, shape):
    F = kind(shape)
    x = _random(*shape)
    torch.testing.assert_close(F.apply(x).flatten(), matrix(F) @ x.flatten(), rtol=0, atol=1e-13)
    torch.testing.assert_close(F.adjoint(x).flatten(), matrix(F).mH @ x.flatten(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", [Fourier, CentredFourier])
def test_the_adjoint_is_the_inverse_and_energy_is_kept(kind):
    F, x = kind((6, 5, 3)), _random(2, 6, 5, 3)
    torch.testing.assert_close(F.adjoint(F.apply(x)), x, rtol=0, atol=1e-13)
    torch.testing.assert_close(F.apply(F.adjoint(x)), x, rtol=0, atol=1e-13)
    assert F.apply(x).norm().item() == pytest.approx(x.norm().item(), rel=1e-14)
    assert F.norm_bound() == 1.0


def test_a_flat_image_is_the_origin_of_k_space():
    for F in (Fourier((4, 6)), CentredFourier((5, 6))):
        found = F.apply(torch.ones(F.shape, dtype=torch.float64))
        assert found[F.origin].item() == pytest.approx(math.sqrt(math.prod(F.shape)))
        found[F.origin] = 0
        assert float(found.abs().max()) < 1e-14


def test_real_images_give_complex_spectra_of_their_precision():
    assert Fourier((4, 4)).apply(torch.ones(4, 4)).dtype is torch.complex64
    assert CentredFourier((4, 4)).apply(torch.ones(4, 4, dtype=torch.float64)).dtype is torch.complex128
